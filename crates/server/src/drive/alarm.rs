//! The one timer of a connection.
//!
//! Promises: input does not touch it: it rings, looks at the deadline as it then stands, and is
//! set again; a civil clock that goes back leaves no connection open for longer than it should be.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use contracts::Clock;
use mail::Timestamp;

/// No deadline is further away; one that is was set before the clock went back.
const FURTHEST: Duration = Duration::from_mins(30);

pub(super) struct Alarm {
    clock: Arc<dyn Clock>,
    set: Option<(Timestamp, Sleep)>,
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Alarm {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, set: None }
    }

    /// Returns when `deadline` has come, with the instant to tell the session; waits for ever
    /// without one. May be dropped and called again with another deadline.
    pub(super) async fn reached(&mut self, deadline: Option<Timestamp>) -> Timestamp {
        let Some(deadline) = deadline else {
            return pending().await;
        };
        loop {
            if self.set.as_ref().is_none_or(|(at, _)| *at > deadline) {
                self.set_to(deadline);
            }
            let Some((at, sleep)) = &mut self.set else {
                return deadline;
            };
            let at = *at;
            sleep.await;
            self.set = None;
            // It slept until `at`, whatever the clock says now.
            let now = self.clock.now();
            if deadline <= now.max(at) || deadline.since(now) > FURTHEST {
                return deadline.max(now);
            }
        }
    }

    fn set_to(&mut self, at: Timestamp) {
        let clock = Arc::clone(&self.clock);
        self.set = Some((at, Box::pin(async move { clock.sleep_until(at).await })));
    }
}
