//! A load generator for Nacos-compatible servers, over gRPC and HTTP, and the table it fills: server CPU time an
//! operation, latencies, memory; next to an empty handler (the *floor*) and, where it is installed, r-nacos.
//!
//! It is not a test of correctness: an answer is only looked at for success. The generator runs in one thread
//! with bodies encoded before the clock starts, so that the servers have the processors. Start at `rows`.

mod bodies;
mod cluster;
mod compare;
mod connection;
mod etcd;
mod figures;
mod floor;
mod histogram;
mod http1;
mod load;
mod options;
mod process;
mod rows;
mod server;
mod session;
mod sizes;
mod targets;
#[cfg(test)]
mod tests;
mod wire;

use anyhow::{Context, Result};
use clap::Parser;
use options::{Options, What};
use server::Server;
use std::{
    io::{Write, stdout},
    process::ExitCode,
};
use tokio::{net::TcpListener, runtime::Builder};

/// The allocator of `muster`, so that the floor is not slower by its own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    match options.what {
        What::Floor => {
            let runtime = Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
            runtime.block_on(floor(&options))
        }
        What::Compare | What::Row(_) => {
            let runtime = Builder::new_current_thread().enable_all().build().context("start the runtime")?;
            runtime.block_on(measure(&options))
        }
    }
}

async fn floor(options: &Options) -> Result<ExitCode> {
    let address = options.address.context("the floor needs --address")?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    floor::serve(listener).await?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &Options) -> Result<ExitCode> {
    let (places, sizes) = (options.places()?, options.sizes());
    let What::Row(row) = options.what else {
        let plan = compare::Plan { rows: options.rows(), rounds: options.rounds };
        let met = compare::run(&plan, &places, &sizes, &mut stdout()).await?;
        return Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let server = match options.address {
        Some(address) => {
            let pid = options.pid.context("a server that runs already needs --pid")?;
            Server::attached(options.server, address, pid, &places.data_root)?
        }
        None => Server::start(options.server, &places).await?,
    };
    let figures = rows::run(row, &server, &sizes).await?;
    writeln!(stdout(), "{figures}")?;
    for verdict in targets::judge(row, &figures, None) {
        let met = if verdict.met { "met" } else { "MISSED" };
        writeln!(stdout(), "{met}: {}, target {}", verdict.measured, verdict.target)?;
    }
    Ok(ExitCode::SUCCESS)
}
