//! Whether delivery goes on, finishes, or ends now.

use contracts::Clock;
use mail::Timestamp;
use tokio::sync::watch;

/// The phases, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// At work.
    Running,
    /// What is in flight is finished, nothing else begun.
    Draining,
    /// What is in flight is given up, unless the other side has the final dot.
    Ended,
}

/// Returns when the phase is at least `phase`, or nobody leads any more.
pub(crate) async fn reached(mut phases: watch::Receiver<Phase>, phase: Phase) {
    // An error means that the runner is gone, which ends everything too.
    let _ = phases.wait_for(|now| *now >= phase).await;
}

/// Returns at `instant`, never without one.
pub(crate) async fn until(clock: &dyn Clock, instant: Option<Timestamp>) {
    match instant {
        Some(instant) => clock.sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
