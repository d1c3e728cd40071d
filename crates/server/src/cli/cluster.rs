//! What `muster cluster` takes.

use super::client::NodeFlags;
use clap::{Args, Subcommand};
use std::time::Duration;

/// `muster cluster`
#[derive(Args, Debug)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
}

/// What to do with the cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Show the nodes, how each of them is, and how many losses the cluster survives
    Status(StatusArgs),
    /// Make a join token and print the command that starts a new node with it
    Add(AddArgs),
    /// Remove a node for good, dead or alive: it can't come back under its id
    Remove(RemoveArgs),
    /// Make learners voters, all of them in one change
    Promote(PromoteArgs),
    /// After all nodes run this version: let them use what only it can; none can go back afterwards
    Upgrade(UpgradeArgs),
    /// Make, list and revoke join tokens
    Token(TokenArgs),
    /// After a quorum was lost for good: have a stopped node go on alone, as a new cluster
    Recover(RecoverArgs),
}

/// `muster cluster status`
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which node is asked, and how the answer is printed.
#[derive(Args, Debug)]
pub(crate) struct Output {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: NodeFlags,
}

/// `muster cluster add`, `muster cluster token create`
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// How long the token may be used, such as 30m or 2h; at most 30d
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = lifetime)]
    pub(crate) lifetime: Duration,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `muster cluster remove`
#[derive(Args, Debug)]
pub(crate) struct RemoveArgs {
    /// Id of the node, as `muster cluster status` prints it
    #[arg(value_name = "NODE")]
    pub(crate) id: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `muster cluster promote`
#[derive(Args, Debug)]
pub(crate) struct PromoteArgs {
    /// Ids of the nodes; without any, all learners that have caught up
    #[arg(value_name = "NODE")]
    pub(crate) ids: Vec<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `muster cluster recover`, with the flags that the node is started with.
#[derive(Args, Debug)]
pub(crate) struct RecoverArgs {
    /// Go on from what this node has; what others have and it has not is lost
    #[arg(long, required = true)]
    pub(crate) from_this_node: bool,
    /// Do it; without, only what would happen is said
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) serve: super::ServeFlags,
}

/// `muster cluster token`
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

/// What to do with join tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for one node and print it: it is not shown again
    Create(AddArgs),
    /// List tokens, without their secrets
    List(TokenListArgs),
    /// End a token at once
    Revoke(RevokeArgs),
}

/// `muster cluster upgrade`
#[derive(Args, Debug)]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `muster cluster token list`
#[derive(Args, Debug)]
pub(crate) struct TokenListArgs {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `muster cluster token revoke`
#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Id of the token, as `muster cluster token list` prints it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = crate::settings::duration(text)?;
    match lifetime {
        Duration::ZERO => Err("expected a time such as 30m or 2h".to_owned()),
        long if long > Duration::from_secs(30 * 86_400) => Err("at most 30d".to_owned()),
        lifetime => Ok(lifetime),
    }
}
