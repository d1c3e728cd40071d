//! The rows in which as many requests as possible are sent and the server's CPU time for one is measured.

use crate::{
    bodies,
    figures::Figures,
    load::{self, Slot},
    server::Server,
    session::{self, Session},
    sizes::Sizes,
    wire,
};
use anyhow::{Result, ensure};
use bytes::Bytes;

/// Services that all connections register in.
const REGISTER_SERVICES: u64 = 32;
/// Services and configs that are queried in turn.
const QUERIED: u32 = 10;
/// Different contents published to one config in turn.
const CONTENTS: u64 = 8;

/// Each connection registers its instance in 32 services, with another port each time round.
pub(crate) async fn register(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let sessions = session::open_many(server.grpc(), "naming", sizes.connections).await?;
    load::closed_loop(register_slots(&sessions, sizes), server.process(), sizes).await?.put(figures);
    Ok(())
}

/// What these connections register.
pub(super) fn register_slots(sessions: &[Session], sizes: &Sizes) -> Vec<Slot> {
    slots(sessions, sizes, |connection, slot| {
        let mut frames = Vec::new();
        for port in [8080, 8081] {
            for service in
                (0..REGISTER_SERVICES).filter(|service| *service as usize % sizes.in_flight == slot)
            {
                let number = u32::try_from(connection).unwrap_or(u32::MAX);
                let instance = bodies::instance(number, port, service);
                frames.push(bodies::register(&format!("bench-register-{service}"), &instance));
            }
        }
        frames
    })
}

/// Queries services of `size` instances that do not change.
pub(crate) async fn query(server: &Server, sizes: &Sizes, size: u32, figures: &mut Figures) -> Result<()> {
    let provider = Session::open(server.grpc(), "naming").await?;
    let names: Vec<String> = (0..QUERIED).map(|number| format!("bench-query-{size}-{number}")).collect();
    for name in &names {
        let instances: Vec<_> = (0..size).map(|number| bodies::instance(number, 8080, 1)).collect();
        provider.channel().call_ok(bodies::register_batch(name, &instances)).await?;
        let answer = provider.channel().call_ok(bodies::query(name)).await?;
        let hosts = answer.windows(6).filter(|window| window == b"\"ip\":\"").count();
        ensure!(hosts == size as usize, "{name} has {hosts} hosts instead of {size}");
    }
    let frames: Vec<Bytes> = names.iter().map(|name| bodies::query(name)).collect();
    let sessions = session::open_many(server.grpc(), "naming", sizes.connections).await?;
    let slots = slots(&sessions, sizes, |connection, slot| rotated(&frames, connection + slot));
    load::closed_loop(slots, server.process(), sizes).await?.put(figures);
    Ok(())
}

/// Queries configs of 1 KiB that do not change.
pub(crate) async fn config_query(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let sessions = session::open_many(server.grpc(), "config", sizes.connections).await?;
    let mut frames = Vec::new();
    for number in 0..QUERIED {
        let name = format!("bench-config-{number}");
        let mut channel = sessions[0].channel();
        channel.call_ok(bodies::publish(&name, &bodies::content(u64::from(number)))).await?;
        let answer = channel.call_ok(bodies::config_query(&name)).await?;
        ensure!(answer.len() > 1024, "{name} is not there: {}", String::from_utf8_lossy(&answer));
        frames.push(bodies::config_query(&name));
    }
    let slots = slots(&sessions, sizes, |connection, slot| rotated(&frames, connection + slot));
    load::closed_loop(slots, server.process(), sizes).await?.put(figures);
    Ok(())
}

/// Publishes 1 KiB, each slot to its own config, another content each time.
pub(crate) async fn publish(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let sessions = session::open_many(server.grpc(), "config", sizes.connections).await?;
    load::closed_loop(publish_slots(&sessions, sizes), server.process(), sizes).await?.put(figures);
    Ok(())
}

/// What these connections publish.
pub(super) fn publish_slots(sessions: &[Session], sizes: &Sizes) -> Vec<Slot> {
    slots(sessions, sizes, |connection, slot| {
        let name = format!("bench-publish-{connection}-{slot}");
        (0..CONTENTS).map(|mark| bodies::publish(&name, &bodies::content(mark))).collect()
    })
}

/// The slots of all connections, each with the frames that `frames(connection, slot)` gives.
fn slots(sessions: &[Session], sizes: &Sizes, frames: impl Fn(usize, usize) -> Vec<Bytes>) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(sessions.len() * sizes.in_flight);
    for (connection, session) in sessions.iter().enumerate() {
        for slot in 0..sizes.in_flight {
            let (channel, frames) = (session.channel(), frames(connection, slot));
            slots.push(Slot { channel, frames, is_success: wire::succeeded });
        }
    }
    slots
}

fn rotated(frames: &[Bytes], by: usize) -> Vec<Bytes> {
    let mut frames = frames.to_vec();
    let by = by % frames.len();
    frames.rotate_left(by);
    frames
}
