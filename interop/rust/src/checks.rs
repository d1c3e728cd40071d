//! Runs the checks of a scenario one after the other and prints what came of each.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::bail;

/// Longer than any push or retry of the client.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Which checks have failed.
#[derive(Default)]
pub(crate) struct Checks {
    failed: bool,
}

impl Checks {
    pub(crate) async fn check(&mut self, name: &str, body: impl Future<Output = anyhow::Result<()>>) {
        match body.await {
            Ok(()) => println!("ok {name}"),
            Err(problem) => {
                self.failed = true;
                println!("FAIL {name}: {}", format!("{problem:#}").replace('\n', " "));
            }
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }
}

pub(crate) fn equal<T: PartialEq + Debug>(expected: T, actual: T) -> anyhow::Result<()> {
    if expected != actual {
        bail!("expected {}, got {}", cut(&expected), cut(&actual));
    }
    Ok(())
}

/// Waits until a value is as expected; the last one seen is in the failure.
pub(crate) async fn eventually<T, F>(
    within: Duration,
    expected: T,
    mut value: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    T: PartialEq + Debug,
    F: Future<Output = anyhow::Result<T>>,
{
    let deadline = Instant::now() + within;
    loop {
        let seen = value().await;
        if seen.as_ref().is_ok_and(|seen| *seen == expected) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("expected {} within {within:?}, got {}", cut(&expected), cut(&seen));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn cut(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let length = text.chars().count();
    if length > 300 {
        format!("{}... ({length} characters)", text.chars().take(300).collect::<String>())
    } else {
        text
    }
}
