//! Several registries, and streams between them that are cut, slow, and begin anew.

use super::*;
use bytes::Bytes;
use std::collections::BTreeMap;

/// How often streams and clocks move on, milliseconds.
const STEP_MS: u64 = 250;
/// After so much silence a peer counts as gone.
const SILENCE_MS: u64 = 3_000;

/// One node.
pub(crate) struct Member {
    pub(crate) registry: Registry,
    pub(crate) origin: Origin,
    /// Milliseconds its wall clock is ahead.
    pub(crate) skew: i64,
    /// Wakes for streams and pushes that were told of.
    pub(crate) pushes: usize,
    /// Renewals that came from other nodes and are told of.
    pub(crate) renewed: usize,
}

/// What one node takes in of another.
#[derive(Clone, Debug, Default)]
struct Stream {
    is_cut: bool,
    /// Since when nothing is heard.
    silent_ms: u64,
    was_silent: bool,
    greeted: Option<Epoch>,
    snapshot: Option<SnapshotCursor>,
}

pub(crate) struct Ensemble {
    pub(crate) members: Vec<Member>,
    /// By who hears and who speaks.
    streams: BTreeMap<(usize, usize), Stream>,
    pub(crate) now_ms: u64,
    /// Bytes of a message, so that much takes many.
    pub(crate) bytes: usize,
    /// Messages a step.
    pub(crate) messages: usize,
    boots: u64,
    /// Changes a member keeps for the others.
    changes_max: usize,
    /// Whether refused ops were seen: digests may differ then.
    pub(crate) lenient: bool,
}

impl Member {
    fn new(node: u64, boot: u64, changes_max: usize) -> Self {
        let epoch = Epoch { boot, random: boot.wrapping_mul(0x9E37_79B9_7F4A_7C15) };
        let origin = Origin { node: NodeId(node), epoch };
        let mut registry = Registry::new(Limits { mirror_changes_max: changes_max, ..Limits::default() });
        registry.set_identity(origin);
        // With so few leases its rule would hold each.
        registry.set_self_preservation(false);
        Self { registry, origin, skew: 0, pushes: 0, renewed: 0 }
    }
}

impl Ensemble {
    pub(crate) fn new(count: usize) -> Self {
        Self::keeping(count, Limits::default().mirror_changes_max)
    }

    /// With members that keep so many changes for each other: who missed more is sent a snapshot.
    pub(crate) fn keeping(count: usize, changes_max: usize) -> Self {
        let mut ensemble = Self {
            members: (1..=count as u64).map(|node| Member::new(node, 1, changes_max)).collect(),
            changes_max,
            streams: BTreeMap::new(),
            now_ms: 0,
            bytes: 1_000,
            messages: 4,
            boots: 1,
            lenient: false,
        };
        for hears in 0..count {
            for speaks in (0..count).filter(|speaks| *speaks != hears) {
                ensemble.streams.insert((hears, speaks), Stream::default());
            }
        }
        ensemble
    }

    pub(crate) fn now(&self, at: usize) -> Now {
        let wall = 1_700_000_000_000 + self.now_ms;
        let mono = Monotonic(1_000_000 * (at as u64 + 1) + self.now_ms);
        Now { wall: Timestamp(wall.saturating_add_signed(self.members[at].skew)), mono }
    }

    pub(crate) fn apply(&mut self, at: usize, op: Op) -> Result<Outcome, RegistryError> {
        let (now, mut effects) = (self.now(at), Vec::new());
        let outcome = self.members[at].registry.apply(op, now, &mut effects);
        self.note(at, effects);
        outcome
    }

    fn note(&mut self, at: usize, effects: Vec<Effect>) {
        let pushes = effects.iter().filter(|effect| matches!(effect, Effect::ServiceChanged { .. }));
        self.members[at].pushes += pushes.count();
        let renewed = effects.iter().filter(|effect| matches!(effect, Effect::EurekaRenewed { .. }));
        self.members[at].renewed += renewed.count();
    }

