//! Nacos over HTTP: parameters, answers, refusals, and the small grammars of v1.
//!
//! A handler reads [`Parameters`], runs the [`check_filter`], takes what it needs ([`service_of`],
//! [`instance_of`], [`Beat`], [`listening_configs`]), and answers with an [`Answer`]; whatever goes wrong is a
//! [`Refusal`], which each [`Dialect`] words differently.

mod answer;
mod beat;
mod checker;
mod client;
mod code;
mod config;
mod config_admin;
mod config_info;
mod config_zip;
mod core;
mod date;
mod filter;
mod history;
mod instance;
mod instances;
mod listener;
mod metadata;
mod multipart;
mod naming;
mod parameters;
mod percent;
mod refusal;
mod selector;
mod server_info;
mod service;
mod switches;
mod udp;
mod version;

pub use answer::{
    Answer, error_page, naming_page, page, rest_result, result, result_error, result_text, result_with,
    write_list,
};
pub use beat::{Beat, beat_answer};
pub use checker::{CHECKERS, HealthChecker};
pub use client::{ClientDetail, Published, Subscriber, subscribers};
pub use code::ResultCode;
pub use config::{CONFIG_NOT_FOUND, ConfigHeaders, V3Config, config_headers, no_cache_headers, v3_config};
pub use config_admin::{
    CapacityBody, ConfigBasic, ConfigCatalog, ConfigGray, ConfigNumbered, ConfigOf, V3ConfigDetail,
};
pub use config_info::{BetaConfig, ConfigDetail, ConfigInfo, NamespaceConfig};
pub use config_zip::{
    ExportItem, ExportZip, ImportError, ImportItem, ImportLimits, ImportZip, Unrecognized, ZipFormat,
};
pub use core::{ClientConnection, Member, NodeLoad, NodeLoads, RaftGroup, write_id_list, write_id_map};
pub use date::{compact_date, http_date, iso_date};
pub use filter::check_filter;
pub use history::{ExtraInfo, GrayInfo, HistoryDetail, HistoryInfo, V3History, V3HistoryDetail};
pub use instance::{flag, instance_of, kind_of, weight};
pub use instances::{NamedInstance, named_instances, statuses, updated};
pub use listener::{ListenRecord, ProbeError, changed_text, hold_ms, listening_configs, old_changed_text};
pub use metadata::{MetadataError, parse_metadata};
pub use multipart::file_part;
pub use naming::{service_of, service_of_key, service_of_key_text, v1_instance, v1_service_names};
pub use parameters::{Parameters, client_address};
pub use percent::{decode, decode_path, encode};
pub use refusal::{Dialect, Refusal};
pub use selector::{SELECTOR_TYPES, parse_selector};
pub use server_info::{
    NamespaceInfo, NamingMetrics, ServerState, actuator_health, login_answer, naming_metrics,
    responsible_server, server_message, write_json, write_server_state,
};
pub use service::{
    ClusterBody, ServiceBody, ServiceHosts, ServiceRow, catalog_instances, service_detail, service_hosts,
    service_names, service_row, service_rows, v1_all_names, v1_catalog_service, v1_service, v2_instance,
};
pub use switches::{PushState, push_state, switch_text, switches};
pub use udp::{PushAck, push_datagram};
pub use version::{takes_udp_push, wants_probe_header};
