//! The two gRPC services, written out as tonic's generator would, with its own codec: not the adapter of Muster,
//! which may know better and would move the yardstick.

use super::answers::Answers;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use http::{Request, Response};
use muster_nacos_wire::grpc::Payload;
use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::mpsc;
use tonic::{
    Status, Streaming,
    body::Body,
    server::{Grpc, NamedService, StreamingService, UnaryService},
};
use tonic_prost::ProstCodec;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// `/Request/request`.
#[derive(Clone)]
pub(crate) struct Unary(Arc<Answers>);

/// `/BiRequestStream/requestBiStream`.
#[derive(Clone)]
pub(crate) struct BiStream(Arc<Answers>);

impl Unary {
    /// Answers with these.
    pub(crate) fn new(answers: Arc<Answers>) -> Self {
        Self(answers)
    }
}

impl BiStream {
    /// Pushes what these push.
    pub(crate) fn new(answers: Arc<Answers>) -> Self {
        Self(answers)
    }
}

impl NamedService for Unary {
    const NAME: &'static str = "Request";
}

impl NamedService for BiStream {
    const NAME: &'static str = "BiRequestStream";
}

impl tower::Service<Request<Body>> for Unary {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call(Arc::clone(&self.0));
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(call, request).await) })
    }
}

impl tower::Service<Request<Body>> for BiStream {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call(Arc::clone(&self.0));
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).streaming(call, request).await) })
    }
}

struct Call(Arc<Answers>);

impl UnaryService<Payload> for Call {
    type Response = Payload;
    type Future = Ready<Result<tonic::Response<Payload>, Status>>;

    fn call(&mut self, request: tonic::Request<Payload>) -> Self::Future {
        ready(self.0.answer(request.get_ref()).map(tonic::Response::new))
    }
}

impl StreamingService<Payload> for Call {
    type Response = Payload;
    type ResponseStream = BoxStream<'static, Result<Payload, Status>>;
    type Future = Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<Payload>>) -> Self::Future {
        let open = Open { pushes: self.0.open_stream(), requests: Some(request.into_inner()) };
        ready(Ok(tonic::Response::new(open.boxed())))
    }
}

/// Sends pushes; what the client sends is read and dropped, and its end is the end.
struct Open {
    pushes: mpsc::Receiver<Result<Payload, Status>>,
    requests: Option<Streaming<Payload>>,
}

impl Stream for Open {
    type Item = Result<Payload, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let open = self.get_mut();
        while let Some(requests) = open.requests.as_mut() {
            match requests.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None | Some(Err(_))) => {
                    open.requests = None;
                    open.pushes.close();
                }
                Poll::Pending => break,
            }
        }
        open.pushes.poll_recv(context)
    }
}
