//! Configs: publish, get, remove, listen.

use crate::{Client, ClientError};
use muster_nacos_wire::{
    Pairs, Text,
    grpc::{
        AdditionMap, ConfigBatchListenRequest, ConfigListenContext, ConfigPublishRequest, ConfigQueryRequest,
        ConfigRemoveRequest, RequestType,
        reply::{ChangedConfigsReply, ConfigName, ConfigReply, Outcome},
    },
};

/// `errorCode` of a config that does not exist.
const NOT_FOUND: i64 = 300;

/// What to publish.
#[derive(Clone, Debug, Default)]
pub struct Publish<'a> {
    /// Group.
    pub group: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// Content; not blank.
    pub content: &'a str,
    /// Publish only if the present content has this md5.
    pub cas_md5: Option<&'a str>,
    /// `type`, `config_tags`, `desc`, `betaIps`, `tag`, …
    pub additions: Pairs<'a>,
}

impl Client {
    /// Publishes a config; it is stored when this returns.
    pub async fn publish(&self, publish: Publish<'_>) -> Result<(), ClientError> {
        let request = ConfigPublishRequest {
            data_id: Text::from(publish.data_id),
            group: Text::from(publish.group),
            tenant: self.tenant(),
            content: Text::from(publish.content),
            cas_md5: publish.cas_md5.map_or_else(Text::null, Text::from),
            addition_map: AdditionMap(publish.additions),
        };
        self.request::<Outcome>(RequestType::ConfigPublish, &request).await.map(drop)
    }

    /// A config; `None` if it does not exist.
    pub async fn get(&self, group: &str, data_id: &str) -> Result<Option<ConfigReply>, ClientError> {
        let request = ConfigQueryRequest {
            data_id: Text::from(data_id),
            group: Text::from(group),
            tenant: self.tenant(),
            tag: Text::null(),
        };
        match self.request(RequestType::ConfigQuery, &request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a config; one that does not exist is removed already.
    pub async fn remove(&self, group: &str, data_id: &str) -> Result<(), ClientError> {
        let request = ConfigRemoveRequest {
            data_id: Text::from(data_id),
            group: Text::from(group),
            tenant: self.tenant(),
            tag: Text::null(),
        };
        self.request::<Outcome>(RequestType::ConfigRemove, &request).await.map(drop)
    }

    /// Listens to configs, given as `(group, data id, md5 of what is known, "" for nothing)`: those that differ are
    /// returned, later changes come as [`Push::Config`](crate::Push::Config).
    pub async fn listen(&self, configs: &[(&str, &str, &str)]) -> Result<Vec<ConfigName>, ClientError> {
        self.batch_listen(configs, true).await
    }

    /// Stops listening.
    pub async fn unlisten(&self, configs: &[(&str, &str)]) -> Result<(), ClientError> {
        let configs: Vec<_> = configs.iter().map(|(group, data_id)| (*group, *data_id, "")).collect();
        self.batch_listen(&configs, false).await.map(drop)
    }

    async fn batch_listen(
        &self,
        configs: &[(&str, &str, &str)],
        listen: bool,
    ) -> Result<Vec<ConfigName>, ClientError> {
        let context = |&(group, data_id, md5)| ConfigListenContext {
            data_id: Text::from(data_id),
            group: Text::from(group),
            tenant: self.tenant(),
            md5: Text::from(md5),
        };
        let request = ConfigBatchListenRequest {
            listen: Some(listen),
            config_listen_contexts: configs.iter().map(context).collect(),
        };
        let reply: ChangedConfigsReply = self.request(RequestType::ConfigBatchListen, &request).await?;
        Ok(reply.changed_configs)
    }

    fn tenant(&self) -> Text<'_> {
        Text::from(self.options.namespace.as_str())
    }
}
