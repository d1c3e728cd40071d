//! Writing configs.

use crate::{Node, NodeError, node::unreadable, op::DurableOp};
use muster_config::{Author, Bounds, Describe, Op, Outcome, Publish, Remove, RemoveTarget};
use muster_model::ConfigKey;

impl Node {
    /// The bounds a publication carries into the log.
    pub fn config_bounds(&self) -> Bounds {
        self.settings.history.bounds(&self.settings.limits)
    }

    /// Publishes a config or a gray version of it. It is readable at this node, and durable, when this returns;
    /// whether its condition held was decided in its place in the log.
    pub async fn publish_config(&self, mut publish: Publish) -> Result<Outcome, NodeError> {
        self.ready()?;
        publish.quota = self.settings.quota.enforced.then_some(self.settings.quota.defaults);
        publish.check(&self.settings.limits)?;
        self.propose_config(Op::Publish(Box::new(publish))).await
    }

    /// Removes a config, or one gray version of it. Removing what is not there succeeds.
    pub async fn remove_config(
        &self,
        key: ConfigKey,
        target: RemoveTarget,
        author: Author,
    ) -> Result<Outcome, NodeError> {
        self.ready()?;
        author.check()?;
        self.propose_config(Op::Remove(Remove { key, target, author, bounds: self.config_bounds() })).await
    }

    /// Writes anew what people say about a config; its content stays as it is, and no client is told.
    pub async fn describe_config(&self, describe: Describe) -> Result<(), NodeError> {
        self.ready()?;
        describe.check()?;
        self.propose_config(Op::Describe(describe)).await.map(drop)
    }

    pub(crate) async fn propose_config(&self, op: Op) -> Result<Outcome, NodeError> {
        let result = self.propose(DurableOp::Config(op)).await?;
        Ok(muster_config::decode_result(result).map_err(unreadable)??)
    }
}
