//! Gray releases: a rule selects which clients see a variant. Beta (by address) and tag are two kinds of rule.

use crate::{ClientLabels, FieldError, text};
use std::{fmt, sync::Arc};

/// The name of a gray version, unique in its config: `beta`, `tag_<tag>`, or one of the publisher's own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrayName(Arc<str>);

impl GrayName {
    /// The name of the beta version.
    pub const BETA: &'static str = "beta";
    /// What the names of tag versions begin with.
    pub const TAG_PREFIX: &'static str = "tag_";
    /// The most characters of a name.
    pub const CHARS_MAX: usize = 128;

    /// Checks a name: letters, digits and `_-.:`, at most 128 characters.
    pub fn new(name: &str) -> Result<Self, FieldError> {
        text::check_length("grayName", name, Self::CHARS_MAX)?;
        if name.is_empty() || !text::is_word(name) {
            return Err(FieldError::InvalidGrayName(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    /// A name that was checked when it was proposed.
    pub(crate) fn trusted(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the beta version.
    pub fn is_beta(&self) -> bool {
        &*self.0 == Self::BETA
    }

    /// The tag, if this is a tag version.
    pub fn tag(&self) -> Option<&str> {
        self.0.strip_prefix(Self::TAG_PREFIX)
    }
}

impl fmt::Display for GrayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GrayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// The expression is a comma-separated list of addresses; the client's is one of them (`beta`).
    Addresses,
    /// The expression is the client's tag (`tag`).
    Tag,
    /// The expression is `label=value,value&label=value`: the client has each of the labels with one of its
    /// values (`label`).
    Labels,
}

impl RuleKind {
    /// Every kind, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::Addresses, Self::Tag, Self::Labels];

    /// The `type` of the rule in Nacos's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Addresses => "beta",
            Self::Tag => "tag",
            Self::Labels => "label",
        }
    }
}

/// A rule: which clients see a variant, and which of several matching variants goes first.
#[derive(Clone, PartialEq, Eq)]
pub struct GrayRule {
    kind: RuleKind,
    expression: Arc<str>,
    priority: i32,
}

impl GrayRule {
    /// The version of the rule language.
    pub const VERSION: &'static str = "1.0.0";
    /// The priority of beta.
    pub const BETA_PRIORITY: i32 = i32::MAX;
    /// The priority of tags.
    pub const TAG_PRIORITY: i32 = i32::MAX - 1;
    /// The most characters of an expression.
    pub const CHARS_MAX: usize = 32_768;

    /// A rule that was checked when it was proposed.
    pub(crate) fn trusted(kind: RuleKind, expression: &str, priority: i32) -> Self {
        Self { kind, expression: expression.into(), priority }
    }

    /// What it looks at.
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// The expression as it was given, for beta the addresses.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The highest priority of those that match goes first.
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// Whether a client is meant.
    pub fn matches(&self, client: &ClientLabels) -> bool {
        match self.kind {
            RuleKind::Addresses => items(&self.expression).any(|address| address == client.ip),
            RuleKind::Tag => client.tag.as_deref() == Some(&*self.expression),
            RuleKind::Labels => self.expression.split('&').all(|term| {
                term.split_once('=').is_some_and(|(label, values)| {
                    client.get(label.trim()).is_some_and(|has| items(values).any(|value| value == has))
                })
            }),
        }
    }
}

impl fmt::Debug for GrayRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?}, {})", self.kind.as_str(), &*self.expression, self.priority)
    }
}

/// The items of a comma-separated list, without blanks around them and without empty ones.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A gray version to publish: its name and its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gray {
    /// The name; an existing version of that name is replaced.
    pub name: GrayName,
    /// Who sees it.
    pub rule: GrayRule,
}

impl Gray {
    /// The most characters of a tag.
    pub const TAG_CHARS_MAX: usize = 16;

    /// The beta version for some addresses, a comma-separated list; `None` if it names none (a formal publication
    /// is meant then). As in Nacos they need not look like addresses.
    pub fn beta(addresses: &str) -> Result<Option<Self>, FieldError> {
        text::check_length("betaIps", addresses, GrayRule::CHARS_MAX)?;
        if items(addresses).next().is_none() {
            return Ok(None);
        }
        let rule = GrayRule::trusted(RuleKind::Addresses, addresses, GrayRule::BETA_PRIORITY);
        Ok(Some(Self { name: GrayName(GrayName::BETA.into()), rule }))
    }

    /// The version of a tag: at most 16 letters, digits and `_-.:`.
    pub fn tag(tag: &str) -> Result<Self, FieldError> {
        text::check_length("tag", tag, Self::TAG_CHARS_MAX)?;
        if tag.is_empty() || !text::is_word(tag) {
            return Err(FieldError::InvalidTag(tag.to_owned()));
        }
        let rule = GrayRule::trusted(RuleKind::Tag, tag, GrayRule::TAG_PRIORITY);
        Ok(Self { name: GrayName(format!("{}{tag}", GrayName::TAG_PREFIX).into()), rule })
    }

    /// A version by name, version of the rule language, expression and priority. The names `beta` and `tag_…` are
    /// of those kinds, with their own priorities; every other is a rule over labels.
    pub fn general(name: &str, version: &str, expression: &str, priority: i32) -> Result<Self, FieldError> {
        let name = GrayName::new(name)?;
        if version != GrayRule::VERSION {
            return Err(FieldError::InvalidGrayVersion(version.to_owned()));
        }
        let invalid = || FieldError::InvalidGrayRule(expression.to_owned());
        if name.is_beta() {
            return Self::beta(expression)?.ok_or_else(invalid);
        }
        if let Some(tag) = name.tag() {
            return if tag == expression { Self::tag(tag) } else { Err(invalid()) };
        }
        text::check_length("grayRule", expression, GrayRule::CHARS_MAX)?;
        let is_readable = expression.split('&').all(|term| {
            term.split_once('=')
                .is_some_and(|(label, values)| !label.trim().is_empty() && items(values).next().is_some())
        });
        if !is_readable {
            return Err(invalid());
        }
        Ok(Self { name, rule: GrayRule::trusted(RuleKind::Labels, expression, priority) })
    }
}
