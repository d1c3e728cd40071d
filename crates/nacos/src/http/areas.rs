//! All areas: which prefix is whose.

use super::{
    Http, actuator, lacking,
    route::{Area, Handler, Route},
    trouble::Family,
    v1, v2, v3,
};
use muster_transport::{Surface, Surfaces};

const CLIENT: Surfaces = Surfaces::of(&[Surface::NacosClient]);
const ADMIN: Surfaces = Surfaces::of(&[Surface::NacosAdmin]);
const CONSOLE: Surfaces = Surfaces::of(&[Surface::Console]);
/// Whoever uses one of these logs in first.
const LOGIN: Surfaces = Surfaces::of(&[Surface::NacosClient, Surface::NacosAdmin, Surface::Console]);

const fn area(prefix: &'static str, family: Family, surfaces: Surfaces, routes: &'static [Route]) -> Area {
    Area { prefix, family, head: true, is_naming: false, surfaces, routes }
}

const fn naming(prefix: &'static str, family: Family, surfaces: Surfaces, routes: &'static [Route]) -> Area {
    Area { is_naming: true, ..area(prefix, family, surfaces, routes) }
}

/// What clients ask that are given an `endpoint` instead of servers.
const SERVER_LIST: &[Route] = &[Route::get("", Handler::Now(Http::server_list)).early()];

/// The areas. What clients call often stands first.
pub(crate) const AREAS: &[Area] = &[
    // HEAD is no method of its paths.
    area("/v1/ns/distro", Family::V1Naming, ADMIN, lacking::NODES),
    area("/v1/ns/raft", Family::V1Naming, ADMIN, lacking::NODES),
    Area { head: false, ..naming("/v1/ns", Family::V1Naming, CLIENT, v1::ns::ROUTES) },
    area("/v1/cs/communication", Family::V1Config, ADMIN, lacking::NODES),
    area("/v1/cs", Family::V1Config, CLIENT, v1::cs::ROUTES),
    naming("/v3/client/ns", Family::V3, CLIENT, v3::client::ns::ROUTES),
    area("/v3/client/cs", Family::V3ClientConfig, CLIENT, v3::client::cs::ROUTES),
    area("/v1/console", Family::V1Config, CONSOLE, v1::console::ROUTES),
    area("/v1/core", Family::V1Config, ADMIN, v1::core::ROUTES),
    area("/v1/auth", Family::V1Config, LOGIN, v1::auth::ROUTES),
    naming("/v2/ns", Family::V2, CLIENT, v2::ns::ROUTES),
    area("/v2/cs", Family::V2, CLIENT, v2::cs::ROUTES),
    area("/v2/console", Family::V2, CONSOLE, v2::console::ROUTES),
    area("/v2/core", Family::V2, ADMIN, v2::core::ROUTES),
    naming("/v3/admin/ns", Family::V3, ADMIN, v3::admin::ns::ROUTES),
    area("/v3/admin/cs", Family::V3, ADMIN, v3::admin::cs::ROUTES),
    area("/v3/admin/core/plugin", Family::V3, ADMIN, lacking::PLUGINS),
    area("/v3/console/core/plugin", Family::V3, CONSOLE, lacking::PLUGINS),
    area("/v3/admin/core", Family::V3, ADMIN, v3::admin::core::ROUTES),
    naming("/v3/console/ns", Family::V3, CONSOLE, v3::console::ns::ROUTES),
    area("/v3/console/cs", Family::V3, CONSOLE, v3::console::cs::ROUTES),
    area("/v3/console/core", Family::V3, CONSOLE, v3::console::core::ROUTES),
    area("/v3/console/health", Family::V3, CONSOLE, v3::console::health::ROUTES),
    area("/v3/console/server", Family::V3, CONSOLE, v3::console::server::ROUTES),
    area("/v3/auth", Family::V3, LOGIN, v3::auth::ROUTES),
    area("/v3/client/ai", Family::V3, CLIENT, lacking::AI),
    area("/v3/admin/ai", Family::V3, ADMIN, lacking::AI),
    area("/v3/console/ai", Family::V3, CONSOLE, lacking::AI),
    area("/v1/cmdb", Family::V1Config, ADMIN, lacking::CMDB),
    area("/v1/as", Family::V1Config, ADMIN, lacking::ADDRESS_SERVER),
    area("/serverlist", Family::V1Config, CLIENT, SERVER_LIST),
    area("/actuator", Family::V1Config, Surfaces::ALL, actuator::ROUTES),
];
