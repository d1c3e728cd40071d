//! Reads what `strace` wrote down, and checks that no acknowledgement left before the sync of its log entry returned.
//!
//! A marker is a text in a request that also stands in the log entry. A socket has at most one request under way, so
//! the next answer on it acknowledges the marker read from it last.

use std::collections::{BTreeMap, HashMap};

/// What a publish is answered with, as it stands in the bytes.
const ANSWER: &str = "ConfigPublishResponse";

/// One system call; begin and end are places in the trace.
#[derive(Debug)]
struct Call {
    name: String,
    text: String,
    begin: usize,
    end: usize,
}

/// What a trace showed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Acknowledgements whose sync had returned before.
    pub(crate) acknowledged: usize,
    /// Syncs of the log.
    pub(crate) syncs: usize,
}

/// Checks a trace; the error names the first acknowledgement that left too early.
pub(crate) fn check(trace: &str) -> Result<Shown, String> {
    check_calls(&calls(trace))
}

fn check_calls(calls: &[Call]) -> Result<Shown, String> {
    let durable = durable(calls);
    let mut asked: HashMap<&str, String> = HashMap::new();
    let mut shown = Shown::default();
    // In the order of what counts: the end of reading, the begin of writing.
    let mut events: Vec<(usize, &Call)> =
        calls.iter().filter_map(|call| Some((moment(call)?, call))).collect();
    events.sort_by_key(|(at, _)| *at);
    for (at, call) in events {
        let socket = file(&call.text);
        if is_read(&call.name) {
            if let Some(marker) = markers(&call.text).pop() {
                asked.insert(socket, marker);
            }
            continue;
        }
        for _ in call.text.matches(ANSWER) {
            let marker = asked.remove(socket).ok_or_else(|| format!("an answer to nothing on {socket}"))?;
            match durable.get(&marker) {
                Some(synced) if *synced < at => shown.acknowledged += 1,
                Some(_) => return Err(format!("{marker} was acknowledged before its sync returned")),
                None => return Err(format!("{marker} was acknowledged and never synced")),
            }
        }
    }
    shown.syncs = calls.iter().filter(|call| is_log_sync(call)).count();
    Ok(shown)
}

/// Checks the trace, doctored: the last sync that made a marker durable returns after everything else. The calls
/// are doctored and not the text, in which `strace` may have broken a call in two around those of other threads.
pub(crate) fn check_late(trace: &str) -> Result<Shown, String> {
    let mut calls = calls(trace);
    let last = durable(&calls).into_values().max().unwrap();
    let sync = calls.iter_mut().find(|call| is_log_sync(call) && call.end == last);
    sync.unwrap().end = usize::MAX;
    check_calls(&calls)
}

/// When each marker's log entry was durable: the end of the first sync of that file that began after it was written.
fn durable(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut durable = BTreeMap::new();
    for write in calls.iter().filter(|call| call.name == "pwrite64" && is_log(call)) {
        let sync = calls
            .iter()
            .filter(|sync| is_log_sync(sync) && file(&sync.text) == file(&write.text))
            .find(|sync| sync.begin > write.end);
        if let Some(sync) = sync {
            for marker in markers(&write.text) {
                durable.entry(marker).or_insert(sync.end);
            }
        }
    }
    durable
}

/// A sync that returned 0 and was really made.
fn is_log_sync(call: &Call) -> bool {
    matches!(call.name.as_str(), "fdatasync" | "fsync")
        && is_log(call)
        && call.text.trim_end().ends_with("= 0")
}

fn is_log(call: &Call) -> bool {
    file(&call.text).ends_with(".log")
}

fn is_read(name: &str) -> bool {
    matches!(name, "read" | "readv" | "recvfrom" | "recvmsg")
}

fn moment(call: &Call) -> Option<usize> {
    match call.name.as_str() {
        name if is_read(name) => Some(call.end),
        "write" | "writev" | "sendto" | "sendmsg" => Some(call.begin),
        _ => None,
    }
}

/// The file or socket that `strace -yy` names: what stands between the first `<` and the `>` that ends it.
fn file(text: &str) -> &str {
    let Some((_, rest)) = text.split_once('<') else { return "" };
    let end = rest.find(">)").into_iter().chain(rest.find(">,")).min().unwrap_or(rest.len());
    &rest[..end]
}

/// Texts of the form `marker-1-2-`, each once.
pub(crate) fn markers(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices("marker-") {
        let rest = &text[at..];
        let parts: Vec<&str> = rest.splitn(4, '-').collect();
        if let [_, connection, number, _] = parts[..]
            && [connection, number].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let marker = format!("marker-{connection}-{number}");
            if !found.contains(&marker) {
                found.push(marker);
            }
        }
    }
    found
}

/// Puts together what `strace -f` has broken in two.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            open.insert(thread, (number, begun.trim_end()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((begin, begun)) = open.remove(thread) else { continue };
            let resumed = resumed.split_once("resumed>").map_or("", |(_, rest)| rest);
            calls.extend(call(&format!("{begun}{resumed}"), begin, number));
        } else {
            calls.extend(call(rest, number, number));
        }
    }
    calls
}

fn call(text: &str, begin: usize, end: usize) -> Option<Call> {
    let (name, _) = text.split_once('(')?;
    Some(Call { name: name.to_owned(), text: text.to_owned(), begin, end })
}

#[test]
fn the_checker_notices_what_is_out_of_order() {
    let read = "10 recvfrom(9<TCP:[a->b]>, \"marker-1-1-x\", 99, 0, NULL, NULL) = 12\n";
    let write = "11 pwrite64(5</d/log/0.log>, \"marker-1-1-x\", 12, 64) = 12\n";
    let sync = "11 fdatasync(5</d/log/0.log>) = 0\n";
    let other = "11 fdatasync(6</d/state.db-wal>) = 0\n";
    let answer = "10 writev(9<TCP:[a->b]>, [{iov_base=\"ConfigPublishResponse\"}], 1) = 21\n";
    let check_all = |lines: &[&str]| check(&lines.concat());
    assert_eq!(check_all(&[read, write, sync, answer]), Ok(Shown { acknowledged: 1, syncs: 1 }));
    for wrong in [
        &[read, write, answer, sync][..],
        &[read, write, answer],
        &[read, sync, write, answer],
        &[read, write, other, answer],
        &[read, write, "11 fdatasync(5</d/log/0.log>) = -1 EIO (I/O error) (INJECTED)\n", answer],
        &[read, write, "11 fdatasync(5</d/log/0.log>) = 0 (INJECTED)\n", answer],
        &[
            read,
            write,
            "11 fdatasync(5</d/log/0.log> <unfinished ...>\n",
            answer,
            "11 <... fdatasync resumed>) = 0\n",
        ],
        &[
            read,
            "11 pwrite64(5</d/log/0.log>, \"marker-1-1-x\", 12, 64 <unfinished ...>\n",
            sync,
            "11 <... pwrite64 resumed>) = 12\n",
            answer,
        ],
    ] {
        assert!(check_all(wrong).is_err(), "{wrong:?}");
    }
}
