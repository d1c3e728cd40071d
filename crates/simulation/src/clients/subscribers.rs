//! A subscriber of each node: its connection watches everything, and is told of changes.

use super::{Desk, KEYS, Reply, config_key, services, shown};
use crate::record::{Listed, Observed, Recorder, Server, now_ms};
use muster_node::{ConfigInterest, Node, Push, PushRef, ServiceInterest, Watcher, WatcherKind};
use std::{sync::Arc, time::Duration};

/// How soon it is connected again.
const CONNECT_EVERY: Duration = Duration::from_millis(300);

/// Number of the subscriber of the first node, for people.
const FIRST: u32 = 200;

pub(crate) async fn run(desk: Desk, node: usize) {
    let mut connected = None;
    loop {
        tokio::time::sleep(CONNECT_EVERY).await;
        let life = desk.machines[node - 1].process().map(|process| process.life);
        if life.is_none() || life == connected {
            continue;
        }
        let recorder = desk.recorder.clone();
        let Some(life) = life else { continue };
        let server = Server { node, life };
        let subscribing = desk.ask(node, move |node| async move {
            let is_ready = node.is_ready();
            if is_ready {
                node.tasks().spawn("subscriber", subscribe(node.clone(), server, recorder));
            }
            is_ready
        });
        if let Reply::Answer(true, _) = subscribing.await {
            connected = Some(life);
        }
    }
}

/// Watches everything, for as long as the process runs.
async fn subscribe(node: Arc<Node>, server: Server, recorder: Recorder) {
    let watcher = node.open_watcher(WatcherKind::Connection);
    for service in services() {
        watcher.watch_service(&service, ServiceInterest::default()).expect("so few are watched");
    }
    for key in 1..=KEYS {
        watcher.watch_config(&config_key(key), ConfigInterest::default()).expect("so few are watched");
    }
    recorder.with(|seen| {
        seen.pushed.remove(&server.node);
    });
    loop {
        watcher.woken().await;
        while let Some(push) = watcher.try_next() {
            take(&watcher, push, server, &recorder);
        }
    }
}

fn take(watcher: &Watcher, push: Push, server: Server, recorder: &Recorder) {
    let (at_ms, client) = (now_ms(), FIRST + server.node as u32);
    match push {
        Push::Service { push, view, .. } => {
            let service = view.key.name().as_str().to_owned();
            let hosts = shown(&view);
            recorder.note(&format_args!("s{} is told {service} {}: {hosts:?}", server.node, view.revision.0));
            recorder.with(|seen| {
                if !hosts.is_empty() {
                    let what = format!("service {service}");
                    seen.observed.push(Observed { at_ms, client, server, what, revision: view.revision.0 });
                }
                let addresses = view.hosts.iter().map(|host| host.host.as_str().to_owned()).collect();
                seen.lists.push(Listed { at_ms, server, service: service.clone(), hosts: addresses });
                seen.pushed.entry(server.node).or_default().services.insert(service, hosts);
            });
            watcher.acknowledge(PushRef::Service(push));
        }
        Push::Config { push, key, .. } => {
            let number = (1..=KEYS).find(|number| config_key(*number) == key).unwrap_or_default();
            recorder.note(&format_args!("s{} is told of config {number}", server.node));
            watcher.acknowledge(PushRef::Config(push));
        }
        Push::FuzzyService(_) | Push::FuzzyConfig(_) => {}
    }
}
