//! Time, randomness, tasks, network and disk as small traits with their real implementations, so that everything else
//! can be run under other ones. Alone in the workspace this crate may read a clock or spawn a task.

mod clock;
pub mod disk;
mod machine;
pub mod net;
mod rng;
mod tasks;

pub use clock::{Clock, ManualClock, SkippingClock, SystemClock};
pub use machine::{Machine, MachineLoad};
pub use rng::Rng;
pub use tasks::{BlockingError, Tasks};
