//! Following a peer: a link is made over and over, and what comes on it is given to the replica.

use crate::{
    Buckets, Digest, LinkState, Position, Refused,
    heard::{closed, silence, unexpected},
    message::{Beat, Down, Up},
    peer::Peer,
    shared::Shared,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use muster_model::Origin;
use muster_peer::{Link, LinkReader, LinkWriter, Purpose};
use parking_lot::Mutex;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Renewals in one frame at most.
const RENEWALS_MAX: usize = 1_024;

/// Follows a peer for as long as it is a member and the node runs.
pub(crate) async fn follow(shared: Arc<Shared>, peer: Arc<Peer>) {
    tokio::select! {
        biased;
        () = peer.stop.cancelled() => {}
        () = over_and_over(&shared, &peer) => {}
    }
}

async fn over_and_over(shared: &Shared, peer: &Peer) {
    loop {
        // Begins now, so that a link that held is part of the pause.
        let pause = tokio::time::sleep(shared.settings.reconnect);
        let link = connect(shared, peer).await;
        let error = Following::new(shared, peer).run(link).await;
        tracing::info!(node = peer.node.0, %error, "the link to a peer ended");
        fell(peer, error.to_string());
        pause.await;
        if error.kind() == io::ErrorKind::InvalidData {
            // What can't be read will not read in half a second either.
            tokio::time::sleep(shared.settings.digest_min).await;
        }
    }
}

fn fell(peer: &Peer, trouble: String) {
    let mut state = peer.state.lock();
    state.link = LinkState::Down;
    state.trouble = Some(trouble);
}

/// Tries until there is a link. An attempt that takes longer than it should goes on beside the next ones for a while: on a
/// busy machine a handshake may take that long each time, and through a network that was cut only a new one comes.
async fn connect(shared: &Shared, peer: &Peer) -> Link {
    let mut attempts = FuturesUnordered::new();
    loop {
        let address = {
            let mut state = peer.state.lock();
            state.link = LinkState::Connecting;
            state.address.clone()
        };
        let limit = shared.settings.connect_within;
        attempts.push(async move {
            let connecting = shared.links.connect(Some(peer.node), &address, Purpose::Mirror);
            match tokio::time::timeout(limit, connecting).await {
                Ok(link) => link.map_err(|error| error.to_string()),
                Err(_) => Err(format!("{address} does not answer in time")),
            }
        });
        let mut pause = std::pin::pin!(tokio::time::sleep(shared.settings.reconnect));
        loop {
            tokio::select! {
                biased;
                Some(ended) = attempts.next() => match ended {
                    Ok(link) => return link,
                    Err(trouble) => fell(peer, trouble),
                },
                () = &mut pause => break,
            }
        }
    }
}

/// One link on which a peer is followed.
struct Following<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    heard: Notify,
    /// Buckets to ask for.
    wanted: Mutex<Buckets>,
    ask: Notify,
}

/// Where the receiving half is.
#[derive(Default)]
struct Progress {
    /// The origin, once it has said who it is.
    origin: Option<Origin>,
    /// A snapshot has begun and not ended; whether of all buckets.
    snapshot: Option<bool>,
    /// There was a snapshot on this link.
    was_synced: bool,
    is_complete: bool,
    /// Changes are missing: what comes is of no use before the next snapshot.
    is_lost: bool,
    /// A repair was asked for and did not end yet.
    repairing: bool,
    /// The last repair was of some buckets, and no digest has agreed since.
    repaired: bool,
}

impl<'a> Following<'a> {
    fn new(shared: &'a Shared, peer: &'a Peer) -> Self {
        let wanted = Mutex::new(Buckets::NONE);
        Self { shared, peer, heard: Notify::new(), wanted, ask: Notify::new() }
    }

