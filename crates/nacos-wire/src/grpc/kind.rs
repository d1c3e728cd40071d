//! The closed set of types: what clients may ask, what servers push.

use std::fmt;

macro_rules! request_types {
    ($($(#[$doc:meta])* $name:ident = $request:literal => $response:literal,)*) => {
        /// What a client may send, by the type name of the payload.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RequestType { $($(#[$doc])* $name,)* }

        impl RequestType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The type of a name, exact in case; `None` is answered with [`Failure::no_handler`](super::Failure::no_handler).
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($request => Some(Self::$name),)* _ => None }
            }

            /// The type name of the request.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $request,)* }
            }

            /// The type name of its answer, success or typed failure: Go panics on any other.
            pub fn response(self) -> &'static str {
                match self { $(Self::$name => $response,)* }
            }
        }
    };
}

request_types! {
    /// Answered on any connection, registered or not.
    ServerCheck = "ServerCheckRequest" => "ServerCheckResponse",
    /// Answered on registered connections only.
    HealthCheck = "HealthCheckRequest" => "HealthCheckResponse",
    /// Comes on the stream, has no answer; as a unary call it has no handler.
    ConnectionSetup = "ConnectionSetupRequest" => "ErrorResponse",
    /// Register or deregister an ephemeral instance.
    Instance = "InstanceRequest" => "InstanceResponse",
    /// Replace the connection's publication by a batch.
    BatchInstance = "BatchInstanceRequest" => "BatchInstanceResponse",
    /// Register or deregister a persistent instance.
    PersistentInstance = "PersistentInstanceRequest" => "InstanceResponse",
    /// The hosts of a service.
    ServiceQuery = "ServiceQueryRequest" => "QueryServiceResponse",
    /// The names of a group's services.
    ServiceList = "ServiceListRequest" => "ServiceListResponse",
    /// Watch a service, or stop.
    SubscribeService = "SubscribeServiceRequest" => "SubscribeServiceResponse",
    /// Watch a pattern of services, or stop.
    NamingFuzzyWatch = "NamingFuzzyWatchRequest" => "NamingFuzzyWatchResponse",
    /// Read a config.
    ConfigQuery = "ConfigQueryRequest" => "ConfigQueryResponse",
    /// Write a config.
    ConfigPublish = "ConfigPublishRequest" => "ConfigPublishResponse",
    /// Remove a config.
    ConfigRemove = "ConfigRemoveRequest" => "ConfigRemoveResponse",
    /// Watch configs, or stop.
    ConfigBatchListen = "ConfigBatchListenRequest" => "ConfigChangeBatchListenResponse",
    /// Watch a pattern of configs, or stop.
    ConfigFuzzyWatch = "ConfigFuzzyWatchRequest" => "ConfigFuzzyWatchResponse",
    /// Take or leave a lock.
    LockOperation = "LockOperationRequest" => "LockOperationResponse",
    /// Members of Nacos clusters only.
    ServerLoaderInfo = "ServerLoaderInfoRequest" => "ServerLoaderInfoResponse",
    /// Members of Nacos clusters only.
    ServerReload = "ServerReloadRequest" => "ServerReloadResponse",
    /// Members of Nacos clusters only.
    MemberReport = "MemberReportRequest" => "MemberReportResponse",
    /// Members of Nacos clusters only.
    DistroData = "DistroDataRequest" => "DistroDataResponse",
    /// Members of Nacos clusters only.
    ConfigChangeClusterSync = "ConfigChangeClusterSyncRequest" => "ConfigChangeClusterSyncResponse",
}

impl RequestType {
    /// Whether only members of a Nacos cluster may send it: clients are refused with
    /// [`Failure::forbidden_source`](super::Failure::forbidden_source) before anything else is checked.
    pub fn is_cluster_only(self) -> bool {
        matches!(
            self,
            Self::ServerLoaderInfo
                | Self::ServerReload
                | Self::MemberReport
                | Self::DistroData
                | Self::ConfigChangeClusterSync
        )
    }

    /// Whether it belongs on the stream and has no unary handler.
    pub fn is_stream_only(self) -> bool {
        self == Self::ConnectionSetup
    }
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a server sends on the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PushType {
    /// Answer to a set-up with an ability table; never acknowledged.
    SetupAck,
    /// Are you there?
    ClientDetection,
    /// Move to another server.
    ConnectReset,
    /// The hosts of a watched service.
    NotifySubscriber,
    /// A batch of keys a naming pattern matches.
    NamingFuzzyWatchSync,
    /// A service appeared or vanished.
    NamingFuzzyWatchChangeNotify,
    /// A watched config changed.
    ConfigChangeNotify,
    /// A batch of keys a config pattern matches.
    ConfigFuzzyWatchSync,
    /// A config appeared or vanished.
    ConfigFuzzyWatchChangeNotify,
    /// What does your cache hold?
    ClientConfigMetric,
}

impl PushType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::SetupAck,
        Self::ClientDetection,
        Self::ConnectReset,
        Self::NotifySubscriber,
        Self::NamingFuzzyWatchSync,
        Self::NamingFuzzyWatchChangeNotify,
        Self::ConfigChangeNotify,
        Self::ConfigFuzzyWatchSync,
        Self::ConfigFuzzyWatchChangeNotify,
        Self::ClientConfigMetric,
    ];

    /// The type of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The type name of the push.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetupAck => "SetupAckRequest",
            Self::ClientDetection => "ClientDetectionRequest",
            Self::ConnectReset => "ConnectResetRequest",
            Self::NotifySubscriber => "NotifySubscriberRequest",
            Self::NamingFuzzyWatchSync => "NamingFuzzyWatchSyncRequest",
            Self::NamingFuzzyWatchChangeNotify => "NamingFuzzyWatchChangeNotifyRequest",
            Self::ConfigChangeNotify => "ConfigChangeNotifyRequest",
            Self::ConfigFuzzyWatchSync => "ConfigFuzzyWatchSyncRequest",
            Self::ConfigFuzzyWatchChangeNotify => "ConfigFuzzyWatchChangeNotifyRequest",
            Self::ClientConfigMetric => "ClientConfigMetricRequest",
        }
    }

    /// The type name a client acknowledges it with; servers must accept any.
    pub fn response(self) -> &'static str {
        match self {
            Self::SetupAck => "SetupAckResponse",
            Self::ClientDetection => "ClientDetectionResponse",
            Self::ConnectReset => "ConnectResetResponse",
            Self::NotifySubscriber => "NotifySubscriberResponse",
            Self::NamingFuzzyWatchSync | Self::NamingFuzzyWatchChangeNotify => {
                "NamingFuzzyWatchChangeNotifyResponse"
            }
            Self::ConfigChangeNotify => "ConfigChangeNotifyResponse",
            Self::ConfigFuzzyWatchSync => "ConfigFuzzyWatchSyncResponse",
            Self::ConfigFuzzyWatchChangeNotify => "ConfigFuzzyWatchChangeNotifyResponse",
            Self::ClientConfigMetric => "ClientConfigMetricResponse",
        }
    }

    /// The `module` its body carries.
    pub fn module(self) -> &'static str {
        match self {
            Self::SetupAck | Self::ClientDetection | Self::ConnectReset => "internal",
            Self::NotifySubscriber | Self::NamingFuzzyWatchSync | Self::NamingFuzzyWatchChangeNotify => {
                "naming"
            }
            Self::ConfigChangeNotify
            | Self::ConfigFuzzyWatchSync
            | Self::ConfigFuzzyWatchChangeNotify
            | Self::ClientConfigMetric => "config",
        }
    }
}
