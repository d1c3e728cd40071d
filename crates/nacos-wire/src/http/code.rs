//! The codes of the v2 and v3 wrappers (`api:model/v2/ErrorCode.java`).

macro_rules! codes {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        /// A `code` of a v2/v3 answer; [`message`](Self::message) is its fixed text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum ResultCode {
            $(#[doc = $message] $name = $code,)*
        }

        impl ResultCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its text.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

codes! {
    Success = 0, "success";
    ParameterMissing = 10000, "parameter missing";
    AccessDenied = 10001, "access denied";
    DataAccess = 10002, "data access error";
    Tenant = 20001, "'tenant' parameter error";
    ParameterValidate = 20002, "parameter validate error";
    MediaType = 20003, "MediaType Error";
    NotFound = 20004, "resource not found";
    Conflict = 20005, "resource conflict";
    ListenerNull = 20006, "config listener is null";
    Listener = 20007, "config listener error";
    InvalidDataId = 20008, "invalid dataId";
    ParameterMismatch = 20009, "parameter mismatch";
    GrayOverMax = 20010, "config gray version version over max count";
    GrayRuleFormat = 20011, "config gray rule format invalid";
    GrayRuleVersion = 20012, "config gray rule version invalid";
    GrayName = 20013, "config gray name not recognized";
    ClusterQuota = 5031, "cluster capacity reach quota";
    GroupQuota = 5032, "group capacity reach quota";
    TenantQuota = 5033, "tenant capacity reach quota";
    ContentSize = 5034, "config content size is over limit";
    ServiceName = 21000, "service name error";
    Weight = 21001, "weight error";
    InstanceMetadata = 21002, "instance metadata error";
    InstanceNotFound = 21003, "instance not found";
    Instance = 21004, "instance error";
    ServiceMetadata = 21005, "service metadata error";
    Selector = 21006, "selector error";
    ServiceExists = 21007, "service already exist";
    ServiceNotExist = 21008, "service not exist";
    ServiceDelete = 21009, "service delete failure";
    HealthyMissing = 21010, "healthy param miss";
    HealthCheckRunning = 21011, "health check still running";
    IllegalNamespace = 22000, "illegal namespace";
    NamespaceNotExist = 22001, "namespace not exist";
    NamespaceExists = 22002, "namespace already exist";
    IllegalState = 23000, "illegal state";
    NodeInfo = 23001, "node info error";
    NodeDown = 23002, "node down failure";
    ServerError = 30000, "server error";
    ApiDeprecated = 40000, "API deprecated.";
    ApiDisabled = 40001, "API function disabled.";
    FuzzyPatterns = 50310, "fuzzy watch pattern over limit";
    FuzzyMatches = 50311, "fuzzy watch pattern matched count over limit";
    ImportMetadata = 100002, "Imported metadata is invalid";
    ImportNoData = 100003, "No valid data was read";
    ImportParse = 100004, "Failed to parse data";
    ImportEmpty = 100005, "Imported file data is empty";
    NoSelection = 100006, "No configuration selected";
}

impl ResultCode {
    /// The number on the wire.
    pub fn number(self) -> u32 {
        self as u32
    }
}
