//! Nacos over HTTP: parameters, answers, refusals, and the small grammars of v1.
//!
//! A handler reads [`Parameters`], runs the [`check_filter`], takes what it needs ([`service_of`],
//! [`instance_of`], [`Beat`], [`listening_configs`]), and answers with an [`Answer`]; whatever goes wrong is a
//! [`Refusal`], which each [`Dialect`] words differently.

mod answer;
mod beat;
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
mod server_info;
mod udp;
mod version;

pub use answer::{
    Answer, error_page, page, rest_result, result, result_error, result_text, result_with, write_list,
};
pub use beat::{Beat, beat_answer};
pub use code::ResultCode;
pub use config::{CONFIG_NOT_FOUND, ConfigHeaders, V3Config, config_headers, no_cache_headers, v3_config};
pub use config_admin::{
    CapacityBody, ConfigBasic, ConfigCatalog, ConfigGray, ConfigNumbered, ConfigOf, V3ConfigDetail,
};
pub use config_info::{BetaConfig, ConfigDetail, ConfigInfo, NamespaceConfig};
pub use config_zip::{
    ExportItem, ExportZip, ImportError, ImportItem, ImportLimits, ImportZip, Unrecognized, ZipFormat,
};
pub use core::{ClientConnection, Member, NodeLoad, write_id_list, write_id_map};
pub use date::{compact_date, http_date, iso_date};
pub use filter::check_filter;
pub use history::{ExtraInfo, GrayInfo, HistoryDetail, HistoryInfo, V3History, V3HistoryDetail};
pub use instance::{instance_of, kind_of};
pub use instances::{NamedInstance, named_instances, v1_statuses, v1_updated};
pub use listener::{ListenRecord, ProbeError, changed_text, hold_ms, listening_configs, old_changed_text};
pub use metadata::{MetadataError, parse_metadata};
pub use multipart::file_part;
pub use naming::{service_of, service_of_key, v1_instance, v1_service_names};
pub use parameters::{Parameters, client_address};
pub use percent::{decode, encode};
pub use refusal::{Dialect, Refusal};
pub use server_info::{
    NamespaceInfo, NamingMetrics, ServerState, actuator_health, login_answer, naming_status, write_json,
    write_server_state,
};
pub use udp::{PushAck, push_datagram};
pub use version::{takes_udp_push, wants_probe_header};
