//! Who reads lists: from every node, all the time. A node may refuse or not answer; what it answers must be whole.

use crate::{http::Caller, residents::Service, tally::Tally};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Between two reads of a reader.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a reader waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// The readers.
#[derive(Debug)]
pub(crate) struct Readers {
    stop: Arc<AtomicBool>,
    readers: JoinSet<()>,
}

impl Readers {
    /// Starts a reader a node, who reads these services in turn.
    pub(crate) fn start(nodes: &[SocketAddr], services: &[Service], tally: &Tally) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut readers = JoinSet::new();
        for node in nodes {
            readers.spawn(read(*node, services.to_vec(), tally.clone(), stop.clone()));
        }
        Self { stop, readers }
    }

    /// Ends them.
    pub(crate) async fn finish(mut self) {
        self.stop.store(true, Relaxed);
        while let Some(reader) = self.readers.join_next().await {
            reader.unwrap();
        }
    }
}

async fn read(node: SocketAddr, services: Vec<Service>, tally: Tally, stop: Arc<AtomicBool>) {
    let mut caller = Caller::new(node, PATIENCE);
    for service in services.iter().cycle() {
        if stop.load(Relaxed) {
            return;
        }
        let began = Instant::now();
        match service.protocol.list(&mut caller, &service.name).await {
            Ok(listed) => {
                tally.count("lists read");
                tally.lacks(&node.to_string(), &service.name, &service.hosts, &listed);
                tally.took("a read of a list", began.elapsed());
            }
            Err(_) => tally.count("reads of lists that a node did not answer"),
        }
        sleep(PAUSE).await;
    }
}
