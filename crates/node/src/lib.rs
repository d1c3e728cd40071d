//! The use cases of one node, under all protocols: each a method of [`Node`] in a file of its own. A protocol edge
//! decodes a request, calls one of them, and encodes what it gave.
//!
//! This is where the pure cores meet: `registry`, `configs`, `watch`, behind short locks, with `consensus` in front
//! of everything durable. It knows no wire format, opens no listener, and writes no file itself. Start at [`Node`],
//! then `register_instance.rs`, `publish_config.rs` and `watchers.rs`.

mod accounts;
mod brake;
mod checkpoint;
mod config_capacity;
mod config_contents;
mod config_history;
mod config_listeners;
mod create_service;
mod describe_services;
mod doctor;
mod ensemble;
mod error;
mod eureka;
mod eureka_delta;
mod eureka_owners;
mod eureka_statuses;
mod eureka_views;
mod freshness;
mod health_check;
mod import_configs;
mod labels;
mod levels;
mod list_configs;
mod lock;
mod locks;
mod machine;
mod mirror;
mod namespaces;
mod node;
mod op;
mod peers;
mod publish_config;
mod query_config;
mod query_service;
mod read_map;
mod records;
mod register_instance;
mod search_configs;
mod settings;
mod start;
mod subscribers;
mod switches;
mod take_over;
mod timers;
mod views;
mod watch_names;
mod watchers;

pub use accounts::Account;
pub use checkpoint::CheckpointFigures;
pub use config_capacity::CapacityView;
pub use config_contents::CachedContent;
pub use config_history::{HistoryChange, HistoryFound, HistoryItem};
pub use describe_services::ServiceDescription;
pub use doctor::{CHECKS, DiskSpace, Examination, Facts, Finding, MirrorReport, NodeReport};
pub use ensemble::{
    Candidate, ClusterReport, ClusterWarning, EnsembleError, EnsembleParts, EnsembleView, MemberRecord,
    MemberReport, RemovedNode, TOKEN_LIFETIME, TokenRecord, TokenState, VOTERS_MAX, stored_ensemble,
};
pub use error::NodeError;
pub use eureka::{EurekaOverriding, EurekaRegistration, EurekaRenewal, EurekaRenewing};
pub use eureka_owners::RenewalObserver;
pub use eureka_views::{EurekaDelta, EurekaSnapshot};
pub use import_configs::{CloneItem, ImportPolicy, ImportReport};
pub use locks::LockOp;
pub use muster_consensus::Role;
pub use node::Node;
pub use peers::{
    AskedNode, ClientLoad, ClientTarget, Clients, ClusterStatus, MemberStatus, NodeFigures, PeerState,
};
pub use query_config::FoundConfig;
pub use records::{History, JournalFilter};
pub use search_configs::{ConfigPage, ConfigSearch, Like, PageRequest, ShownConfig};
pub use settings::{QuotaSettings, Settings};
pub use start::NodeParts;
pub use subscribers::{PushCounts, ServiceSubscription};
pub use take_over::{ConfigTakenOver, ForeignConfig, HistoryTakenOver, TakeOverOptions, TakenOver};
pub use views::ServiceView;
pub use watchers::{ConfigInterest, Push, PushRef, ServiceInterest, WatchCounts, Watcher, WatcherKind};

/// What is told of the peers' mirrors, and the settings of mirroring.
pub mod mirroring {
    pub use muster_mirror::{LinkState, PeerCounts, PeerStatus, Position, Settings, Standing, Status};
}

/// What the use cases on configs take and give, of the config core.
pub mod config {
    pub use muster_config::{
        Author, Bounds, CapacityChange, CapacityOf, ClientLabels, Condition, Config, ConfigError, Content,
        ContentKey, Describe, Details, FieldError, Gray, GrayName, GrayRule, HistoryOp, HistoryRow, Outcome,
        Publish, QuotaDefaults, QuotaOf, RemoveTarget, Selection, TakeOver, Variant, VariantName,
    };
}

/// What the use cases on services take and give, of the registry core.
pub mod registry {
    pub use muster_registry::{
        BrakeReport, BrakeRule, BrakesSummary, Checker, ClientSummary, ClusterSpec, Counts, EurekaApp,
        EurekaBase, EurekaEvent, EurekaOwner, EurekaRules, EurekaShown, Filter, LeaseKind, MirrorFigures,
        NamespaceSpec, Outcome, Override, OverrideChange, Page, PublicationSummary, RegistryError, Search,
        Selection, ServiceDetails, ServiceSnapshot, ServiceSpec, ServiceSummary, ShownHost, Threshold,
    };
}

/// What watchers take and give, of the watch core.
pub mod watch {
    pub use muster_watch::{
        FuzzyDelivery, FuzzyMessage, FuzzyPush, Pattern, PatternError, Presence, PushId, SyncKind,
        WatchError, WatcherId,
    };
}
