//! A list as text, put together from pieces that are kept as long as their instance does not change.

use super::{
    Kind, Source,
    pack::{Packer, Packing, Piece},
};
use crate::{
    shown::shown,
    wire::{Amount, Form, Format, Frame, Listed, write_fragment},
};
use bytes::Bytes;
use muster_model::Timestamp;
use muster_node::registry::{EurekaApp, EurekaShown};
use std::sync::Arc;

/// How many numbers `versions__delta` may have: with the first it fits 16 bits with a sign, as rust-eureka needs it.
const VERSIONS: u64 = 32_000;

/// The instances of one application as pieces, in order.
#[derive(Debug)]
struct AppPieces {
    app: Arc<EurekaApp>,
    /// Whether it is the first of its list.
    is_first: bool,
    pieces: Box<[Arc<Piece>]>,
    /// Bytes of their texts.
    text_len: usize,
    /// The sum of their digests.
    digest: u64,
}

/// One rendering of a list.
#[derive(Debug)]
pub(super) struct Rendered {
    /// The stamp of what it was rendered from.
    pub(super) stamp: (u64, u64),
    apps: Vec<Arc<AppPieces>>,
    plain: Option<Bytes>,
    packed: Option<Bytes>,
    /// Of this rendering, or of the latest before it that was packed.
    packing: Option<Arc<Packing>>,
    /// Bytes held.
    pub(super) size: usize,
}

impl Rendered {
    /// Renders a list, plain or packed; what `old` has of it is taken over.
    pub(super) fn new(
        old: Option<&Self>,
        source: &Source,
        form: Form,
        packed: bool,
        packer: &Packer,
    ) -> Self {
        let apps = render_apps(old, source, form);
        let text_len: usize = apps.iter().map(|app| app.text_len).sum();
        let count: usize = apps.iter().map(|app| app.pieces.len()).sum();
        let (head, tail) = frame(source, form, &apps);
        let same = old.filter(|old| old.stamp == source.stamp);
        let mut rendered = Self {
            stamp: source.stamp,
            plain: same.and_then(|old| old.plain.clone()),
            packed: same.and_then(|old| old.packed.clone()),
            packing: old.and_then(|old| old.packing.clone()),
            size: 0,
            apps,
        };
        let mut pieces = Vec::with_capacity(count);
        pieces.extend(rendered.apps.iter().flat_map(|app| &*app.pieces));
        if packed {
            let empty = Packing::default();
            let known = rendered.packing.as_deref().unwrap_or(&empty);
            let (packing, member) = packer.pack(known, &head, &pieces, &tail);
            (rendered.packing, rendered.packed) = (Some(Arc::new(packing)), Some(member));
        } else {
            let mut text = Vec::with_capacity(head.len() + text_len + tail.len());
            text.extend_from_slice(&head);
            pieces.iter().for_each(|piece| text.extend_from_slice(&piece.text));
            text.extend_from_slice(&tail);
            rendered.plain = Some(Bytes::from(text));
        }
        let bytes = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        rendered.size = text_len
            + 64 * count
            + bytes(&rendered.plain)
            + bytes(&rendered.packed)
            + rendered.packing.as_ref().map_or(0, |packing| packing.size());
        rendered
    }

    /// The body, if it was asked for in this form.
    pub(super) fn body(&self, packed: bool) -> Option<Bytes> {
        if packed { self.packed.clone() } else { self.plain.clone() }
    }
}

/// A measure of what a rendering costs: instances of applications that differ, and of all of them if nothing was packed.
pub(super) fn changed_instances(old: Option<&Rendered>, source: &Source, packed: bool) -> usize {
    let Some(old) = old.filter(|old| !packed || old.packing.is_some()) else {
        return source.apps().iter().map(|app| app.instances.len()).sum();
    };
    let mut known = old.apps.iter().peekable();
    let mut changed = 0;
    for app in source.apps() {
        while known.next_if(|old| old.app.key < app.key).is_some() {}
        if !known.peek().is_some_and(|old| Arc::ptr_eq(&old.app, app)) {
            changed += app.instances.len();
        }
    }
    changed
}

