//! Asking all members at once, and answering.

use super::{
    diagnose::Asked,
    report::NodeReport,
    wire::{Question, decode_report, encode_report},
};
use crate::Node;
use futures_util::future::join_all;
use muster_model::{NodeId, Timestamp};
use muster_peer::{Acceptor, Link, Purpose};
use muster_runtime::net::BoxFuture;
use prost::Message as _;
use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

/// How long a node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Node {
    /// The report of every member, this one among them, each with what came of a mark.
    pub(super) async fn ask_reports(&self, mark: u64) -> Vec<Asked> {
        let members = self.consensus().map(|consensus| consensus.members().borrow().clone());
        let members = members.unwrap_or_default();
        let mut nodes: Vec<NodeId> = members.voters.union(&members.learners).copied().collect();
        if !nodes.contains(&self.id) {
            nodes.push(self.id);
        }
        let question = Question { mark, names: None };
        let asking = nodes.into_iter().map(|node| {
            let address = members.addresses.get(&node).cloned().unwrap_or_default();
            self.ask_report(node, address, &question)
        });
        join_all(asking).await
    }

    /// The report of one member, this one or another.
    pub(super) async fn ask_report(&self, node: NodeId, address: String, question: &Question) -> Asked {
        let begun = self.now();
        let answer = if node == self.id {
            Ok(self.answer(question))
        } else {
            let answer = tokio::time::timeout(ANSWER_WITHIN, self.question(node, &address, question)).await;
            answer.unwrap_or(Err(io::ErrorKind::TimedOut.into())).map_err(|error| error.to_string())
        };
        let half_ms = self.now().mono.since(begun.mono) / 2;
        // The wall clock may be set meanwhile; the middle counts from the beginning.
        Asked { node, address, answer, middle: Timestamp(begun.wall.0 + half_ms), half_ms }
    }

    /// What this node says to a question.
    fn answer(&self, question: &Question) -> NodeReport {
        let mut report = self.report(question.mark);
        let names = question.names.as_ref();
        report.names = names.and_then(|names| self.mirror_names(names.origin(), &names.buckets));
        report
    }

    async fn question(&self, node: NodeId, address: &str, question: &Question) -> io::Result<NodeReport> {
        let question = question.encode_to_vec();
        let idle = self.doctor.idle.lock().remove(&node);
        if let Some(mut link) = idle
            && let Ok(report) = ask(&mut link, &question).await
        {
            self.doctor.idle.lock().insert(node, link);
            return Ok(report);
        }
        let links =
            self.doctor.links.get().ok_or_else(|| io::Error::other("this node has no cluster address"))?;
        let link = links.connect(Some(node), address, Purpose::Report).await;
        let mut link = link.map_err(io::Error::other)?;
        let report = ask(&mut link, &question).await?;
        self.doctor.idle.lock().insert(node, link);
        Ok(report)
    }
}

async fn ask(link: &mut Link, question: &[u8]) -> io::Result<NodeReport> {
    link.send(question).await?;
    let answer = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    decode_report(&answer).ok_or_else(|| io::Error::other("its report can't be read"))
}

/// Answers the peers.
pub(super) struct Answerer(Weak<Node>);

impl Answerer {
    pub(super) fn new(node: &Arc<Node>) -> Self {
        Self(Arc::downgrade(node))
    }
}

impl Acceptor for Answerer {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                let (Some(node), Ok(question)) = (self.0.upgrade(), Question::decode(frame)) else { return };
                let report = encode_report(&node.answer(&question));
                drop(node);
                if link.send(&report).await.is_err() {
                    return;
                }
            }
        })
    }
}
