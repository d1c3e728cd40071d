//! Which endpoint a path is.

use crate::{query::decode, settings::EurekaSettings};
use http::Method;
use muster_model::{GroupName, Namespace};
use muster_node::registry::EurekaBase;
use std::borrow::Cow;

/// Where everything is found.
pub(crate) const PATH: &str = "/eureka";

/// An endpoint with what stands in its path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Endpoint<'a> {
    /// `apps`.
    Apps,
    /// `apps/delta`.
    Delta,
    /// `apps/{app}`.
    App(Cow<'a, str>),
    /// `apps/{app}/{id}`.
    Item(Cow<'a, str>, Cow<'a, str>),
    /// `apps/{app}/{id}/status`.
    ItemStatus(Cow<'a, str>, Cow<'a, str>),
    /// `apps/{app}/{id}/metadata`.
    ItemMetadata(Cow<'a, str>, Cow<'a, str>),
    /// `instances/{id}`.
    Instance(Cow<'a, str>),
    /// `vips/{vip}`.
    Vip(Cow<'a, str>),
    /// `svips/{vip}`.
    SecureVip(Cow<'a, str>),
    /// `asg/{name}/status`.
    ScalingGroup,
    /// `peerreplication/batch`.
    Batch,
    /// `status`.
    Status,
}

impl Endpoint<'_> {
    /// Whether a method is one of the endpoint's.
    pub(crate) fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Apps
            | Self::Delta
            | Self::Instance(_)
            | Self::Vip(_)
            | Self::SecureVip(_)
            | Self::Status => *method == Method::GET || *method == Method::HEAD,
            Self::App(_) => [Method::GET, Method::HEAD, Method::POST].contains(method),
            Self::Item(..) => [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(method),
            Self::ItemStatus(..) => [Method::PUT, Method::DELETE].contains(method),
            Self::ItemMetadata(..) | Self::ScalingGroup => *method == Method::PUT,
            Self::Batch => *method == Method::POST,
        }
    }
}

/// A path that is one of ours: the view it is about, if it names one, and the endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) base: Option<EurekaBase>,
    pub(crate) endpoint: Endpoint<'a>,
}

/// Finds the endpoint of a path: `/eureka[/v2][/ns/{namespace}[/group/{group}]]/…`, the same below the extra path. A
/// slash at the end is passed over.
pub(crate) fn find<'a>(settings: &EurekaSettings, path: &'a str) -> Option<Route<'a>> {
    let under = |root: &str| path.strip_prefix(root)?.strip_prefix('/');
    let extra = || if settings.extra_path.is_empty() { None } else { under(&settings.extra_path) };
    let rest = under(PATH).or_else(extra)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (base, rest) = based(rest.strip_prefix("v2/").unwrap_or(rest))?;
    Some(Route { base, endpoint: endpoint(rest)? })
}

/// Splits off the names of a view. Names that are none are of no view.
fn based(rest: &str) -> Option<(Option<EurekaBase>, &str)> {
    let Some(named) = rest.strip_prefix("ns/") else { return Some((None, rest)) };
    let (namespace, rest) = named.split_once('/')?;
    let namespace = Namespace::canonical(&decode(namespace, false)).ok()?;
    let (group, rest) = match rest.strip_prefix("group/") {
        Some(named) => {
            let (group, rest) = named.split_once('/')?;
            (GroupName::new(&decode(group, false)).ok()?, rest)
        }
        None => (GroupName::default(), rest),
    };
    Some((Some(EurekaBase { namespace, group }), rest))
}

fn endpoint(rest: &str) -> Option<Endpoint<'_>> {
    let mut segments = rest.split('/');
    let first = segments.next()?;
    let mut next = || segments.next().map(|segment| decode(segment, false));
    let parts = (next(), next(), next(), next());
    if [&parts.0, &parts.1, &parts.2].into_iter().flatten().any(|part| part.is_empty()) {
        return None;
    }
    match (first, parts) {
        ("apps", (None, ..)) => Some(Endpoint::Apps),
        ("apps", (Some(app), None, ..)) => {
            Some(if app == "delta" { Endpoint::Delta } else { Endpoint::App(app) })
        }
        ("apps", (Some(app), Some(id), None, _)) => Some(Endpoint::Item(app, id)),
        ("apps", (Some(app), Some(id), Some(what), None)) => match &*what {
            "status" => Some(Endpoint::ItemStatus(app, id)),
            "metadata" => Some(Endpoint::ItemMetadata(app, id)),
            _ => None,
        },
        ("instances", (Some(id), None, ..)) => Some(Endpoint::Instance(id)),
        ("vips", (Some(vip), None, ..)) => Some(Endpoint::Vip(vip)),
        ("svips", (Some(vip), None, ..)) => Some(Endpoint::SecureVip(vip)),
        ("asg", (Some(_), Some(what), None, _)) if what == "status" => Some(Endpoint::ScalingGroup),
        ("peerreplication", (Some(what), None, ..)) if what == "batch" => Some(Endpoint::Batch),
        ("status", (None, ..)) => Some(Endpoint::Status),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint_of(path: &str) -> Option<Endpoint<'_>> {
        find(&EurekaSettings::default(), path).map(|route| route.endpoint)
    }

    #[test]
    fn paths_are_found_with_and_without_slash_and_version() {
        let item = || Some(Endpoint::Item("A".into(), "h1:a:80".into()));
        for path in [
            "/eureka/apps/A/h1:a:80",
            "/eureka/apps/A/h1%3Aa%3A80/",
            "/eureka/v2/apps/A/h1:a:80",
            "/eureka/ns/dev/apps/A/h1:a:80",
            "/eureka/v2/ns/dev/group/g/apps/A/h1:a:80/",
        ] {
            assert_eq!(endpoint_of(path), item(), "{path}");
        }
        assert_eq!(endpoint_of("/eureka/apps/"), Some(Endpoint::Apps));
        assert_eq!(endpoint_of("/eureka/apps/delta"), Some(Endpoint::Delta));
        assert_eq!(endpoint_of("/eureka/apps/DELTA"), Some(Endpoint::App("DELTA".into())));
        assert_eq!(endpoint_of("/eureka/peerreplication/batch/"), Some(Endpoint::Batch));
    }

    #[test]
    fn other_paths_are_none() {
        for path in [
            "/eureka",
            "/eureka/",
            "/eureka//apps",
            "/eureka/v1/apps",
            "/v2/apps",
            "/apps",
            "/eurekaapps",
            "/eureka/vips/",
            "/eureka/apps//x",
            "/eureka/apps/a/b/c",
            "/eureka/apps/a/b/status/x",
            "/eureka/apps/a/b/status/x/y",
            "/eureka/ns/apps",
            "/eureka/ns/a b/apps",
            "/eureka/serverinfo/statusoverrides",
        ] {
            assert_eq!(endpoint_of(path), None, "{path}");
        }
    }

    #[test]
    fn a_view_is_named_by_the_path() {
        let settings = EurekaSettings { extra_path: "/registry".into(), ..EurekaSettings::default() };
        let base = |path| find(&settings, path).unwrap().base;
        let dev = |group: &str| {
            Some(EurekaBase {
                namespace: Namespace::new("dev").unwrap(),
                group: GroupName::new(group).unwrap(),
            })
        };
        assert_eq!(base("/registry/apps"), None);
        assert_eq!(base("/eureka/ns/dev/apps"), dev("DEFAULT_GROUP"));
        assert_eq!(base("/registry/v2/ns/dev/group/g/apps/delta"), dev("g"));
    }
}
