//! Config requests.

use super::{NacosGrpcService, naming::sync_kind, session::Session};
use crate::failure::failure_of;
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, Md5, NameError};
use muster_nacos_wire::{
    ParamError, Text, config_key,
    grpc::{
        ConfigBatchListenRequest, ConfigFuzzyWatchRequest, ConfigListenContext, ConfigPublishRequest,
        ConfigQueryRequest, ConfigRemoveRequest, Failure, Payload, RequestType, WatchType, answer, parse,
    },
};
use muster_node::config::{Author, Condition, Content, Details, Gray, Publish, RemoveTarget, VariantName};
use muster_node::watch::Pattern;
use muster_node::{ConfigInterest, FoundConfig};

impl NacosGrpcService {
    pub(super) fn config_query(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ConfigQueryRequest<'_> = parse(body)?;
        let tag = Some(request.tag.as_str()).filter(|tag| !tag.is_empty());
        let key = match config_key(&request.tenant, &request.group, &request.data_id) {
            Ok(key) => key,
            // Names that are sent, but blank, are those of no config; only without a name it is no query.
            Err(ParamError::Name(NameError::Blank(_)))
                if !request.data_id.is_null() && !request.group.is_null() =>
            {
                return Ok(answer::config_not_found(tag));
            }
            Err(error) => return Err(error.into()),
        };
        let labels = &self.setup(session)?.labels;
        let found = self.node.query_config(&key, labels, tag).map_err(|error| failure_of(&error))?;
        let Some(found) = found else { return Ok(answer::config_not_found(tag)) };
        let body = if found.selection.name == VariantName::Formal {
            found.content.rendered(|| query_body(&found))
        } else {
            query_body(&found)
        };
        Ok(Payload::new(RequestType::ConfigQuery.response(), body))
    }

    pub(super) async fn config_publish(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ConfigPublishRequest<'_> = parse(body)?;
        let key = written_key(&request.tenant, &request.group, &request.data_id)?;
        if request.content.is_blank() {
            return Err(Failure::blank_content(&request.content));
        }
        let publish = self.publication(session, key, &request).map_err(|error| failure_of(&error.into()))?;
        self.node.publish_config(publish).await.map_err(|error| failure_of(&error))?;
        Ok(answer::success(RequestType::ConfigPublish))
    }

