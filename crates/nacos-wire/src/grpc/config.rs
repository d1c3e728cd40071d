//! Config requests.

use crate::{Pairs, Text, lenient};
use serde::{Deserialize, Serialize};

/// `ConfigQueryRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigQueryRequest<'a> {
    /// Data id.
    #[serde(borrow)]
    pub data_id: Text<'a>,
    /// Group.
    #[serde(borrow)]
    pub group: Text<'a>,
    /// Namespace in the client's spelling.
    #[serde(borrow)]
    pub tenant: Text<'a>,
    /// A tag to prefer.
    #[serde(borrow)]
    pub tag: Text<'a>,
}

/// `ConfigPublishRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigPublishRequest<'a> {
    /// Data id.
    #[serde(borrow)]
    pub data_id: Text<'a>,
    /// Group.
    #[serde(borrow)]
    pub group: Text<'a>,
    /// Namespace in the client's spelling.
    #[serde(borrow)]
    pub tenant: Text<'a>,
    /// The content; blank is refused.
    #[serde(borrow)]
    pub content: Text<'a>,
    /// Publish only if the formal content has this md5; "" is no condition.
    #[serde(borrow)]
    pub cas_md5: Text<'a>,
    /// Everything else.
    #[serde(borrow)]
    pub addition_map: AdditionMap<'a>,
}

/// The `additionMap` of a publish; "" counts as absent in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdditionMap<'a>(pub Pairs<'a>);

impl AdditionMap<'_> {
    fn given(&self, key: &str) -> Option<&str> {
        self.0.get(key).filter(|value| !value.is_empty())
    }

    /// Config type; unknown is text.
    pub fn kind(&self) -> Option<&str> {
        self.given("type")
    }

    /// Publish as the gray version of this tag.
    pub fn tag(&self) -> Option<&str> {
        self.given("tag")
    }

    /// Publish as the beta version for these addresses (comma list).
    pub fn beta_ips(&self) -> Option<&str> {
        self.given("betaIps")
    }

    /// The application that publishes.
    pub fn app_name(&self) -> Option<&str> {
        self.given("appName")
    }

    /// The user that publishes.
    pub fn src_user(&self) -> Option<&str> {
        self.given("src_user")
    }

    /// Comma list of tags to find it by.
    pub fn config_tags(&self) -> Option<&str> {
        self.given("config_tags")
    }

    /// Description.
    pub fn desc(&self) -> Option<&str> {
        self.given("desc")
    }

    /// Use.
    pub fn r#use(&self) -> Option<&str> {
        self.given("use")
    }

    /// Effect.
    pub fn effect(&self) -> Option<&str> {
        self.given("effect")
    }

    /// Schema.
    pub fn schema(&self) -> Option<&str> {
        self.given("schema")
    }

    /// The key the content is encrypted with (itself encrypted).
    pub fn encrypted_data_key(&self) -> Option<&str> {
        self.given("encryptedDataKey")
    }
}

impl Serialize for AdditionMap<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AdditionMap<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pairs::deserialize(deserializer).map(Self)
    }
}

/// `ConfigRemoveRequest`. `tag` is the gray version's name in the original (`beta`, `tag_<tag>`); clients that send
/// the bare tag mean the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigRemoveRequest<'a> {
    /// Data id.
    #[serde(borrow)]
    pub data_id: Text<'a>,
    /// Group.
    #[serde(borrow)]
    pub group: Text<'a>,
    /// Namespace in the client's spelling.
    #[serde(borrow)]
    pub tenant: Text<'a>,
    /// The gray version to remove; "" is the formal one.
    #[serde(borrow)]
    pub tag: Text<'a>,
}

/// One config a client listens to, with the md5 of what it has; "" is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigListenContext<'a> {
    /// Data id.
    #[serde(borrow)]
    pub data_id: Text<'a>,
    /// Group.
    #[serde(borrow)]
    pub group: Text<'a>,
    /// Namespace in the client's spelling, which every answer about the key repeats.
    #[serde(borrow)]
    pub tenant: Text<'a>,
    /// Md5 of the client's content.
    #[serde(borrow)]
    pub md5: Text<'a>,
}

/// `ConfigBatchListenRequest`. Its own `dataId`, `group` and `tenant` mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigBatchListenRequest<'a> {
    /// False to stop listening; absent is true.
    #[serde(deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub listen: Option<bool>,
    /// The configs.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub config_listen_contexts: Vec<ConfigListenContext<'a>>,
}

/// `ConfigFuzzyWatchRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigFuzzyWatchRequest<'a> {
    /// `namespace>>group pattern>>data id pattern`.
    #[serde(borrow)]
    pub group_key_pattern: Text<'a>,
    /// Group keys (`dataId+group+namespace`) the client has.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub received_group_keys: Vec<Text<'a>>,
    /// `WATCH` or `CANCEL_WATCH`.
    #[serde(borrow)]
    pub watch_type: Text<'a>,
    /// First sync, which ends in a finish message; else a diff.
    #[serde(deserialize_with = "lenient::scalar")]
    pub initializing: bool,
}
