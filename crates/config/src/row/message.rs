//! Parts that rows and ops have in common.

use super::{by_number, number_of};
use crate::{Author, Details, GrayName, GrayRule, LoadError, RuleKind};
use prost::Message;

/// A person and an address.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AuthorMessage {
    #[prost(string, optional, tag = "1")]
    user: Option<String>,
    #[prost(string, tag = "2")]
    ip: String,
}

impl From<&Author> for AuthorMessage {
    fn from(author: &Author) -> Self {
        Self { user: author.user.clone(), ip: author.ip.clone() }
    }
}

impl From<AuthorMessage> for Author {
    fn from(message: AuthorMessage) -> Self {
        Self { user: message.user, ip: message.ip }
    }
}

/// What people wrote.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DetailsMessage {
    #[prost(string, optional, tag = "1")]
    description: Option<String>,
    #[prost(string, optional, tag = "2")]
    purpose: Option<String>,
    #[prost(string, optional, tag = "3")]
    effect: Option<String>,
    #[prost(string, optional, tag = "4")]
    schema: Option<String>,
}

impl From<&Details> for DetailsMessage {
    fn from(details: &Details) -> Self {
        let Details { description, purpose, effect, schema } = details.clone();
        Self { description, purpose, effect, schema }
    }
}

impl From<DetailsMessage> for Details {
    fn from(message: DetailsMessage) -> Self {
        let DetailsMessage { description, purpose, effect, schema } = message;
        Self { description, purpose, effect, schema }
    }
}

/// The name and rule of a gray version.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GrayMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(string, tag = "3")]
    expression: String,
    #[prost(sint32, tag = "4")]
    priority: i32,
}

impl GrayMessage {
    pub(crate) fn of(name: &GrayName, rule: &GrayRule) -> Self {
        Self {
            name: name.as_str().to_owned(),
            kind: number_of(&RuleKind::ALL, rule.kind()),
            expression: rule.expression().to_owned(),
            priority: rule.priority(),
        }
    }

    pub(crate) fn parse(&self) -> Result<(GrayName, GrayRule), LoadError> {
        let kind = by_number("gray rule", &RuleKind::ALL, self.kind)?;
        Ok((GrayName::trusted(&self.name), GrayRule::trusted(kind, &self.expression, self.priority)))
    }
}
