//! What all generations do with namespaces: how a request names and describes one, and how it is shown.

use super::{Http, call::Call, refuse, trouble::Trouble};
use muster_model::{ErrorCode, NameError, Namespace};
use muster_nacos_wire::http::{Answer, NamespaceInfo, Refusal, ResultCode};
use muster_node::{
    NodeError,
    registry::{NamespaceSpec, RegistryError},
};

/// What the list says of a namespace's quota: a constant of the original.
const QUOTA: u32 = 200;
/// The most characters of a name, by the check filter.
const NAME_CHARS_MAX: usize = 256;
/// The most characters of an id, by v3's own check; the check filter's 64 holds, too.
const V3_ID_CHARS_MAX: usize = 128;

/// How a generation shows namespaces.
#[derive(Clone, Copy)]
pub(crate) struct NamespaceStyle {
    /// How it spells `public`.
    public: &'static str,
    /// The type of all others.
    custom_type: u32,
}

impl NamespaceStyle {
    /// As v1 and v2 do.
    pub(crate) const OLD: Self = Self { public: "", custom_type: 2 };
    /// As v3 does.
    pub(crate) const V3: Self = Self { public: Namespace::PUBLIC, custom_type: 1 };
}

/// Whether a name has none of the characters that Nacos refuses.
pub(crate) fn is_name(text: &str) -> bool {
    !text.contains(['@', '#', '$', '%', '^', '&', '*'])
}

/// The name of a namespace, as the check filter of v1 and v2 takes it.
pub(crate) fn filtered_name(text: &str) -> Result<&str, Refusal> {
    const WHAT: &str = "namespaceShowName";
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(Refusal::Filter(NameError::TooLong { what: WHAT, max: NAME_CHARS_MAX }.into()));
    }
    if is_name(text) { Ok(text) } else { Err(Refusal::Filter(NameError::IllegalCharacters(WHAT).into())) }
}

/// An id as the check filter of v1 and v2 takes it; blank is `public`, as that word is.
pub(crate) fn filtered_id(text: &str) -> Result<Namespace, Refusal> {
    Namespace::canonical(text.trim()).map_err(|error| Refusal::Filter(error.into()))
}

/// A name that v2 and v3 find missing.
pub(crate) fn form_missing(name: &str) -> Trouble {
    refuse(ErrorCode::ParameterMissing, format!("required parameter '{name}' is missing"))
}

/// A parameter that Spring finds missing before a handler of v2 or v3 runs; blank is there.
pub(crate) fn bound<'a>(call: &'a Call, name: &str) -> Result<&'a str, Trouble> {
    call.parameters.get(name).ok_or_else(|| {
        let text =
            format!("Required request parameter '{name}' for method parameter type String is not present");
        refuse(ErrorCode::ParameterMissing, text)
    })
}

fn illegal(detail: String) -> Trouble {
    let (error, code) = (ErrorCode::InvalidParameter, ResultCode::IllegalNamespace);
    Trouble::Refused(Refusal::Failed { error, code, detail })
}

/// The id of a namespace that v3 creates, `None` if it should be random.
pub(crate) fn v3_new_id(text: Option<&str>) -> Result<Option<Namespace>, Trouble> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    Namespace::new(text).map(Some).map_err(|error| match error {
        NameError::TooLong { max, .. } => {
            let over = if text.chars().count() > V3_ID_CHARS_MAX { V3_ID_CHARS_MAX } else { max };
            illegal(format!("too long namespaceId, over {over}"))
        }
        NameError::Blank(_) | NameError::IllegalCharacters(_) => {
            illegal(format!("namespaceId [{text}] mismatch the pattern"))
        }
    })
}

/// Name and description that a form of v3 has.
pub(crate) fn v3_spec(call: &Call) -> Result<NamespaceSpec, Trouble> {
    let name = call.parameters.first(&["namespaceName"]).ok_or_else(|| form_missing("namespaceName"))?;
    if !is_name(name) {
        return Err(illegal(format!("namespaceName [{name}] contains illegal char")));
    }
    Ok(spec(call, name))
}

