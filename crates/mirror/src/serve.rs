//! Serving a peer that follows this node.

use crate::{
    Buckets, Changes, Digest, Position, Standing,
    follow::every,
    heard::{closed, silence, unexpected},
    message::{Beat, Down, Lives, Up},
    peer::Peer,
    shared::Shared,
};
use bytes::Bytes;
use muster_model::Origin;
use muster_peer::{Acceptor, Link, LinkReader, LinkWriter};
use muster_runtime::net::BoxFuture;
use parking_lot::Mutex;
use std::{io, sync::Arc};
use tokio::{sync::Notify, time::Instant};

/// Takes the links of peers that follow this node.
pub(crate) struct Origins(pub(crate) Arc<Shared>);

impl Acceptor for Origins {
    fn serve(self: Arc<Self>, link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A node that is not known to be a member yet asks again in a moment.
            let Some(peer) = self.0.peer(link.peer()) else { return };
            let (mut reader, writer) = link.split();
            let greeted = tokio::select! {
                biased;
                () = peer.stop.cancelled() => return,
                greeted = greet(&self.0, &peer, &mut reader) => greeted,
            };
            let known = match greeted {
                Ok(known) => known,
                Err(error) => {
                    // It may have got another link meanwhile, and left this one.
                    tracing::debug!(node = peer.node.0, %error, "a peer does not follow on a link that it made");
                    return;
                }
            };
            let replaced = peer.serve_anew();
            peer.state.lock().follows += 1;
            let serving = Serving::new(&self.0, &peer);
            let error = tokio::select! {
                biased;
                () = replaced.cancelled() => io::Error::other("it has a newer link, or is no member"),
                error = serving.run(reader, writer, known) => error,
            };
            peer.state.lock().follows -= 1;
            tracing::info!(node = peer.node.0, %error, "the link of a peer ended");
        })
    }
}

/// What a peer that begins to follow knows of this node, if that is of this life.
async fn greet(shared: &Shared, peer: &Peer, reader: &mut LinkReader) -> io::Result<Option<u64>> {
    let frame = tokio::time::timeout(shared.settings.silence, reader.receive()).await;
    let frame = frame.map_err(|_| unexpected("it does not say what it knows"))??.ok_or_else(closed)?;
    shared.heard(peer);
    let Some(Up::Follow { life, known }) = Up::decode(frame) else {
        return Err(unexpected("the first frame does not say what is known"));
    };
    if !shared.returned(peer, Origin { node: peer.node, epoch: life }) {
        return Err(io::Error::other("it is an earlier life of the peer"));
    }
    let epoch = shared.replica.origin().epoch;
    Ok(known.filter(|known| known.epoch == epoch).map(|known| known.sequence))
}

/// One link on which a peer follows this node. What waits for it is in the replica: a peer that is too slow falls behind
/// what that keeps, and gets a snapshot.
struct Serving<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    heard: Notify,
    /// There is something to send.
    wake: Arc<Notify>,
    /// Buckets it asked for.
    asked: Mutex<Buckets>,
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.shared.streams.lock().retain(|stream| !Arc::ptr_eq(stream, &self.wake));
    }
}

/// Where the sending half is.
struct Sending<'a> {
    writer: &'a mut LinkWriter,
    /// Everything up to this change was sent; `None`: a snapshot is needed.
    sent: Option<u64>,
    announced: Beat,
    digest_at: Instant,
}

impl<'a> Serving<'a> {
    fn new(shared: &'a Shared, peer: &'a Peer) -> Self {
        let wake = Arc::new(Notify::new());
        shared.streams.lock().push(wake.clone());
        Self { shared, peer, heard: Notify::new(), wake, asked: Mutex::new(Buckets::NONE) }
    }

    /// Runs the link to its end; says why it ended.
    async fn run(&self, mut reader: LinkReader, mut writer: LinkWriter, known: Option<u64>) -> io::Error {
        tokio::select! {
            biased;
            error = self.receive(&mut reader) => error,
            result = self.send(&mut writer, known) => match result {
                Ok(never) => match never {},
                Err(error) => error,
            },
            error = silence(&self.heard, self.shared.settings.silence) => error,
        }
    }

