//! One config: its variants and which of them a client sees.

use crate::{Author, ClientLabels, ContentKey, GrayName, GrayRule, VariantName};
use muster_model::{ConfigKey, ConfigType, Md5, Revision, Timestamp};

/// What people write about a config; `None` where nothing was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// `desc`, at most 128 characters.
    pub description: Option<String>,
    /// `use`, at most 32.
    pub purpose: Option<String>,
    /// `effect`, at most 32.
    pub effect: Option<String>,
    /// `schema`, at most 32,768.
    pub schema: Option<String>,
}

impl Details {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One published content of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The digest of the content.
    pub md5: Md5,
    /// The type declared with it.
    pub kind: ConfigType,
    /// Bytes of the content.
    pub size: u64,
    /// When it was published.
    pub modified: Timestamp,
    /// Who published it.
    pub author: Author,
    /// The cipher key of an encrypted content, "" if there is none.
    pub encrypted_data_key: String,
    /// The revision it was published at: with the config's key, where the content is.
    pub revision: Revision,
}

/// A config as it was at one revision. Immutable; `Configs` replaces the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) key: ConfigKey,
    pub(crate) id: u64,
    pub(crate) created: Timestamp,
    pub(crate) created_by: Author,
    pub(crate) revision: Revision,
    pub(crate) app_name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) details: Details,
    pub(crate) formal: Option<Variant>,
    /// By priority, highest first, then by name.
    pub(crate) grays: Vec<(GrayName, GrayRule, Variant)>,
}

/// What a client gets of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The variant it sees.
    pub name: VariantName,
    /// The digest of the content.
    pub md5: Md5,
    /// The type to show: the formal version's, if there is one, even for a gray variant (Nacos stores no type with
    /// gray versions; recording `v1-cs-beta`).
    pub kind: ConfigType,
    /// When the variant was published.
    pub modified: Timestamp,
    /// The cipher key of an encrypted content, "" if there is none.
    pub encrypted_data_key: String,
    /// Where the content is.
    pub content: ContentKey,
}

impl Selection {
    /// Whether the beta variant was chosen.
    pub fn is_beta(&self) -> bool {
        matches!(&self.name, VariantName::Gray(name) if name.is_beta())
    }

    /// The tag, if a tag variant was chosen.
    pub fn tag(&self) -> Option<&str> {
        match &self.name {
            VariantName::Gray(name) => name.tag(),
            VariantName::Formal => None,
        }
    }
}

impl Config {
    /// The key.
    pub fn key(&self) -> &ConfigKey {
        &self.key
    }

    /// What numbers of configs begin above: tools take small ones for numbers of nothing (recordings `v1-cs-history`,
    /// `v1-cs-clone`), as the original's have eighteen digits. Configs of before this was so keep theirs.
    pub(crate) const ID_BASE: u64 = 1_000_000_000_000;

    /// A number that stays the same while the config exists, and is no other config's: its place in the log when it was
    /// created, above `ID_BASE`.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When it was created.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// Who created it.
    pub fn created_by(&self) -> &Author {
        &self.created_by
    }

    /// The revision of the last change of any variant.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The application it belongs to, "" if none was named.
    pub fn app_name(&self) -> &str {
        &self.app_name
    }

    /// Tags to find it by.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// What people wrote about it.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The formal version.
    pub fn formal(&self) -> Option<&Variant> {
        self.formal.as_ref()
    }

    /// The gray versions, highest priority first.
    pub fn grays(&self) -> impl ExactSizeIterator<Item = (&GrayName, &GrayRule, &Variant)> {
        self.grays.iter().map(|(name, rule, variant)| (name, rule, variant))
    }

    /// A gray version by name.
    pub fn gray(&self, name: &str) -> Option<(&GrayRule, &Variant)> {
        self.grays().find(|(other, ..)| other.as_str() == name).map(|(_, rule, variant)| (rule, variant))
    }

    /// Where a variant's content is.
    pub fn content_of(&self, variant: &Variant) -> ContentKey {
        ContentKey { key: self.key.clone(), revision: variant.revision }
    }

    /// What a client sees: the gray variant of the highest priority whose rule matches it, else the formal one;
    /// `None` if there is neither.
    pub fn select(&self, client: &ClientLabels) -> Option<Selection> {
        let gray = self.grays.iter().find(|(_, rule, _)| rule.matches(client));
        match gray {
            Some((name, _, variant)) => Some(self.selection(VariantName::Gray(name.clone()), variant)),
            None => self.formal.as_ref().map(|variant| self.selection(VariantName::Formal, variant)),
        }
    }

    /// What a client sees that asks for a tag: that variant or nothing.
    pub fn select_tag(&self, tag: &str) -> Option<Selection> {
        let (name, _, variant) = self.grays.iter().find(|(name, ..)| name.tag() == Some(tag))?;
        Some(self.selection(VariantName::Gray(name.clone()), variant))
    }

    /// What a variant is to a client, by its name: for those that administer.
    pub fn select_variant(&self, name: &VariantName) -> Option<Selection> {
        let variant = match name {
            VariantName::Formal => self.formal.as_ref(),
            VariantName::Gray(gray) => self.gray(gray.as_str()).map(|(_, variant)| variant),
        }?;
        Some(self.selection(name.clone(), variant))
    }

    fn selection(&self, name: VariantName, variant: &Variant) -> Selection {
        Selection {
            name,
            md5: variant.md5,
            kind: self.formal.as_ref().map_or(variant.kind, |formal| formal.kind),
            modified: variant.modified,
            encrypted_data_key: variant.encrypted_data_key.clone(),
            content: self.content_of(variant),
        }
    }
}