    /// Cuts or mends what one node hears of another.
    pub(crate) fn cut(&mut self, hears: usize, speaks: usize, is_cut: bool) {
        let Some(stream) = self.streams.get_mut(&(hears, speaks)) else { return };
        stream.is_cut = is_cut;
        (stream.snapshot, stream.greeted) = (None, None);
    }

    pub(crate) fn heal(&mut self) {
        let pairs: Vec<_> = self.streams.keys().copied().collect();
        pairs.into_iter().for_each(|(hears, speaks)| {
            if self.streams[&(hears, speaks)].is_cut {
                self.cut(hears, speaks, false);
            }
        });
    }

    pub(crate) fn is_cut(&self, hears: usize, speaks: usize) -> bool {
        self.streams.get(&(hears, speaks)).is_some_and(|stream| stream.is_cut)
    }

    /// The others that a node hears.
    fn reachable(&self, at: usize) -> Vec<NodeId> {
        let heard = self.streams.iter().filter(|((hears, _), stream)| *hears == at && !stream.was_silent);
        heard.map(|((_, speaks), _)| self.members[*speaks].origin.node).collect()
    }

    /// A node ends and begins another life, with what it wrote down or without.
    pub(crate) fn restart(&mut self, at: usize, with_checkpoint: bool) {
        self.boots += 1;
        let mut all = Vec::new();
        let mut from = Some(PageCursor::default()).filter(|_| with_checkpoint);
        while let Some(cursor) = from {
            let (page, next) = self.members[at].registry.ephemeral_page(cursor, 100);
            all.extend(page.iter().map(EphemeralPublication::encode));
            from = next;
        }
        let node = self.members[at].origin.node;
        self.members[at] = Member::new(node.0, self.boots, self.changes_max);
        let mut all: Vec<_> = all.iter().map(|bytes| EphemeralPublication::decode(bytes).unwrap()).collect();
        all.sort_by_key(|publication| publication.sequence);
        let (now, mut effects) = (self.now(at), Vec::new());
        for publication in all {
            self.members[at].registry.restore(publication, node, now, &mut effects).unwrap();
        }
        for ((hears, speaks), stream) in &mut self.streams {
            if *hears == at || *speaks == at {
                (stream.snapshot, stream.greeted) = (None, None);
            }
            if *hears == at {
                (stream.was_silent, stream.silent_ms) = (false, 0);
            }
        }
    }

    /// Lets time pass: streams move on, clocks too.
    pub(crate) fn pass(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(STEP_MS) {
            self.now_ms += STEP_MS;
            let pairs: Vec<_> = self.streams.keys().copied().collect();
            for (hears, speaks) in pairs {
                self.listen(hears, speaks);
            }
            for at in 0..self.members.len() {
                self.expire(at);
            }
            self.check_digests();
        }
    }

    /// As often as deadlines ask for it.
    fn expire(&mut self, at: usize) {
        for _ in 0..50 {
            let (now, mut effects) = (self.now(at), Vec::new());
            self.members[at].registry.expire(now, &mut effects);
            self.note(at, effects);
            if self.members[at].registry.next_deadline().is_none_or(|next| next > now.mono) {
                return;
            }
        }
    }