    /// Runs the link to its end; says why it ended.
    async fn run(&self, link: Link) -> io::Error {
        let (mut reader, mut writer) = link.split();
        tokio::select! {
            biased;
            error = self.receive(&mut reader) => error,
            error = self.send(&mut writer) => error,
            error = silence(&self.heard, self.shared.settings.silence) => error,
        }
    }

    fn known(&self) -> Option<Position> {
        self.shared.replica.mirrored(self.peer.node)
    }

    async fn send(&self, writer: &mut LinkWriter) -> io::Error {
        match self.try_send(writer).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn try_send(&self, writer: &mut LinkWriter) -> io::Result<std::convert::Infallible> {
        let life = self.shared.replica.origin().epoch;
        writer.send(&Up::Follow { life, known: self.known() }.encode()).await?;
        let mut beats = every(self.shared.settings.heartbeat);
        let mut renewals = every(self.shared.settings.renewals);
        loop {
            tokio::select! {
                biased;
                () = self.ask.notified() => {
                    let wanted = std::mem::replace(&mut *self.wanted.lock(), Buckets::NONE);
                    writer.send(&Up::Resync(wanted).encode()).await?;
                }
                _ = beats.tick() => writer.send(&Up::Beat { known: self.known() }.encode()).await?,
                _ = renewals.tick() => self.pass_renewals(writer).await?,
            }
        }
    }

    /// All that wait, a frame each so many.
    async fn pass_renewals(&self, writer: &mut LinkWriter) -> io::Result<()> {
        loop {
            let renewals = self.shared.replica.renewals(self.peer.node, RENEWALS_MAX);
            if renewals.is_empty() {
                return Ok(());
            }
            let frame = Up::Renewals(renewals).encode();
            self.peer.count(|counts| counts.renewal_bytes_sent += frame.len() as u64);
            writer.send(&frame).await?;
        }
    }

    async fn receive(&self, reader: &mut LinkReader) -> io::Error {
        let mut progress = Progress::default();
        loop {
            let frame = match reader.receive().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return closed(),
                Err(error) => return error,
            };
            self.heard.notify_one();
            self.shared.heard(self.peer);
            let bytes = frame.len() as u64;
            let Some(down) = Down::decode(frame) else { continue };
            if let Err(error) = self.take(down, bytes, &mut progress) {
                return error;
            }
        }
    }

    fn take(&self, down: Down, bytes: u64, progress: &mut Progress) -> io::Result<()> {
        let replica = &self.shared.replica;
        if let Down::Digest { life, digest, former } = down {
            return self.take_digest(Origin { node: self.peer.node, epoch: life }, &digest, former, progress);
        }
        let origin = progress.origin.ok_or_else(|| unexpected("the first frame is no digest"))?;
        match down {
            Down::Digest { .. } => {}
            Down::Begin { sequence, buckets } => {
                progress.snapshot = Some(buckets.is_all());
                progress.was_synced = true;
                replica.resync_begin(origin, sequence, &buckets);
            }
            Down::Page(ops) => {
                progress.snapshot.ok_or_else(|| unexpected("a page without a beginning"))?;
                replica.resync_page(origin, &ops).map_err(refused)?;
                self.count_ops(&ops, bytes);
            }
            Down::End => {
                let whole = progress.snapshot.take();
                let whole = whole.ok_or_else(|| unexpected("an end without a beginning"))?;
                replica.resync_end(origin).map_err(refused)?;
                progress.is_lost = false;
                progress.repairing = false;
                self.peer.count(|counts| match whole {
                    true => counts.resyncs += 1,
                    false => counts.repairs += 1,
                });
            }
            Down::Ops { ops, upto } => self.take_ops(origin, &ops, upto, bytes, progress)?,
            Down::Beat(beat) => self.take_beat(beat, progress),
        }
        Ok(())
    }