/// A name with the description that a request has.
pub(crate) fn spec(call: &Call, name: &str) -> NamespaceSpec {
    let description = call.parameters.get("namespaceDesc").unwrap_or_default();
    NamespaceSpec { name: name.into(), description: description.into() }
}

/// An id that none may have: v1 is told by a word, v2 and v3 by this.
pub(crate) fn exists(error: NodeError, is_v3: bool) -> Trouble {
    let NodeError::Registry(RegistryError::NamespaceExists(id)) = error else { return error.into() };
    if !is_v3 {
        return illegal(format!("the namespaceId is existed, namespaceId: {id}"));
    }
    let detail = if id == Namespace::default() {
        format!("namespaceId [{id}] is default namespace id and already exist.")
    } else {
        format!("namespaceId [{id}] already exist.")
    };
    let (error, code) = (ErrorCode::AlreadyExists, ResultCode::NamespaceExists);
    Trouble::Refused(Refusal::Failed { error, code, detail })
}

impl Http {
    /// All namespaces, `public` first.
    pub(crate) fn with_namespaces(
        &self,
        style: NamespaceStyle,
        answer: impl FnOnce(&[NamespaceInfo<'_>]) -> Answer,
    ) -> Answer {
        let created = self.node.namespaces();
        let mut shown = vec![self.public(style)];
        shown.extend(created.iter().map(|(id, spec)| self.shown(id, spec, style)));
        answer(&shown)
    }

    /// One namespace; `error` is what it is that there is none.
    pub(crate) fn with_namespace(
        &self,
        text: &str,
        style: NamespaceStyle,
        error: ErrorCode,
        answer: impl FnOnce(&NamespaceInfo<'_>) -> Answer,
    ) -> Result<Answer, Trouble> {
        // A text that can be no id is none of any namespace.
        let id = Namespace::canonical(text).ok();
        if id.as_ref().is_some_and(|id| *id == Namespace::default()) {
            return Ok(answer(&self.public(style)));
        }
        match id.and_then(|id| Some((self.node.namespace(&id)?, id))) {
            Some((spec, id)) => Ok(answer(&self.shown(&id, &spec, style))),
            None => Err(Trouble::Refused(Refusal::Failed {
                error,
                code: ResultCode::NamespaceNotExist,
                detail: format!("namespaceId [ {text} ] not exist"),
            })),
        }
    }

    /// Whether an id is taken; blank is none, because it asks for a random one.
    pub(crate) fn has_namespace(&self, text: &str) -> bool {
        let id = Some(text.trim()).filter(|text| !text.is_empty()).and_then(|text| Namespace::new(text).ok());
        id.is_some_and(|id| id == Namespace::default() || self.node.namespace(&id).is_some())
    }

    fn public(&self, style: NamespaceStyle) -> NamespaceInfo<'static> {
        NamespaceInfo {
            namespace: style.public,
            namespace_show_name: Namespace::PUBLIC,
            namespace_desc: Some("Default Namespace"),
            quota: QUOTA,
            config_count: self.node.config_count_in(&Namespace::default()),
            r#type: 0,
        }
    }

    fn shown<'a>(
        &self,
        id: &'a Namespace,
        spec: &'a NamespaceSpec,
        style: NamespaceStyle,
    ) -> NamespaceInfo<'a> {
        NamespaceInfo {
            namespace: id.as_str(),
            namespace_show_name: &spec.name,
            namespace_desc: Some(&*spec.description).filter(|text| !text.is_empty()),
            quota: QUOTA,
            config_count: self.node.config_count_in(id),
            r#type: style.custom_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v3_says_what_is_wrong_with_an_id() {
        let detail = |text: &str| match v3_new_id(Some(text)) {
            Err(Trouble::Refused(Refusal::Failed { detail, .. })) => detail,
            other => panic!("{other:?}"),
        };
        assert_eq!(detail("a.b"), "namespaceId [a.b] mismatch the pattern");
        assert_eq!(detail(&"i".repeat(129)), "too long namespaceId, over 128");
        assert_eq!(detail(&"i".repeat(65)), "too long namespaceId, over 64");
        assert!(matches!(v3_new_id(Some(" ")), Ok(None)));
        assert!(matches!(v3_new_id(Some(" dev ")), Ok(Some(id)) if id.as_str() == "dev"));
    }
}