    fn listen(&mut self, hears: usize, speaks: usize) {
        let stream = self.streams[&(hears, speaks)].clone();
        let (origin, now) = (self.members[speaks].origin, self.now(hears));
        if stream.is_cut {
            let silent_ms = stream.silent_ms + STEP_MS;
            let is_gone = silent_ms > SILENCE_MS && !stream.was_silent;
            let stream = self.streams.get_mut(&(hears, speaks)).unwrap();
            stream.silent_ms = silent_ms;
            if is_gone {
                stream.was_silent = true;
                let (reachable, mut effects) = (self.reachable(hears), Vec::new());
                self.members[hears].registry.peer_silent(origin.node, &reachable, now, &mut effects);
                self.note(hears, effects);
            }
            return;
        }
        let is_new = stream.greeted != Some(origin.epoch);
        if is_new || stream.was_silent {
            let stream = self.streams.get_mut(&(hears, speaks)).unwrap();
            *stream = Stream { greeted: Some(origin.epoch), ..Stream::default() };
            let (reachable, mut effects) = (self.reachable(hears), Vec::new());
            self.members[hears].registry.peer_returned(origin, &reachable, now, &mut effects);
            self.note(hears, effects);
        }
        for _ in 0..self.messages {
            self.message(hears, speaks);
        }
        let renewals = self.members[hears].registry.renewals(origin.node, 100);
        if !renewals.is_empty() && !self.is_cut(speaks, hears) {
            let (now, mut effects) = (self.now(speaks), Vec::new());
            self.members[speaks].registry.apply_renewals(&renewals, now, &mut effects).unwrap();
            self.note(speaks, effects);
        }
    }

    /// One message of a stream.
    fn message(&mut self, hears: usize, speaks: usize) {
        let (origin, now, mut effects) = (self.members[speaks].origin, self.now(hears), Vec::new());
        let held = self.members[hears].registry.held_sequence(origin.node);
        let held = held.filter(|held| held.epoch == origin.epoch);
        let snapshot = self.streams[&(hears, speaks)].snapshot;
        let next = match (snapshot, held) {
            (None, Some(held)) => match self.members[speaks].registry.changes(held.sequence, self.bytes) {
                MirrorChanges::Ops { ops, upto } => {
                    let ops: Vec<Bytes> = ops;
                    let registry = &mut self.members[hears].registry;
                    registry.apply_mirrored(origin, &ops, upto, now, &mut effects).unwrap();
                    None
                }
                MirrorChanges::TooOld => Some(SnapshotCursor::default()),
            },
            (None, None) => Some(SnapshotCursor::default()),
            (Some(cursor), _) => Some(cursor),
        };
        let Some(cursor) = next else { return self.note(hears, effects) };
        let page = self.members[speaks].registry.snapshot_page(cursor, self.bytes);
        let registry = &mut self.members[hears].registry;
        if cursor == SnapshotCursor::default() {
            registry.resync_begin(origin, page.sequence, now, &mut effects);
        }
        registry.resync_page(origin, &page.ops, now, &mut effects).unwrap();
        if page.next.is_none() {
            registry.resync_end(origin, now, &mut effects).unwrap();
        }
        self.streams.get_mut(&(hears, speaks)).unwrap().snapshot = page.next;
        self.note(hears, effects);
    }

    /// Two that were cut off hear of each other at the same moment: each tells all it has before it hears.
    pub(crate) fn exchange(&mut self, one: usize, other: usize) {
        let told = [one, other].map(|at| {
            let page = self.members[at].registry.snapshot_page(SnapshotCursor::default(), usize::MAX);
            (self.members[at].origin, page)
        });
        for (hears, (origin, page)) in [other, one].into_iter().zip(told) {
            let (now, reachable, mut effects) = (self.now(hears), self.reachable(hears), Vec::new());
            let registry = &mut self.members[hears].registry;
            registry.peer_returned(origin, &reachable, now, &mut effects);
            registry.resync_begin(origin, page.sequence, now, &mut effects);
            registry.resync_page(origin, &page.ops, now, &mut effects).unwrap();
            registry.resync_end(origin, now, &mut effects).unwrap();
        }
    }