    fn publication(
        &self,
        session: &Session,
        key: ConfigKey,
        request: &ConfigPublishRequest<'_>,
    ) -> Result<Publish, muster_node::config::FieldError> {
        let content = Content::new(Bytes::copy_from_slice(request.content.as_bytes()))?;
        let more = &request.addition_map;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let gray = match (more.beta_ips(), more.tag()) {
            (Some(addresses), _) => Gray::beta(addresses)?,
            (None, Some(tag)) => Some(Gray::tag(tag)?),
            (None, None) => None,
        };
        let author = Author { user: owned(more.src_user()), ip: session.info.remote.ip().to_string() };
        let mut publish = Publish::new(key, content, author, self.node.config_bounds());
        publish.gray = gray;
        publish.kind = ConfigType::parse(more.kind().unwrap_or_default());
        publish.app_name = owned(more.app_name());
        publish.tags = more.config_tags().map(Publish::tags_of);
        publish.details = Details {
            description: owned(more.desc()),
            purpose: owned(more.r#use()),
            effect: owned(more.effect()),
            schema: owned(more.schema()),
        };
        publish.encrypted_data_key = more.encrypted_data_key().unwrap_or_default().to_owned();
        if !request.cas_md5.is_empty() {
            publish.condition = Condition::Md5(request.cas_md5.as_str().to_owned());
        }
        Ok(publish)
    }

    pub(super) async fn config_remove(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ConfigRemoveRequest<'_> = parse(body)?;
        let key = written_key(&request.tenant, &request.group, &request.data_id)?;
        let target = match request.tag.as_str() {
            "" => RemoveTarget::All,
            gray => RemoveTarget::Gray(gray.to_owned()),
        };
        let author = Author { user: None, ip: session.info.remote.ip().to_string() };
        self.node.remove_config(key, target, author).await.map_err(|error| failure_of(&error))?;
        Ok(answer::success(RequestType::ConfigRemove))
    }

    pub(super) fn config_batch_listen(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ConfigBatchListenRequest<'_> = parse(body)?;
        let listens = request.listen.unwrap_or(true);
        let mut changed = Vec::new();
        for context in &request.config_listen_contexts {
            let key = config_key(&context.tenant, &context.group, &context.data_id)?;
            if !listens {
                session.watcher.unwatch_config(&key);
            } else if self.listen(session, &key, context)? {
                changed.push(context);
            }
        }
        Ok(answer::changed_configs(changed.into_iter().map(|context| answer::ChangedConfig {
            group: &context.group,
            data_id: &context.data_id,
            tenant: &context.tenant,
        })))
    }

    /// Listens first and compares then, so that no change is lost between. True: the client has something else.
    fn listen(
        &self,
        session: &Session,
        key: &ConfigKey,
        context: &ConfigListenContext<'_>,
    ) -> Result<bool, Failure> {
        let interest = ConfigInterest {
            tenant: context.tenant.as_option().map(Into::into),
            md5: Md5::parse(&context.md5),
        };
        session.watcher.watch_config(key, interest).map_err(|error| failure_of(&error.into()))?;
        let labels = &self.setup(session)?.labels;
        session.watcher.set_address(&labels.ip);
        Ok(match self.node.config_md5(key, labels) {
            // To the letter, as in the original: a digest in upper case is another one (recording config-listen-compare).
            Some(md5) => md5.to_string() != context.md5.as_str(),
            None => !context.md5.is_empty(),
        })
    }

    pub(super) fn config_fuzzy_watch(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ConfigFuzzyWatchRequest<'_> = parse(body)?;
        let Some(kind) = WatchType::parse(&request.watch_type) else {
            return Err(Failure::unsupported(&request.watch_type));
        };
        match kind {
            WatchType::Cancel => {
                session.watcher.unwatch_config_names(&request.group_key_pattern);
            }
            WatchType::Watch => {
                let pattern =
                    Pattern::parse(&request.group_key_pattern).map_err(|error| failure_of(&error.into()))?;
                let received =
                    request.received_group_keys.iter().filter_map(|key| parse_group_key(key)).collect();
                let start = session
                    .watcher
                    .watch_config_names(&pattern, sync_kind(request.initializing), received)
                    .map_err(|error| failure_of(&error))?;
                if start.truncated {
                    return Err(Failure::too_many_matches());
                }
            }
        }
        Ok(answer::success(RequestType::ConfigFuzzyWatch))
    }
}

/// The key of a config to write. A blank name is refused by the handler, in other words than the check filter's.
fn written_key(tenant: &str, group: &Text<'_>, data_id: &Text<'_>) -> Result<ConfigKey, Failure> {
    config_key(tenant, group, data_id).map_err(|error| {
        let ParamError::Name(NameError::Blank(what)) = error else { return error.into() };
        Failure::blank_config_name(what, if data_id.is_blank() { data_id } else { group })
    })
}

fn query_body(found: &FoundConfig) -> Bytes {
    let selection = &found.selection;
    answer::config_query_body(&answer::FoundConfig {
        content: std::str::from_utf8(&found.content.bytes)
            .expect("contents are checked when they are published"),
        content_type: selection.kind.as_str(),
        md5: &selection.md5.to_string(),
        encrypted_data_key: &selection.encrypted_data_key,
        last_modified: selection.modified.0,
        beta: selection.is_beta(),
        tag: selection.tag(),
    })
}

/// Reads `dataId+group+namespace`, `+` and `%` escaped inside the parts.
fn parse_group_key(text: &str) -> Option<ConfigKey> {
    let unescape = |part: &str| part.replace("%2B", "+").replace("%25", "%");
    let mut parts = text.splitn(3, '+');
    let (data_id, group) = (unescape(parts.next()?), unescape(parts.next()?));
    config_key(&parts.next().map(unescape).unwrap_or_default(), &group, &data_id).ok()
}
