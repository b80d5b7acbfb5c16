//! Stories of transactions that left no message: written in batches, never waited for.
//!
//! Promises: a reply never waits for a write; past a rate per source, and when too many wait,
//! stories are counted instead of listed, so that strangers cannot fill the history.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::{Clock, Store, Story};
use mail::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::IntakeLimits;

/// Sources whose refusals are counted at one time.
const SOURCES_MAX: usize = 10_000;
const MINUTE: Duration = Duration::from_mins(1);

enum Order {
    Keep(Box<Story>),
    Flush(oneshot::Sender<()>),
}

/// Takes stories; a task of its own writes them.
pub(crate) struct Recorder {
    orders: mpsc::Sender<Order>,
    rates: Mutex<HashMap<IpAddr, Rate>>,
    per_minute_max: u32,
    counted: AtomicU64,
}

/// Refusals of one source within one minute.
#[derive(Clone, Copy)]
struct Rate {
    since: Timestamp,
    count: u32,
}

impl Recorder {
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        limits: &IntakeLimits,
    ) -> Self {
        let (orders, waiting) = mpsc::channel(limits.refusals_waiting_max.max(1));
        let writer = Writer {
            store,
            clock,
            batch_max: limits.refusals_batch_max.max(1),
            pause: limits.refusals_batch_pause,
        };
        // Ends by itself when the last order was taken and no recorder is left.
        tokio::spawn(writer.run(waiting));
        Self {
            orders,
            rates: Mutex::default(),
            per_minute_max: limits.refusals_per_source_per_minute_max,
            counted: AtomicU64::new(0),
        }
    }

    /// Whether one more refusal from `source` is listed.
    pub(crate) fn lists(&self, source: IpAddr, now: Timestamp) -> bool {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        match rates.get(&prefix_of(source)).filter(|rate| rate.holds(now)) {
            Some(rate) => rate.count < self.per_minute_max,
            None => rates.len() < SOURCES_MAX,
        }
    }

    /// Takes a story; it is counted only when it is not to be listed or too many wait.
    pub(crate) fn record(&self, story: Story, listed: bool, now: Timestamp) {
        if let Some(connection) = &story.head.connection {
            self.count(connection.peer.ip(), now);
        }
        if !listed || self.orders.try_send(Order::Keep(Box::new(story))).is_err() {
            self.counted.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(&self, source: IpAddr, now: Timestamp) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= SOURCES_MAX {
            rates.retain(|_, rate| rate.holds(now));
        }
        let source = prefix_of(source);
        let Some(rate) = rates.get_mut(&source) else {
            if rates.len() < SOURCES_MAX {
                rates.insert(
                    source,
                    Rate {
                        since: now,
                        count: 1,
                    },
                );
            }
            return;
        };
        if !rate.holds(now) {
            *rate = Rate {
                since: now,
                count: 0,
            };
        }
        rate.count = rate.count.saturating_add(1);
        if rate.count == self.per_minute_max {
            tracing::info!("refusals from one source are counted, no longer listed, this minute");
        }
    }

    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.orders.send(Order::Flush(done)).await.is_ok() {
            // An error means that the writer is gone, and with it all that waited.
            let _ = written.await;
        }
    }
}

impl Rate {
    fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && now.since(self.since) < MINUTE
    }
}

/// Whom a source is counted as: an IPv4 address, or the /64 that one IPv6 site has.
fn prefix_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

/// The task that writes.
struct Writer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    batch_max: usize,
    pause: Duration,
}

/// Stories of one write, and who wants to know of it.
#[derive(Default)]
struct Batch {
    stories: Vec<Story>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn take(&mut self, order: Order) {
        match order {
            Order::Keep(story) => self.stories.push(*story),
            Order::Flush(done) => self.waiting.push(done),
        }
    }
}

impl Writer {
    async fn run(self, mut orders: mpsc::Receiver<Order>) {
        while let Some(first) = orders.recv().await {
            let batch = self.gather(first, &mut orders).await;
            let size = batch.stories.len();
            if size > 0
                && let Err(failed) = self.store.record_refusals(batch.stories).await
            {
                tracing::warn!(%failed, size, "stories of refusals were lost");
            }
            for done in batch.waiting {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }

    /// What comes within the pause, up to a full batch or somebody who waits.
    async fn gather(&self, first: Order, orders: &mut mpsc::Receiver<Order>) -> Batch {
        let mut batch = Batch::default();
        batch.take(first);
        let until = self.clock.now().plus(self.pause);
        while batch.stories.len() < self.batch_max && batch.waiting.is_empty() {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => batch.take(order),
                    None => break,
                },
                () = self.clock.sleep_until(until) => break,
            }
        }
        batch
    }
}
