//! The same questions over HTTP/1.1, as clients of 1.x ask them: one request at a time on each connection.

use crate::{
    bodies,
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::{Call, Client},
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{task::JoinSet, time::Instant};

/// Lists a service of ten instances.
pub(crate) async fn query(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let provider = Session::open(server.grpc(), "naming").await?;
    let hosts: Vec<_> = (0..10).map(|number| bodies::instance(number, 8080, 0)).collect();
    provider.channel().call_ok(bodies::register_batch("bench-http", &hosts)).await?;
    let path = "/nacos/v1/ns/instance/list?serviceName=DEFAULT_GROUP%40%40bench-http";
    let call = Call::new(Method::GET, path);
    same_answer(server, &call, sizes).await?;
    run(server, sizes, &[call], "\"hosts\"", figures).await
}

/// Reads a config of 1 KiB.
pub(crate) async fn config(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let publisher = Session::open(server.grpc(), "config").await?;
    publisher.channel().call_ok(bodies::publish("bench-http", &bodies::content(1))).await?;
    let path = "/nacos/v1/cs/configs?dataId=bench-http&group=DEFAULT_GROUP";
    run(server, sizes, &[Call::new(Method::GET, path)], "bench.mark", figures).await
}

/// Registers an instance, then renews it.
pub(crate) async fn beat(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let instance = "serviceName=DEFAULT_GROUP%40%40bench-http-beat&ip=10.0.0.1&port=8080";
    let mut client = Client::open(server.http()).await?;
    let path = format!("/nacos/v1/ns/instance?{instance}&ephemeral=true");
    let answer = client.call(&Method::POST, &path).await?;
    ensure!(answer.status.is_success(), "the registration was refused: {}", answer.text());
    let path = format!("/nacos/v1/ns/instance/beat?{instance}");
    run(server, sizes, &[Call::new(Method::PUT, path)], "clientBeatInterval", figures).await
}

/// Makes the floor answer a call with the bytes that Muster answered it with earlier in this run, if it has been.
pub(super) async fn same_answer(server: &Server, call: &Call, sizes: &Sizes) -> Result<()> {
    let mut client = Client::open(server.http()).await?;
    if server.is_floor() {
        let answered = sizes.answers.lock().get(call.path()).cloned();
        if let Some(bytes) = answered {
            let seed = Call::new(Method::PUT, format!("/floor{}", call.path())).json(bytes);
            let answer = client.send(&seed).await?;
            ensure!(answer.status.is_success(), "the floor takes no answer: {}", answer.status);
        }
    } else if server.name() == "muster" {
        let answer = client.send(call).await?;
        ensure!(answer.status.is_success(), "{} for {}", answer.status, call.path());
        sizes.answers.lock().insert(call.path().to_owned(), answer.bytes());
    }
    Ok(())
}

/// One of the calls on each connection, over and over; every answer must be a success, the first one must contain
/// `expected`.
pub(super) async fn run(
    server: &Server,
    sizes: &Sizes,
    calls: &[Call],
    expected: &str,
    figures: &mut Figures,
) -> Result<()> {
    let (counting, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut workers = JoinSet::new();
    for connection in 0..sizes.connections {
        let mut client = Client::open(server.http()).await?;
        let call = calls[connection % calls.len()].clone();
        let first = client.send(&call).await?;
        ensure!(first.status.is_success(), "{} gave {}: {}", call.path(), first.status, first.text());
        ensure!(first.text().contains(expected), "{} gave: {}", call.path(), first.text());
        let (counting, stop) = (Arc::clone(&counting), Arc::clone(&stop));
        workers.spawn(async move {
            let mut latencies = Histogram::new();
            while !stop.load(Ordering::Relaxed) {
                let sent = Instant::now();
                let answer = client.send(&call).await?;
                ensure!(answer.status.is_success(), "{} after {}", answer.status, latencies.count());
                if counting.load(Ordering::Relaxed) {
                    latencies.record(sent.elapsed());
                }
            }
            Ok(latencies)
        });
    }
    tokio::time::sleep(sizes.warm_up).await;
    let (cpu_before, start) = (server.process().cpu()?, Instant::now());
    counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(sizes.measure).await;
    counting.store(false, Ordering::Relaxed);
    let (cpu, time) = (server.process().cpu()?.saturating_sub(cpu_before), start.elapsed());
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Histogram::new();
    while let Some(worker) = workers.join_next().await {
        latencies.merge(&worker.context("a connection panicked")??);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let operations = latencies.count() as f64;
    figures.put("cpu", cpu.as_secs_f64() * 1e6 / operations, Unit::Micros);
    figures.put("rate", operations / time.as_secs_f64(), Unit::PerSecond);
    figures.put_latencies(&latencies, Unit::Millis);
    Ok(())
}
