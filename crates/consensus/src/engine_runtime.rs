//! What openraft runs on: tokio, with randomness that a seed decides.

use muster_runtime::Rng;
use openraft::{AsyncRuntime, OptionalSend, async_runtime::AsyncOneshotSendExt};
use std::{cell::RefCell, fmt, future::Future, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

thread_local! {
    /// Where openraft's draws on this thread come from.
    static RNG: RefCell<Rng> = RefCell::new(Rng::from_system());
}

/// From now on openraft's draws on this thread are decided by a seed.
pub(crate) fn seed(seed: u64) {
    RNG.with_borrow_mut(|rng| *rng = Rng::seeded(seed));
}

/// The runtime, as openraft sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineRuntime;

/// A handle to the thread's generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws;

impl rand_core::RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        // The upper half.
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        RNG.with_borrow_mut(Rng::next_u64)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

/// Sends an answer. Nobody has to wait for it: the state machine answers those who wait for an entry, and openraft
/// would warn of each.
pub(crate) struct Answers<T>(oneshot::Sender<T>);

impl<T: OptionalSend> AsyncOneshotSendExt<T> for Answers<T> {
    fn send(self, answer: T) -> Result<(), T> {
        self.0.send(answer).ok();
        Ok(())
    }
}

impl<T> fmt::Debug for Answers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

impl AsyncRuntime for EngineRuntime {
    type JoinError = tokio::task::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = JoinHandle<T>;
    type Sleep = tokio::time::Sleep;
    type Instant = Instant;
    type TimeoutError = tokio::time::error::Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = tokio::time::Timeout<T>;
    type ThreadLocalRng = Draws;
    type OneshotSender<T: OptionalSend> = Answers<T>;
    type OneshotReceiverError = oneshot::error::RecvError;
    type OneshotReceiver<T: OptionalSend> = oneshot::Receiver<T>;

    /// openraft ends its tasks itself when it is shut down, and they live on the engine's own thread.
    #[expect(clippy::disallowed_methods, reason = "openraft owns the task")]
    fn spawn<T>(future: T) -> JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        tokio::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn sleep_until(deadline: Instant) -> Self::Sleep {
        tokio::time::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        tokio::time::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        tokio::time::timeout_at(deadline, future)
    }

    fn is_panic(error: &Self::JoinError) -> bool {
        error.is_panic()
    }

    fn thread_rng() -> Draws {
        Draws
    }

    fn oneshot<T: OptionalSend>() -> (Answers<T>, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Answers(sender), receiver)
    }
}
