//! A sequence of writes by one client: each is a log entry of its own, so what is lost of a log's end is an end of it.

use crate::client::Session;
use muster_client::ClientError;
use muster_runtime::Rng;
use std::fmt::Write;

/// Writes of three kinds, by their number.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    name: String,
    /// So many were acknowledged.
    pub(crate) acknowledged: u64,
    /// Bytes of a content.
    bytes: usize,
    has_locks: bool,
}

/// What a write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Config,
    Instance,
    Lock,
}

impl Sequence {
    pub(crate) fn new(name: &str, bytes: usize) -> Self {
        Self { name: name.to_owned(), acknowledged: 0, bytes, has_locks: true }
    }

    /// Without locks, which can only be looked at by writing.
    pub(crate) fn without_locks(name: &str, bytes: usize) -> Self {
        Self { has_locks: false, ..Self::new(name, bytes) }
    }

    fn kind(&self, number: u64) -> Kind {
        match number % 8 {
            6 => Kind::Instance,
            7 if self.has_locks => Kind::Lock,
            _ => Kind::Config,
        }
    }

    /// One more write.
    pub(crate) async fn write(&mut self, session: &Session) -> Result<(), ClientError> {
        let number = self.acknowledged;
        match self.kind(number) {
            Kind::Instance => {
                session.persist(&self.service(), port(number), Some(&self.label(number))).await?
            }
            // False: a try that was not acknowledged has it.
            Kind::Lock => drop(session.lock(&self.label(number), true).await?),
            Kind::Config => session.publish(&self.label(number), &self.content(number)).await?,
        }
        self.acknowledged += 1;
        Ok(())
    }

    /// Many more.
    pub(crate) async fn write_many(&mut self, session: &Session, count: u64) {
        for _ in 0..count {
            self.write(session).await.unwrap();
        }
    }

    /// The numbers of acknowledged writes that are not served. One that is there must be right.
    pub(crate) async fn missing(&self, session: &Session) -> Vec<u64> {
        let instances = session.instances(&self.service()).await.unwrap();
        let mut missing = Vec::new();
        for number in 0..self.acknowledged {
            let label = self.label(number);
            let is_there = match self.kind(number) {
                Kind::Instance => instances.contains(&(port(number), label)),
                Kind::Lock => !session.lock(&label, true).await.unwrap(),
                Kind::Config => match session.read(&label, "").await.unwrap() {
                    Some(seen) => {
                        assert!(seen.content == self.content(number), "{label} has another content");
                        true
                    }
                    None => false,
                },
            };
            if !is_there {
                missing.push(number);
            }
        }
        missing
    }

    fn service(&self) -> String {
        format!("service-of-{}", self.name)
    }

    fn label(&self, number: u64) -> String {
        format!("{}-{number}", self.name)
    }

    fn content(&self, number: u64) -> String {
        let mut content = format!("content {number} of {} ", self.name);
        // Some other letters in each, and none of them easily compressed away.
        let mut rng = Rng::seeded(number);
        while content.len() < self.bytes {
            write!(content, "{:016x}", rng.next_u64()).unwrap();
        }
        content
    }
}

fn port(number: u64) -> u16 {
    1 + (number % 60_000) as u16
}
