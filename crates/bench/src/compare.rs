//! All servers in one run, in turn, and the table of what came out.

use crate::{
    etcd::Etcd,
    figures::Figures,
    rows::{self, Row},
    server::{Kind, Places, Server},
    sizes::Sizes,
    targets::{self, Verdict},
};
use anyhow::{Context, Result};
use std::io::Write;
use tokio::process::Command;

/// Rounds of the rows that are compared with the floor.
pub(crate) struct Plan {
    /// Which rows.
    pub(crate) rows: Vec<Row>,
    /// How often each server has its turn; the median counts.
    pub(crate) rounds: usize,
}

/// Runs the plan; prints each row when it is done, then the table. True: every target was met.
pub(crate) async fn run(plan: &Plan, places: &Places, sizes: &Sizes, out: &mut impl Write) -> Result<bool> {
    let rnacos = Command::new("rnacos").arg("--version").output().await.is_ok();
    if !rnacos {
        writeln!(out, "rnacos is not on PATH: SKIPPED")?;
    }
    if plan.rows.contains(&Row::ClusterPublish) && !Etcd::is_installed().await {
        writeln!(out, "etcd is not on PATH: SKIPPED")?;
    }
    let eureka = places.eureka.is_some();
    if !eureka {
        writeln!(out, "no --eureka JAR given: Eureka's own server SKIPPED")?;
    }
    let mut lines = Vec::new();
    let mut all_met = true;
    for row in &plan.rows {
        let mut kinds = vec![Kind::Muster];
        if row.has_floor() {
            kinds.insert(if row.answers_alike() { 1 } else { 0 }, Kind::Floor);
        }
        if rnacos && row.is_nacos() {
            kinds.push(Kind::Rnacos);
        }
        if eureka && row.is_eureka() {
            kinds.push(Kind::Eureka);
        }
        let figures = measure(*row, &kinds, plan.rounds, places, sizes, out).await?;
        let by = |kind: Kind| figures.iter().find(|figures| figures.server == kind.name());
        let muster = by(Kind::Muster).context("muster is always measured")?;
        let verdicts = targets::judge(*row, muster, by(Kind::Floor));
        all_met &= verdicts.iter().all(|verdict| verdict.met);
        lines.extend(table_lines(*row, &verdicts, muster, by(Kind::Rnacos).or(by(Kind::Eureka))));
    }
    writeln!(out, "\n| row | muster | target | | r-nacos or Eureka |\n|---|---|---|---|---|")?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(all_met)
}

/// The figures of one row, one a server: the median of the rounds.
async fn measure(
    row: Row,
    kinds: &[Kind],
    rounds: usize,
    places: &Places,
    sizes: &Sizes,
    out: &mut impl Write,
) -> Result<Vec<Figures>> {
    let rounds = if row.has_floor() { rounds } else { 1 };
    let mut servers = Vec::new();
    for kind in kinds {
        servers.push(Server::start(*kind, places).await?);
    }
    let mut runs = vec![Vec::new(); kinds.len()];
    for _ in 0..rounds {
        for (server, runs) in servers.iter().zip(&mut runs) {
            match rows::run(row, server, sizes).await {
                Ok(figures) => {
                    writeln!(out, "{figures}")?;
                    runs.push(figures);
                }
                // What the other server cannot do is its own affair.
                Err(error) if server.is_foreign() => {
                    writeln!(out, "{:<18} {:<7}  {error:#}", row.name(), server.name())?;
                }
                Err(error) => {
                    return Err(error.context(format!("measure {} of {}", row.name(), server.name())));
                }
            }
        }
    }
    Ok(runs.iter().filter_map(|runs| Figures::median(runs)).collect())
}

fn table_lines(row: Row, verdicts: &[Verdict], muster: &Figures, other: Option<&Figures>) -> Vec<String> {
    let theirs = |name: &str| {
        other
            .and_then(|figures| figures.values.iter().find(|value| value.name == name))
            .map(ToString::to_string)
    };
    if verdicts.is_empty() {
        let all: Vec<String> = muster.values.iter().map(|value| format!("{} {value}", value.name)).collect();
        return vec![format!("| {} | {} | – | | |", row.name(), all.join(", "))];
    }
    let lines = verdicts.iter().map(|verdict| {
        let theirs = theirs(verdict.name).unwrap_or_default();
        let met = if verdict.met { "met" } else { "MISSED" };
        format!("| {} | {} | {} | {met} | {theirs} |", row.name(), verdict.measured, verdict.target)
    });
    lines.collect()
}
