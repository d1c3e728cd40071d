//! The console's search by parts of names over many configs.

use crate::{
    bodies,
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::Client,
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use tokio::time::Instant;

/// Publishes in flight while the configs are made.
const IN_FLIGHT: usize = 64;
/// Searches that are timed.
const SEARCHES: usize = 50;

/// Fills the server, then asks for first pages: of names that many have, and of one that few have.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let publisher = Session::open(server.grpc(), "config").await?;
    stream::iter(0..sizes.searched)
        .map(|number| {
            let mut channel = publisher.channel();
            let frame = bodies::publish(&format!("bench-search-{number}.yaml"), &bodies::content(0));
            async move { channel.call_ok(frame).await.map(drop) }
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    let mut client = Client::open(server.http()).await?;
    let mut times = Histogram::new();
    for turn in 0..SEARCHES {
        let pattern = if turn % 2 == 0 { "*search*" } else { "*-99*9.yaml" };
        let path = format!("/nacos/v1/cs/configs?search=blur&dataId={pattern}&group=&pageNo=1&pageSize=10");
        let sent = Instant::now();
        let answer = client.call(&Method::GET, &path).await?;
        times.record(sent.elapsed());
        ensure!(answer.text().contains("pageItems"), "the search gave {}: {}", answer.status, answer.text());
    }
    figures.put_latencies(&times, Unit::Millis);
    Ok(())
}
