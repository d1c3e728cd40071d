//! Answers those who want to join, or to know who is here.

use super::{Candidate, EnsembleView};
use crate::Node;
use muster_model::NodeId;
use muster_peer::{
    Acceptor, Answer, Authority, Founder, JoinRequest, Joined, KeyHash, Link, ProbeAnswer, Purpose, Question,
};
use muster_runtime::net::BoxFuture;
use std::sync::{Arc, Weak};

struct Door(Weak<Node>);

/// What the link says of who asks.
#[derive(Clone, Copy)]
struct Caller {
    is_member: bool,
    is_proven: bool,
    key: Option<KeyHash>,
}

/// Lets a node answer. It is not kept alive by that.
pub(super) fn open(node: &Arc<Node>) {
    if let Some(links) = node.links() {
        links.handle(Purpose::Join, Arc::new(Door(Arc::downgrade(node))));
    }
}

impl Acceptor for Door {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (Some(node), Ok(Some(question))) = (self.0.upgrade(), link.receive().await) else { return };
            let caller = Caller { is_member: link.is_member(), is_proven: link.is_proven(), key: link.key() };
            let answer = node.answer_at_the_door(caller, &question).await;
            if let Err(error) = link.send(&answer.encode()).await {
                tracing::debug!(%error, "whoever asked has gone");
            }
        })
    }
}

impl Node {
    async fn answer_at_the_door(&self, caller: Caller, question: &[u8]) -> Answer {
        match Question::decode(question) {
            Some(Question::Probe(_)) => Answer::Probe(self.answer_probe()),
            Some(Question::Join(request)) => match self.answer_join(caller, request).await {
                Ok(joined) => Answer::Joined(joined),
                Err(why) => {
                    tracing::warn!(why, "a node was not let in");
                    Answer::Refused(why)
                }
            },
            Some(Question::Standing) if caller.is_member => {
                let refused = || Answer::Refused("this node does not lead".to_owned());
                self.encoded_report().map_or_else(refused, Answer::Standing)
            }
            Some(Question::Standing) => Answer::Refused("only members are told".to_owned()),
            None => Answer::Refused("this node is of an older version".to_owned()),
        }
    }

    fn answer_probe(&self) -> ProbeAnswer {
        let Ok(parts) = self.membership.parts() else { return ProbeAnswer::default() };
        let view = self.members_view();
        let members = known(&view);
        ProbeAnswer {
            cluster: Some(parts.cluster),
            has_data: true,
            itself: founder(self.id, &parts.itself),
            peers: Vec::new(),
            members,
        }
    }

    async fn answer_join(&self, caller: Caller, request: JoinRequest) -> Result<Joined, String> {
        let parts = self.membership.parts().map_err(|error| error.to_string())?;
        if request.token.is_none() && (parts.needs_token || !caller.is_proven) {
            return Err("it has no join token: make one with `muster cluster token create`".to_owned());
        }
        let Founder { address, client, version, key, .. } = request.itself;
        if caller.key.is_some() && caller.key != key {
            return Err("it names another key than it has".to_owned());
        }
        let candidate = Candidate { address, client, version, key };
        let token = request.token.map(|token| (token.id, token.hash()));
        let node = self.admit_node(token, candidate).await.map_err(|error| error.to_string())?;
        let authority = parts.authority.as_ref().map(Authority::export);
        Ok(Joined { node, cluster: parts.cluster, authority, members: known(&self.members_view()) })
    }
}

fn known(view: &EnsembleView) -> Vec<Founder> {
    view.members.values().map(|member| founder(member.node, &member.is)).collect()
}

fn founder(node: NodeId, is: &Candidate) -> Founder {
    Founder {
        node: node.0,
        address: is.address.clone(),
        client: is.client.clone(),
        version: is.version.clone(),
        key: is.key,
    }
}
