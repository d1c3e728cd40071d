//! What can go wrong between a client and its server.

/// Why a request or a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not `host:port`.
    #[error("`{0}` is not an address of the form host:port")]
    Address(String),
    /// No connection: wrong address, server down, or no gRPC there.
    #[error("connect to {address}")]
    Connect {
        /// Where to.
        address: String,
        /// What the transport says.
        #[source]
        source: tonic::transport::Error,
    },
    /// The connection failed under a call. The status is no source: its own words are its cause's, at length.
    #[error("call the server: {}", .0.message())]
    Call(Box<tonic::Status>),
    /// No answer in time.
    #[error("no answer to {0} in time")]
    Timeout(&'static str),
    /// The server refused; codes as in Nacos (300 no such config, 301 not registered, 400, 403, …).
    #[error("the server refused: {message} (code {code})")]
    Refused {
        /// `errorCode`.
        code: i64,
        /// Its words.
        message: String,
    },
    /// The answer is not of the type that belongs to the request, or not readable.
    #[error("unexpected answer `{kind}` to {request}")]
    Unexpected {
        /// The request's type.
        request: &'static str,
        /// The answer's type.
        kind: String,
    },
    /// The server ended the stream.
    #[error("the server closed the connection")]
    Closed,
}

impl ClientError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<i64> {
        if let Self::Refused { code, .. } = self { Some(*code) } else { None }
    }
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}
