//! Routes as data: one row a path and method, from which requests are dispatched.

use super::{Http, call::Call, reply::Reply, trouble::Family, trouble::Trouble};
use muster_transport::{Surface, Surfaces};
use std::{future::Future, pin::Pin};

/// What a handler gives.
pub(crate) type Handled = Result<Reply, Trouble>;

/// What a handler gives when it is done.
pub(crate) type Later<'a> = Pin<Box<dyn Future<Output = Handled> + Send + 'a>>;

/// What answers a route.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// A function that waits for nothing.
    Now(fn(&Http, &Call) -> Handled),
    /// One that waits: for a write, or for a change.
    Later(for<'a> fn(&'a Http, &'a Call) -> Later<'a>),
    /// None: we lack it on purpose, and say why.
    Lacking(&'static str),
}

/// One method of one path.
pub(crate) struct Route {
    /// GET also answers HEAD where the area does; [`ANY`](Self::ANY) answers all.
    pub(crate) method: &'static str,
    /// What follows the area's prefix: `/instance`, or `/instance/statuses/{key}`, whose last segment is any text.
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    /// Whether it is answered while the node starts. What tells of the server does, what tells of its content does
    /// not: half a state must not look like all of it.
    pub(crate) early: bool,
    /// Where it is found, if not where its area is.
    pub(crate) surfaces: Option<Surfaces>,
}

impl Route {
    /// The method of routes that answer any.
    pub(crate) const ANY: &str = "*";
    /// The path of a route that has all of its area.
    pub(crate) const EVERY_PATH: &str = "/{*}";

    const fn new(method: &'static str, path: &'static str, handler: Handler) -> Self {
        Self { method, path, handler, early: false, surfaces: None }
    }

    pub(crate) const fn get(path: &'static str, handler: Handler) -> Self {
        Self::new("GET", path, handler)
    }

    pub(crate) const fn post(path: &'static str, handler: Handler) -> Self {
        Self::new("POST", path, handler)
    }

    pub(crate) const fn put(path: &'static str, handler: Handler) -> Self {
        Self::new("PUT", path, handler)
    }

    pub(crate) const fn patch(path: &'static str, handler: Handler) -> Self {
        Self::new("PATCH", path, handler)
    }

    pub(crate) const fn delete(path: &'static str, handler: Handler) -> Self {
        Self::new("DELETE", path, handler)
    }

    pub(crate) const fn any(path: &'static str, handler: Handler) -> Self {
        Self::new(Self::ANY, path, handler)
    }

    /// Answered while the node starts, too.
    pub(crate) const fn early(self) -> Self {
        Self { early: true, ..self }
    }

    /// Administration, among what clients call.
    pub(crate) const fn admin(self) -> Self {
        self.on(Surfaces::of(&[Surface::NacosAdmin]))
    }

    /// Found on listeners that show one of these, whatever its area says.
    pub(crate) const fn on(self, surfaces: Surfaces) -> Self {
        Self { surfaces: Some(surfaces), ..self }
    }

    fn is_at(&self, path: &str) -> bool {
        if self.path == Self::EVERY_PATH {
            return true;
        }
        match self.path.split_once('{') {
            None => self.path == path,
            Some((start, _)) => {
                path.strip_prefix(start).is_some_and(|last| !last.is_empty() && !last.contains('/'))
            }
        }
    }

    fn takes(&self, method: &str) -> bool {
        self.method == method || self.method == Self::ANY
    }
}

/// The routes under one prefix, which speak one language.
pub(crate) struct Area {
    /// What their paths begin with, after the context path.
    pub(crate) prefix: &'static str,
    /// How refusals are worded.
    pub(crate) family: Family,
    /// Whether HEAD is answered as GET.
    pub(crate) head: bool,
    /// Whether switches of naming can refuse its requests.
    pub(crate) is_naming: bool,
    /// Where its routes are found, unless a route says otherwise.
    pub(crate) surfaces: Surfaces,
    pub(crate) routes: &'static [Route],
}

impl Area {
    /// The area of a path and what follows its prefix.
    pub(crate) fn of<'a>(areas: &'static [Self], path: &'a str) -> Option<(&'static Self, &'a str)> {
        areas.iter().find_map(|area| {
            let rest = path.strip_prefix(area.prefix)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((area, rest))
        })
    }

    /// The route of a call, whose path goes on after the prefix with `rest`.
    pub(crate) fn route(&self, call: &Call, rest: &str) -> Result<&'static Route, Trouble> {
        let method = if self.head { call.method() } else { call.exact_method() };
        let mut trouble = if call.is_on(self.surfaces) { Trouble::NoPath } else { Trouble::NotHere };
        for route in self.routes.iter().filter(|route| route.is_at(rest)) {
            if !call.is_on(route.surfaces.unwrap_or(self.surfaces)) {
                trouble = Trouble::NotHere;
            } else if route.takes(method) {
                return Ok(route);
            } else {
                trouble = Trouble::NoMethod;
            }
        }
        Err(trouble)
    }
}