fn render_apps(old: Option<&Rendered>, source: &Source, form: Form) -> Vec<Arc<AppPieces>> {
    let mut known = old.map_or(&[][..], |old| &old.apps).iter().peekable();
    let mut apps = Vec::with_capacity(source.apps().len());
    for (at, app) in source.apps().iter().enumerate() {
        let is_first = at == 0;
        while known.next_if(|old| old.app.key < app.key).is_some() {}
        let old = known.next_if(|old| old.app.key == app.key);
        apps.push(match old {
            Some(old) if Arc::ptr_eq(&old.app, app) && old.is_first == is_first => old.clone(),
            Some(_) | None => {
                let old = old.map(|old| &**old);
                Arc::new(AppPieces::new(app, is_first, render_app(old, app, is_first, source.kind, form)))
            }
        });
    }
    apps
}

impl AppPieces {
    fn new(app: &Arc<EurekaApp>, is_first: bool, pieces: Vec<Arc<Piece>>) -> Self {
        let text_len = pieces.iter().map(|piece| piece.text.len()).sum();
        let digest = pieces.iter().map(|piece| u64::from(piece.digest)).fold(0, u64::wrapping_add);
        Self { app: app.clone(), is_first, pieces: pieces.into_boxed_slice(), text_len, digest }
    }
}

/// What stands around an instance.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    is_first_of_list: bool,
    is_first: bool,
    is_last: bool,
}

impl Place {
    fn of(at: usize, app: &EurekaApp, is_first_app: bool) -> Self {
        let is_first = at == 0;
        Self { is_first_of_list: is_first && is_first_app, is_first, is_last: at + 1 == app.instances.len() }
    }
}

fn render_app(
    old: Option<&AppPieces>,
    app: &EurekaApp,
    is_first_app: bool,
    kind: Kind,
    form: Form,
) -> Vec<Arc<Piece>> {
    let renamed = old.is_some_and(|old| old.app.name != app.name);
    let old = old.filter(|_| !renamed);
    let mut known = old.map_or(&[][..], |old| &old.app.instances).iter().enumerate().peekable();
    let mut pieces = Vec::with_capacity(app.instances.len());
    for (at, shown) in app.instances.iter().enumerate() {
        let place = Place::of(at, app, is_first_app);
        while known.next_if(|(_, old)| old.id() < shown.id()).is_some() {}
        let kept = old.zip(known.peek()).and_then(|(old, (old_at, old_shown))| {
            let same = Arc::ptr_eq(old_shown, shown) && Place::of(*old_at, &old.app, old.is_first) == place;
            same.then(|| old.pieces[*old_at].clone())
        });
        pieces.push(kept.unwrap_or_else(|| Arc::new(render_piece(app, shown, place, kind, form))));
    }
    pieces
}

fn render_piece(app: &EurekaApp, instance: &EurekaShown, place: Place, kind: Kind, form: Form) -> Piece {
    let frame = Frame(form);
    let mut text = Vec::with_capacity(1_200);
    if !place.is_first_of_list {
        text.extend_from_slice(frame.separator());
    }
    if place.is_first {
        frame.app_head(&mut text, &app.name);
    }
    write_fragment(&mut text, form, &shown(instance));
    if place.is_last {
        frame.app_tail(&mut text);
    }
    let mut name = crc32fast::Hasher::new();
    name.update(app.key.as_bytes());
    name.update(instance.id().as_bytes());
    let digest = if kind == Kind::Delta { digest(instance) } else { 0 };
    Piece { text: text.into_boxed_slice(), cut: name.finalize(), digest }
}

/// A number of what is shown of an instance, the same on every node and in every form: without the time of its last
/// renewal, which is that of rendering.
fn digest(instance: &EurekaShown) -> u32 {
    let mut shown = shown(instance);
    shown.times.renewed = Timestamp(0);
    let mut text = Vec::with_capacity(1_200);
    write_fragment(&mut text, Form { format: Format::Json, amount: Amount::Full }, &shown);
    crc32fast::hash(&text)
}

fn frame(source: &Source, form: Form, apps: &[Arc<AppPieces>]) -> (Vec<u8>, Vec<u8>) {
    let version = match source.kind {
        Kind::Delta if !apps.is_empty() => {
            // Python takes a delta for one it knows if number and hash are the same, so the number is of the content.
            let sum = apps.iter().map(|app| app.digest).fold(0, u64::wrapping_add);
            let mixed = sum.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            (2 + mixed % VERSIONS).to_string()
        }
        Kind::Delta | Kind::Whole => "1".to_owned(),
    };
    let hash = source.snapshot.hashcode();
    let list = Listed { version: &version, hash: &hash, empty: apps.is_empty() };
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    Frame(form).head(&mut head, &list);
    Frame(form).tail(&mut tail, &list);
    (head, tail)
}
