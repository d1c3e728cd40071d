//! All areas: which prefix is whose.

use super::{actuator, route::Area, trouble::Family, v1, v2, v3};

const fn area(prefix: &'static str, family: Family, routes: &'static [super::route::Route]) -> Area {
    Area { prefix, family, head: true, routes }
}

/// The areas. What clients call often stands first.
pub(crate) const AREAS: &[Area] = &[
    // HEAD is no method of its paths.
    Area { prefix: "/v1/ns", family: Family::V1Naming, head: false, routes: v1::ns::ROUTES },
    area("/v1/cs", Family::V1Config, v1::cs::ROUTES),
    area("/v3/client/ns", Family::V3, v3::client::ns::ROUTES),
    area("/v3/client/cs", Family::V3ClientConfig, v3::client::cs::ROUTES),
    area("/v1/console", Family::V1Config, v1::console::ROUTES),
    area("/v1/core", Family::V1Config, v1::core::ROUTES),
    area("/v1/auth", Family::V1Config, v1::auth::ROUTES),
    area("/v2/ns", Family::V2, v2::ns::ROUTES),
    area("/v2/cs", Family::V2, v2::cs::ROUTES),
    area("/v2/console", Family::V2, v2::console::ROUTES),
    area("/v2/core", Family::V2, v2::core::ROUTES),
    area("/v3/admin/ns", Family::V3, v3::admin::ns::ROUTES),
    area("/v3/admin/cs", Family::V3, v3::admin::cs::ROUTES),
    area("/v3/admin/core", Family::V3, v3::admin::core::ROUTES),
    area("/v3/console/ns", Family::V3, v3::console::ns::ROUTES),
    area("/v3/console/cs", Family::V3, v3::console::cs::ROUTES),
    area("/v3/console/core", Family::V3, v3::console::core::ROUTES),
    area("/v3/console/health", Family::V3, v3::console::health::ROUTES),
    area("/v3/console/server", Family::V3, v3::console::server::ROUTES),
    area("/v3/auth", Family::V3, v3::auth::ROUTES),
    area("/actuator", Family::V1Config, actuator::ROUTES),
];
