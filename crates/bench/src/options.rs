//! The command line.

use crate::{
    rows::Row,
    server::{Kind, Places},
    sizes::Sizes,
};
use anyhow::{Context, Result};
use clap::{
    Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// All servers in turn, and the table.
    Compare,
    /// Be the floor.
    Floor,
    /// One row of one server.
    Row(Row),
}

/// Measures Nacos-compatible servers: CPU time an operation, latencies, memory.
#[derive(Debug, Parser)]
#[command(name = "muster-bench")]
pub(crate) struct Options {
    /// A row of the table; `compare` for all rows and servers with the targets (exit code 1 if one is missed);
    /// `floor` to run the empty handler alone.
    #[arg(value_parser = what(), default_value = "compare")]
    pub(crate) what: What,
    /// Which server a row measures.
    #[arg(long, value_enum, default_value = "muster")]
    pub(crate) server: Kind,
    /// Where a server runs already (gRPC and HTTP on one port); without it one is started. For `floor`: where
    /// to listen.
    #[arg(long)]
    pub(crate) address: Option<SocketAddr>,
    /// The process of that server.
    #[arg(long, requires = "address")]
    pub(crate) pid: Option<u32>,
    /// The program `muster` [default: the one beside this program]
    #[arg(long)]
    muster: Option<PathBuf>,
    /// The JAR of Eureka's own server (`interop/eureka-peer`), to be measured beside
    #[arg(long)]
    eureka: Option<PathBuf>,
    /// Where fresh data directories are made: on the file system to be measured [default: beside this program]
    #[arg(long)]
    data_root: Option<PathBuf>,
    /// Rows to compare [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Rounds of the rows that are compared with the floor.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Seconds of counted load in the throughput rows.
    #[arg(long)]
    seconds: Option<u64>,
    /// Connections of the throughput rows.
    #[arg(long)]
    connections: Option<usize>,
    /// Requests in flight on each connection.
    #[arg(long)]
    in_flight: Option<usize>,
    /// Changes of the push rows.
    #[arg(long)]
    changes: Option<u64>,
    /// Seconds between the end of a load and reading the memory.
    #[arg(long)]
    settle: Option<u64>,
}

impl Options {
    /// The sizes of the table, changed where asked for.
    pub(crate) fn sizes(&self) -> Sizes {
        let full = Sizes::full();
        Sizes {
            measure: self.seconds.map_or(full.measure, Duration::from_secs),
            connections: self.connections.unwrap_or(full.connections),
            in_flight: self.in_flight.unwrap_or(full.in_flight),
            changes: self.changes.unwrap_or(full.changes),
            settle: self.settle.map_or(full.settle, Duration::from_secs),
            ..full
        }
    }

    /// Where programs and directories are.
    pub(crate) fn places(&self) -> Result<Places> {
        let own = std::env::current_exe().context("find this program")?;
        let beside = own.parent().context("find the directory of this program")?;
        Ok(Places {
            muster: self.muster.clone().unwrap_or_else(|| beside.join("muster")),
            eureka: self.eureka.clone(),
            data_root: self.data_root.clone().unwrap_or_else(|| beside.to_owned()),
        })
    }

    /// The rows to compare.
    pub(crate) fn rows(&self) -> Vec<Row> {
        if self.rows.is_empty() { Row::value_variants().to_vec() } else { self.rows.clone() }
    }
}

fn what() -> impl TypedValueParser<Value = What> {
    let rows = Row::value_variants().iter().map(|row| row.name());
    PossibleValuesParser::new(["compare", "floor"].into_iter().chain(rows)).map(|name| match name.as_str() {
        "compare" => What::Compare,
        "floor" => What::Floor,
        row => What::Row(Row::from_str(row, false).expect("the parser lets only names of rows pass")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_command_of_its_name() {
        for row in Row::value_variants() {
            let options = Options::try_parse_from(["muster-bench", row.name()]).unwrap();
            assert!(matches!(options.what, What::Row(parsed) if parsed == *row), "{}", row.name());
        }
        assert!(Options::try_parse_from(["muster-bench", "nothing"]).is_err());
    }
}