    fn take_ops(
        &self,
        origin: Origin,
        ops: &[Bytes],
        upto: u64,
        bytes: u64,
        progress: &mut Progress,
    ) -> io::Result<()> {
        if progress.snapshot.is_some() {
            return Err(unexpected("changes within a snapshot"));
        }
        self.count_ops(ops, bytes);
        if progress.is_lost {
            return Ok(());
        }
        match self.shared.replica.apply(origin, ops, upto) {
            Ok(()) => Ok(()),
            Err(Refused::Gap) => {
                tracing::warn!(
                    node = self.peer.node.0,
                    upto,
                    "changes of a peer are missing, all of it is asked for"
                );
                progress.is_lost = true;
                self.ask_for(Buckets::ALL, progress);
                Ok(())
            }
            Err(error @ Refused::Unreadable(_)) => Err(refused(error)),
        }
    }

    fn ask_for(&self, buckets: Buckets, progress: &mut Progress) {
        progress.repairing = true;
        self.wanted.lock().extend(&buckets);
        self.ask.notify_one();
    }

    fn count_ops(&self, ops: &[Bytes], bytes: u64) {
        self.peer.count(|counts| {
            counts.ops_received += ops.len() as u64;
            counts.op_bytes_received += bytes;
        });
    }

    fn take_beat(&self, beat: Beat, progress: &mut Progress) {
        let is_first = beat.is_complete && !progress.is_complete;
        let is_news = {
            let mut state = self.peer.state.lock();
            let before = (state.link, state.complete, state.beat.hears.clone());
            state.take(beat);
            if is_first && !progress.was_synced {
                state.counts.resumes += 1;
            }
            before != (state.link, state.complete, state.beat.hears.clone())
        };
        if is_first {
            progress.is_complete = true;
            let how = if progress.was_synced { "by a snapshot" } else { "where it was" };
            tracing::info!(node = self.peer.node.0, how, "a peer is mirrored");
        }
        if is_news {
            self.shared.progressed();
        }
    }

    fn take_digest(
        &self,
        origin: Origin,
        digest: &Digest,
        former: Vec<Position>,
        progress: &mut Progress,
    ) -> io::Result<()> {
        if progress.origin.is_none() {
            if !self.shared.returned(self.peer, origin) {
                return Err(io::Error::other("it is an earlier life of the peer"));
            }
            progress.origin = Some(origin);
            let mut state = self.peer.state.lock();
            state.link = LinkState::Syncing;
            state.trouble = None;
            state.counts.links += 1;
            state.knew_us = former;
        } else if progress.origin != Some(origin) {
            return Err(unexpected("another life on the same link"));
        }
        let position = Position { epoch: origin.epoch, sequence: digest.sequence };
        self.peer.state.lock().theirs = Some(position);
        // Else it has more to tell, or is just telling it.
        if self.known() == Some(position) && !progress.repairing && progress.snapshot.is_none() {
            self.compare(origin, digest, progress);
        }
        Ok(())
    }

    fn compare(&self, origin: Origin, digest: &Digest, progress: &mut Progress) {
        let Some(ours) = self.shared.replica.mirrored_digest(origin) else { return };
        let mut differing = Buckets::differing(&ours.buckets, &digest.buckets);
        if ours.sequence != digest.sequence {
            return;
        }
        let differs = !differing.is_empty() || ours.sum != digest.sum;
        self.peer.count(|counts| {
            counts.digests += 1;
            counts.mismatches += u64::from(differs);
        });
        if !differs {
            progress.repaired = false;
            return;
        }
        let is_whole =
            !self.shared.replica.mends_buckets() || std::mem::replace(&mut progress.repaired, true);
        if differing.is_empty() || is_whole {
            differing = Buckets::ALL;
        }
        tracing::warn!(
            node = self.peer.node.0,
            sequence = digest.sequence,
            buckets = differing.len(),
            "the mirror of a peer differs and is mended"
        );
        self.ask_for(differing, progress);
    }
}

fn refused(error: Refused) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Ticks, the first of them at once; those that are missed do not come later.
pub(crate) fn every(pause: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}