    /// What holds at every moment.
    fn check_digests(&mut self) {
        for (at, member) in self.members.iter().enumerate() {
            member.registry.audit();
            self.lenient |= member.registry.mirror_figures().refused_ahead > 0;
            let own = member.registry.digest(member.origin).unwrap();
            for other in self.members.iter().enumerate().filter(|(other, _)| *other != at) {
                let Some(held) = other.1.registry.digest(member.origin) else { continue };
                if held.sequence == own.sequence && !self.lenient {
                    let (theirs, ours) = (other.1.registry.told(), member.registry.told());
                    let place = other.0;
                    assert_eq!(
                        (held.count, held.sum),
                        (own.count, own.sum),
                        "{place} of {at}: {theirs:?} {ours:?}"
                    );
                }
            }
        }
    }

    /// What a node shows of a service, a line a host.
    pub(crate) fn shown(&self, at: usize, name: &str) -> Vec<String> {
        match self.members[at].registry.parts(&service(name)) {
            Some(parts) => parts.build().hosts.iter().map(|host| line(host)).collect(),
            None => Vec::new(),
        }
    }

    /// Waits until all nodes tell the same.
    pub(crate) fn converge(&mut self) {
        for _ in 0..200 {
            self.pass(STEP_MS);
            if self.is_converged() {
                return;
            }
        }
        let all: Vec<_> = self.members.iter().map(|member| member.registry.told()).collect();
        panic!("no convergence: {all:#?}");
    }

    fn is_converged(&self) -> bool {
        let told = self.members[0].registry.told();
        let all_tell_it = self.members.iter().all(|member| member.registry.told() == told);
        let all_are_level = self.members.iter().all(|member| {
            let own = member.registry.digest(member.origin);
            self.members.iter().all(|other| other.registry.digest(member.origin) == own)
        });
        all_tell_it && (all_are_level || self.lenient)
    }
}

impl Registry {
    /// Every ephemeral publication: its service, client, owner and incarnation, and what it is.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for service in self.services.iter() {
            for (client, publication) in &service.publications {
                if publication.stamp.kind() == Kind::Persistent {
                    continue;
                }
                let id = &self.clients.get(*client).id;
                let name = match self.mirror.origins.home(id) {
                    Some((home, number)) => format!("{}.{}-{number}", home.node.0, home.epoch.boot),
                    None => id.to_string(),
                };
                let owner = self.mirror.origins.at(publication.claim.owner).origin;
                let instances: Vec<String> = publication.instances.iter().map(line).collect();
                lines.push(format!(
                    "{} {name} of {}.{} since {:x}{}: {instances:?}",
                    service.key.name(),
                    owner.node.0,
                    owner.epoch.boot,
                    publication.stamp.sequence(),
                    if publication.claim.adopted { " adopted" } else { "" },
                ));
            }
        }
        lines.sort();
        lines
    }

    /// What was counted step by step is what there is.
    pub(crate) fn audit(&self) {
        let mut copy: std::collections::BTreeMap<u16, (usize, u64)> = std::collections::BTreeMap::new();
        for service in self.services.indices() {
            for client in self.services.get(service).unwrap().publications.keys() {
                let mut op = Vec::new();
                let Some((key, end)) = self.write_set((service, *client), Reason::Registered, &mut op) else {
                    continue;
                };
                let owner = self.claim_of((service, *client)).unwrap().owner;
                let sums = copy.entry(owner).or_default();
                sums.0 += 1;
                let entry = crate::mirror::entry(&op[2..key], &op[key..end]);
                sums.1 = sums.1.wrapping_add(entry.hash);
            }
        }
        for ((of, _), beaten) in &self.mirror.beaten {
            let sums = copy.entry(*of).or_default();
            sums.1 = sums.1.wrapping_add(beaten.hash);
        }
        for (owner, hash) in self.mirror.healths.sums() {
            let sums = copy.entry(owner).or_default();
            sums.1 = sums.1.wrapping_add(hash);
        }
        for (place, known) in self.mirror.origins.all() {
            let (count, sum) = copy.get(&place).copied().unwrap_or_default();
            assert_eq!((known.count, known.digest().sum), (count, sum), "of {:?}", known.origin);
        }
    }
}
