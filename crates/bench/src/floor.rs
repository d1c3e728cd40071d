//! The floor: an empty tonic handler that parses the JSON body and answers bytes made once.
//!
//! What it costs is what gRPC and JSON cost; a real server cannot be cheaper, only come close. It keeps
//! nothing and knows no service; so that the push rows can be tried against it, a registration in their
//! service is sent to every open stream.

mod answers;
mod service;

use answers::Answers;
use anyhow::{Context, Result};
use service::{BiStream, Unary};
use std::sync::Arc;
use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::server::{Server, TcpIncoming},
};

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let answers = Arc::new(Answers::new());
    let routes =
        Routes::new(Unary::new(Arc::clone(&answers))).add_service(BiStream::new(Arc::clone(&answers)));
    let router = answers::over_http(routes.into_axum_router());
    Server::builder()
        .accept_http1(true)
        .add_routes(Routes::from(router))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .context("serve the floor")
}
