//! What a row measured: named values with their units, printed and compared.

use crate::histogram::Histogram;
use std::{fmt, time::Duration};

/// How a value is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Micros,
    Millis,
    Seconds,
    PerSecond,
    Bytes,
    KiB,
    MiB,
    Count,
    Times,
    Percent,
}

/// One named value, held in the unit it is printed in.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) name: &'static str,
    pub(crate) amount: f64,
    pub(crate) unit: Unit,
}

/// The values of one run of one row against one server.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) row: &'static str,
    pub(crate) server: &'static str,
    pub(crate) values: Vec<Value>,
}

impl Figures {
    /// None yet.
    pub(crate) fn new(row: &'static str, server: &'static str) -> Self {
        Self { row, server, values: Vec::new() }
    }

    /// Adds a value that is already in its unit.
    pub(crate) fn put(&mut self, name: &'static str, amount: f64, unit: Unit) {
        self.values.push(Value { name, amount, unit });
    }

    /// Adds a duration, converted.
    pub(crate) fn put_time(&mut self, name: &'static str, time: Duration, unit: Unit) {
        let scale = match unit {
            Unit::Micros => 1e6,
            Unit::Millis => 1e3,
            Unit::Seconds
            | Unit::PerSecond
            | Unit::Bytes
            | Unit::KiB
            | Unit::MiB
            | Unit::Count
            | Unit::Times
            | Unit::Percent => 1.0,
        };
        self.put(name, time.as_secs_f64() * scale, unit);
    }

    /// Adds a number of bytes, converted.
    pub(crate) fn put_bytes(&mut self, name: &'static str, bytes: f64, unit: Unit) {
        let scale = match unit {
            Unit::KiB => 1024.0,
            Unit::MiB => 1024.0 * 1024.0,
            Unit::Bytes
            | Unit::Micros
            | Unit::Millis
            | Unit::Seconds
            | Unit::PerSecond
            | Unit::Count
            | Unit::Times
            | Unit::Percent => 1.0,
        };
        self.put(name, bytes / scale, unit);
    }

    /// Adds p50, p99 and the longest of a histogram.
    pub(crate) fn put_latencies(&mut self, all: &Histogram, unit: Unit) {
        self.put_time("p50", all.quantile(0.5), unit);
        self.put_time("p99", all.quantile(0.99), unit);
        self.put_time("max", all.max(), unit);
    }

    /// The value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|value| value.name == name).map(|value| value.amount)
    }

    /// The median of each value over several runs of the same row; the first run names them.
    pub(crate) fn median(runs: &[Self]) -> Option<Self> {
        let mut result = runs.first()?.clone();
        for value in &mut result.values {
            let mut amounts: Vec<f64> = runs.iter().filter_map(|run| run.get(value.name)).collect();
            amounts.sort_by(f64::total_cmp);
            value.amount = amounts[amounts.len() / 2];
        }
        Some(result)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.amount;
        match self.unit {
            Unit::Micros => write!(out, "{amount:.1} µs"),
            Unit::Millis => write!(out, "{amount:.2} ms"),
            Unit::Seconds => write!(out, "{amount:.1} s"),
            Unit::PerSecond => write!(out, "{amount:.0}/s"),
            Unit::Bytes => write!(out, "{amount:.0} B"),
            Unit::KiB => write!(out, "{amount:.1} KiB"),
            Unit::MiB => write!(out, "{amount:.1} MiB"),
            Unit::Count => write!(out, "{amount:.0}"),
            Unit::Times => write!(out, "{amount:.2}×"),
            Unit::Percent => write!(out, "{amount:.2} %"),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<18} {:<7}", self.row, self.server)?;
        for value in &self.values {
            write!(out, "  {} {value}", value.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_converted_and_the_median_is_taken_by_name() {
        let runs = [3, 1, 2].map(|millis| {
            let mut run = Figures::new("row", "floor");
            run.put_time("cpu", Duration::from_millis(millis), Unit::Micros);
            run.put_bytes("rss", 2048.0, Unit::KiB);
            run
        });
        let median = Figures::median(&runs).unwrap();
        assert_eq!(
            (median.get("cpu"), median.get("rss"), median.get("none")),
            (Some(2000.0), Some(2.0), None)
        );
        assert_eq!(median.to_string(), "row                floor    cpu 2000.0 µs  rss 2.0 KiB");
        assert!(Figures::median(&[]).is_none());
    }
}
