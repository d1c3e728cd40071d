//! `muster cluster`: the nodes, and who belongs to them.

mod answers;

use super::{history::time, http, output};
use crate::cli::{ClusterArgs, ClusterCommand, Output, TokenCommand};
#[cfg(test)]
use answers::TokenLine;
use answers::{Member, Removed, Status, Token, Tokens, Upgraded, Voters};
use anyhow::Context;
use hyper::Method;
use muster_runtime::{Clock, SystemClock};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

const PATH: &str = "/muster/v1/cluster";

/// Runs one of the commands.
pub(crate) async fn run(args: &ClusterArgs) -> anyhow::Result<()> {
    match &args.command {
        ClusterCommand::Status(args) => status(&args.output).await,
        ClusterCommand::Add(args) => add(args.lifetime, &args.output).await,
        ClusterCommand::Remove(args) => remove(args.id, &args.output).await,
        ClusterCommand::Promote(args) => promote(&args.ids, &args.output).await,
        ClusterCommand::Recover(_) => unreachable!("`main` runs what works on a stopped node"),
        ClusterCommand::Upgrade(args) => upgrade(&args.output).await,
        ClusterCommand::Token(args) => match &args.command {
            TokenCommand::Create(args) => create(args.lifetime, &args.output).await,
            TokenCommand::List(args) => list(&args.output).await,
            TokenCommand::Revoke(args) => revoke(&args.id, &args.output).await,
        },
    }
}

async fn ask<T: DeserializeOwned>(output: &Output, method: Method, path: &str) -> anyhow::Result<T> {
    let text = http::ask(&output.node.server, method, &format!("{PATH}{path}")).await?;
    serde_json::from_str(&text).context("read the answer")
}

/// Prints JSON if that is wanted, else what `human` prints.
fn print<T: Serialize>(
    output: &Output,
    answer: &T,
    human: impl FnOnce(&T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if output.json { output::json(answer) } else { human(answer) }
}

async fn status(output: &Output) -> anyhow::Result<()> {
    let status: Status = ask(output, Method::GET, "").await?;
    print(output, &status, |status| {
        output::line(&summary(status))?;
        let headings = [
            "NODE",
            "ROLE",
            "STATE",
            "CLIENTS AT",
            "PEERS AT",
            "VERSION",
            "APPLIED",
            "LAG",
            "CLIENTS",
            "CERTIFICATE UNTIL",
        ];
        output::table(headings, status.members.iter().map(|member| row(member, status.node)))?;
        status.warnings.iter().for_each(|warning| output::note(&format!("warning: {warning}")));
        Ok(())
    })
}

/// `term 3, leader is node 1; 3 voters, survives the loss of 1`
fn summary(status: &Status) -> String {
    let leader = match (status.leader, status.without_leader_ms) {
        (Some(leader), _) => format!("leader is node {leader}"),
        (None, Some(ms)) => format!("no leader for {} s", ms / 1_000),
        (None, None) => "no leader".to_owned(),
    };
    let losses = match status.survivable_losses {
        None => "too few of them answer: nothing durable can be written".to_owned(),
        Some(0) => "survives no loss".to_owned(),
        Some(losses) => format!("survives the loss of {losses}"),
    };
    let voters = if status.voters == 1 { "1 voter".to_owned() } else { format!("{} voters", status.voters) };
    format!("seen by node {}: {leader} (term {}), {voters}, {losses}\n\n", status.node, status.term)
}

fn row(member: &Member, own: u64) -> [String; 10] {
    let seen = match (member.state.as_str(), member.seen_ms_ago) {
        ("down" | "suspicious", Some(ms)) => format!("{}, seen {} s ago", member.state, ms / 1_000),
        ("down" | "suspicious", None) => format!("{}, never seen", member.state),
        (state, _) => state.to_owned(),
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_else(|| "?".to_owned());
    let is_own = if member.node == own { " (asked)" } else { "" };
    [
        format!("{}{is_own}", member.node),
        member.role.clone(),
        seen,
        member.client_address.clone(),
        member.address.clone(),
        member.version.clone().unwrap_or_else(|| "?".to_owned()),
        number(member.applied),
        number(member.lag),
        number(member.clients),
        member.certificate_until.map_or_else(|| "-".to_owned(), time),
    ]
}

async fn create_token(lifetime: Duration, output: &Output) -> anyhow::Result<Token> {
    let path = format!("/tokens?lifetime_s={}", lifetime.as_secs());
    ask(output, Method::POST, &path).await
}

async fn create(lifetime: Duration, output: &Output) -> anyhow::Result<()> {
    let token = create_token(lifetime, output).await?;
    print(output, &token, |token| {
        output::line(&token.token)?;
        output::note(&format!("for one node, until {}; it is not shown again", time(token.expires)));
        Ok(())
    })
}

async fn add(lifetime: Duration, output: &Output) -> anyhow::Result<()> {
    let token = create_token(lifetime, output).await?;
    print(output, &token, |token| {
        output::line(&format!(
            "On the new machine, put the token into a file that only its owner reads, and start a node with it:\n\n  \
             (umask 077; echo {} > join-token)\n  \
             muster --join {} --set join_token_file=join-token --listen ITS-ADDRESS:8848 --open-client-api\n",
            token.token, token.join
        ))?;
        output::note(&format!(
            "the token is for one node, until {}; it is not shown again",
            time(token.expires)
        ));
        Ok(())
    })
}

async fn list(output: &Output) -> anyhow::Result<()> {
    let tokens: Tokens = ask(output, Method::GET, "/tokens").await?;
    print(output, &tokens, |tokens| {
        if tokens.tokens.is_empty() {
            output::note("there is no join token: `muster cluster token create` makes one");
            return Ok(());
        }
        let now = SystemClock::new().now().wall.0;
        let rows = tokens
            .tokens
            .iter()
            .map(|token| [token.id.clone(), time(token.made), time(token.expires), token.said(now)]);
        output::table(["ID", "MADE", "ENDS", "STATE"], rows)
    })
}

async fn revoke(id: &str, output: &Output) -> anyhow::Result<()> {
    let path = format!("/tokens/revoke?id={}", super::history::form_urlencoded(id));
    let revoked: serde_json::Value = ask(output, Method::POST, &path).await?;
    print(output, &revoked, |_| output::line("revoked"))
}

async fn remove(node: u64, output: &Output) -> anyhow::Result<()> {
    let removed: Removed = ask(output, Method::POST, &format!("/remove?node={node}")).await?;
    print(output, &removed, |removed| {
        output::line(&format!("node {} is removed", removed.node))?;
        output::note(
            "to have its machine back as a new node, empty its data directory and join it with a new token",
        );
        Ok(())
    })
}

async fn upgrade(output: &Output) -> anyhow::Result<()> {
    let upgraded: Upgraded = ask(output, Method::POST, "/upgrade").await?;
    print(output, &upgraded, |upgraded| output::line(&format!("format level {} is in force", upgraded.level)))
}

async fn promote(nodes: &[u64], output: &Output) -> anyhow::Result<()> {
    let ids: Vec<String> = nodes.iter().map(u64::to_string).collect();
    let voters: Voters = ask(output, Method::POST, &format!("/promote?nodes={}", ids.join(","))).await?;
    print(output, &voters, |voters| {
        let ids: Vec<String> = voters.voters.iter().map(u64::to_string).collect();
        output::line(&format!("voters: {}", ids.join(", ")))
    })
}

#[cfg(test)]
mod tests;