    async fn receive(&self, reader: &mut LinkReader) -> io::Error {
        loop {
            let frame = match reader.receive().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return closed(),
                Err(error) => return error,
            };
            self.heard.notify_one();
            self.shared.heard(self.peer);
            let bytes = frame.len() as u64;
            match Up::decode(frame) {
                Some(Up::Beat { known }) => self.peer.state.lock().acknowledged = known,
                Some(Up::Renewals(renewals)) => {
                    self.peer.count(|counts| counts.renewal_bytes_received += bytes);
                    self.shared.replica.apply_renewals(self.peer.node, &renewals);
                }
                Some(Up::Resync(buckets)) => {
                    self.asked.lock().extend(&buckets);
                    self.wake.notify_one();
                }
                Some(Up::Follow { .. }) => return unexpected("it says again what it knows"),
                // Of a later version.
                None => {}
            }
        }
    }

    async fn send(
        &self,
        writer: &mut LinkWriter,
        known: Option<u64>,
    ) -> io::Result<std::convert::Infallible> {
        let digest = self.shared.replica.digest();
        let digest_at = Instant::now() + self.shared.digest_pause();
        let announced = Beat { hears: self.shared.hears(), ..Beat::default() };
        let mut sending = Sending { writer, sent: known, announced, digest_at };
        self.send_digest(&mut sending, digest).await?;
        let mut beats = every(self.shared.settings.heartbeat);
        loop {
            // Read before the changes: what was put back before a standing was taken is sent before it is announced.
            let standing = *self.shared.standing.borrow();
            let (hears, is_adopting) = self.heard(&sending.announced);
            let is_news = hears != sending.announced.hears;
            let is_whole = sending.announced.is_complete || !is_adopting;
            let newest = self.shared.replica.sequence();
            let has_more = self.send_due(&mut sending).await?;
            if is_news && !is_adopting && !has_more {
                // Who is not heard any more is not named only when what was adopted of it has been sent.
                sending.announced.hears = hears;
            }
            if is_whole && sending.sent.is_some_and(|sent| sent >= newest) {
                self.announce(&mut sending, standing).await?;
            }
            let may_wait = async {
                if !has_more {
                    self.wake.notified().await;
                }
            };
            tokio::select! {
                biased;
                _ = beats.tick() => self.send_beat(&mut sending).await?,
                () = may_wait => {}
            }
        }
    }

    /// Sends what is due, about a frame of it; whether there is more.
    async fn send_due(&self, sending: &mut Sending<'_>) -> io::Result<bool> {
        let asked = std::mem::replace(&mut *self.asked.lock(), Buckets::NONE);
        let Some(sent) = sending.sent.filter(|_| !asked.is_all()) else {
            self.send_snapshot(sending, Buckets::ALL).await?;
            return Ok(true);
        };
        if !asked.is_empty() {
            self.send_snapshot(sending, asked).await?;
            return Ok(true);
        }
        let is_digest_due = Instant::now() >= sending.digest_at;
        match self.shared.replica.changes(sent, self.shared.settings.frame_bytes, is_digest_due) {
            Changes::TooOld => {
                sending.sent = None;
                Ok(true)
            }
            Changes::Ops { ops, upto, newest, digest } => {
                let has_ops = !ops.is_empty();
                if has_ops {
                    self.send_ops(sending, ops, upto).await?;
                }
                if let Some(digest) = digest {
                    sending.digest_at = Instant::now() + self.shared.digest_pause();
                    self.send_digest(sending, *digest).await?;
                }
                let has_more = upto < newest;
                if has_ops && !has_more {
                    tokio::time::sleep(self.shared.settings.pace).await;
                }
                // What changed meanwhile woke us.
                Ok(has_more)
            }
        }
    }

    async fn send_ops(&self, sending: &mut Sending<'_>, ops: Vec<Bytes>, upto: u64) -> io::Result<()> {
        let count = ops.len() as u64;
        let frame = Down::Ops { ops, upto }.encode();
        sending.writer.send(&frame).await?;
        sending.sent = Some(upto);
        self.count_ops(count, frame.len());
        Ok(())
    }

    fn count_ops(&self, count: u64, bytes: usize) {
        self.peer.count(|counts| {
            counts.ops_sent += count;
            counts.op_bytes_sent += bytes as u64;
        });
    }

    /// Page by page, while changes go on: what they are is sent afterwards.
    async fn send_snapshot(&self, sending: &mut Sending<'_>, buckets: Buckets) -> io::Result<()> {
        let replica = &self.shared.replica;
        let sequence = if buckets.is_all() { None } else { sending.sent };
        let sequence = sequence.unwrap_or_else(|| replica.sequence());
        sending.writer.feed(&Down::Begin { sequence, buckets }.encode()).await?;
        let mut snapshot = replica.snapshot(&buckets);
        while let Some(ops) = snapshot.next_page(self.shared.settings.frame_bytes) {
            if ops.is_empty() {
                continue;
            }
            let count = ops.len() as u64;
            let frame = Down::Page(ops).encode();
            sending.writer.feed(&frame).await?;
            self.count_ops(count, frame.len());
        }
        sending.writer.send(&Down::End.encode()).await?;
        sending.sent = Some(sequence);
        self.peer.count(|counts| counts.snapshots_sent += 1);
        Ok(())
    }

    async fn send_digest(&self, sending: &mut Sending<'_>, digest: Digest) -> io::Result<()> {
        let life = self.shared.replica.origin().epoch;
        let former: Vec<Position> = self.peer.state.lock().former.clone();
        sending.writer.send(&Down::Digest { life, digest: Box::new(digest), former }.encode()).await
    }

    /// Everything that there was when the standing was taken is sent: says so, if it did not yet.
    async fn announce(&self, sending: &mut Sending<'_>, standing: Standing) -> io::Result<()> {
        if sending.announced.is_complete && sending.announced.standing == standing {
            return Ok(());
        }
        sending.announced.is_complete = true;
        sending.announced.standing = standing;
        self.send_beat(sending).await
    }

    /// Whom this node hears, and whether it still adopts what one left that it does not hear any more. Both at one moment: the
    /// replica is told of a silence under the same lock.
    fn heard(&self, announced: &Beat) -> (Lives, bool) {
        let order = self.shared.telling.lock();
        let hears = self.shared.hears();
        let may_matter = hears != announced.hears || !announced.is_complete;
        let is_adopting = may_matter && self.shared.replica.is_adopting();
        drop(order);
        (hears, is_adopting)
    }

    async fn send_beat(&self, sending: &mut Sending<'_>) -> io::Result<()> {
        sending.announced.newest = self.shared.replica.sequence();
        sending.writer.send(&Down::Beat(sending.announced.clone()).encode()).await
    }
}
