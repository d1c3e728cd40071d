//! Lets calls that come at the same time share one round.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};
use tokio::sync::Mutex;

/// A read barrier: a round counts only for those who came before it began.
#[derive(Default)]
pub(crate) struct Barrier<T> {
    /// Rounds begun so far.
    begun: AtomicU64,
    /// The newest round that succeeded, and what it came to; holding it is making a round.
    succeeded: Mutex<(u64, T)>,
}

impl<T: Clone> Barrier<T> {
    /// Makes a round, or waits for one that somebody else begins from now on.
    pub(crate) async fn pass<E>(&self, round: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let seen = self.begun.load(SeqCst);
        let mut succeeded = self.succeeded.lock().await;
        if succeeded.0 > seen {
            return Ok(succeeded.1.clone());
        }
        let number = self.begun.fetch_add(1, SeqCst) + 1;
        let result = round.await?;
        *succeeded = (number, result.clone());
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::cell::Cell;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn those_who_wait_share_the_next_round_and_not_the_one_under_way() {
        let (barrier, rounds, go) = (Barrier::<usize>::default(), Cell::new(0), Notify::new());
        let pass = || {
            Box::pin(barrier.pass(async {
                rounds.set(rounds.get() + 1);
                go.notified().await;
                Ok::<usize, ()>(rounds.get())
            }))
        };
        let mut first = pass();
        assert!(first.as_mut().now_or_never().is_none());
        let mut others = [pass(), pass(), pass()];
        assert!(others.iter_mut().all(|other| other.as_mut().now_or_never().is_none()));
        go.notify_one();
        first.await.unwrap();
        assert!(others[0].as_mut().now_or_never().is_none(), "the first round began before it came");
        go.notify_one();
        for other in others {
            assert_eq!(other.await, Ok(2));
        }
        assert_eq!(rounds.get(), 2);
    }
}
