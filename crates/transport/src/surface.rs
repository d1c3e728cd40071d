//! Which parts of the server a listener shows.

use crate::ConnectionInfo;
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use std::{fmt, str::FromStr};

/// A group of routes that belongs to one kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Surface {
    /// What Nacos clients call: gRPC, and naming and configs over HTTP.
    NacosClient = 1,
    /// What tools call to administer Nacos.
    NacosAdmin = 1 << 1,
    /// What Eureka clients and peers call.
    Eureka = 1 << 2,
    /// Muster's own API.
    MusterAdmin = 1 << 3,
    /// What a browser with the console calls.
    Console = 1 << 4,
    /// Figures for a monitoring system.
    Metrics = 1 << 5,
}

impl Surface {
    /// All of them with their names.
    const NAMED: [(Self, &'static str); 6] = [
        (Self::NacosClient, "nacos-client"),
        (Self::NacosAdmin, "nacos-admin"),
        (Self::Eureka, "eureka"),
        (Self::MusterAdmin, "muster-admin"),
        (Self::Console, "console"),
        (Self::Metrics, "metrics"),
    ];
}

/// A set of surfaces: what a listener shows, or where a route is found. Written as `all` or as names with commas:
/// `nacos-client,metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surfaces(u8);

impl Surfaces {
    /// Everything.
    pub const ALL: Self = Self((1 << Surface::NAMED.len()) - 1);

    /// These.
    pub const fn of(surfaces: &[Surface]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < surfaces.len() {
            bits |= surfaces[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Whether one is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A text that names no surfaces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected all, or some of {} with commas between, found {text:?}", Surfaces::ALL.names().join(", "))]
pub struct SurfaceError {
    text: String,
}

impl Surfaces {
    fn names(self) -> Vec<&'static str> {
        Surface::NAMED
            .iter()
            .filter(|(one, _)| self.meets(Self::of(&[*one])))
            .map(|(_, name)| *name)
            .collect()
    }
}

impl FromStr for Surfaces {
    type Err = SurfaceError;

    fn from_str(text: &str) -> Result<Self, SurfaceError> {
        if text.trim() == "all" {
            return Ok(Self::ALL);
        }
        text.split(',').map(str::trim).try_fold(Self(0), |all, name| {
            let one = Surface::NAMED.iter().find(|(_, known)| *known == name);
            let (one, _) = one.ok_or_else(|| SurfaceError { text: text.to_owned() })?;
            Ok(Self(all.0 | *one as u8))
        })
    }
}

impl fmt::Display for Surfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL { f.write_str("all") } else { f.write_str(&self.names().join(",")) }
    }
}

/// Answers 404 to requests for `router` on a listener that shows none of these surfaces. A route whose speed matters
/// looks into [`ConnectionInfo::surfaces`] by itself.
pub fn only_on<S: Clone + Send + Sync + 'static>(router: Router<S>, surfaces: Surfaces) -> Router<S> {
    router.route_layer(middleware::from_fn(move |request, next| filter(surfaces, request, next)))
}

async fn filter(surfaces: Surfaces, request: Request, next: Next) -> Response {
    let shown =
        request.extensions().get::<ConnectionInfo>().is_some_and(|info| info.surfaces.meets(surfaces));
    if shown { next.run(request).await } else { StatusCode::NOT_FOUND.into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_they_are_read() {
        for text in ["all", "eureka", "nacos-client,console,metrics"] {
            assert_eq!(text.parse::<Surfaces>().unwrap().to_string(), text);
        }
        assert_eq!(" console , eureka ".parse(), Ok(Surfaces::of(&[Surface::Eureka, Surface::Console])));
        for text in ["", "nacos", "eureka,", "all,eureka"] {
            let error = text.parse::<Surfaces>().unwrap_err().to_string();
            assert!(
                error.contains("nacos-client, nacos-admin, eureka, muster-admin, console, metrics"),
                "{error}"
            );
        }
    }

    #[test]
    fn sets_meet_where_they_share_one() {
        let console = Surfaces::of(&[Surface::Console]);
        assert!(Surfaces::ALL.meets(console));
        assert!(!Surfaces::of(&[Surface::Eureka, Surface::Metrics]).meets(console));
    }
}
