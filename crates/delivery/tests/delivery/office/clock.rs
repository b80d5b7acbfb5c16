//! A clock that stands until the test moves it.

use std::time::Duration;

use contracts::Clock;
use mail::Timestamp;
use tokio::sync::watch;

use super::BEGIN;

/// The clock.
pub(crate) struct StandingClock(watch::Sender<Timestamp>);

impl StandingClock {
    pub(crate) fn new() -> Self {
        Self(watch::channel(BEGIN).0)
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.send_modify(|now| *now = now.plus(time));
    }
}

#[async_trait::async_trait]
impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let mut now = self.0.subscribe();
        now.wait_for(|now| *now >= instant).await.unwrap();
    }
}
