//! `Intake`: what all doors share.
//!
//! Promises: cheap to share behind an `Arc`; holds no lock across a wait.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use contracts::store::Acceptance;
use contracts::{
    Clock, Counters, InterfaceSource, Live, Resolver, Store, StoreError, Story, StoryEntry,
};
use policy::Decision;
use policy::facts::{ConnectionFacts, ServiceName};
use tokio::sync::broadcast;

use crate::facts::SenderDomains;
use crate::recorder::Recorder;
use crate::{Door, Ids, Report, ReportError, Reports, network};

/// Numbers of the intake that are not on any tab; tests choose others.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// Longest wait for one fact from outside; after it the fact could not be learnt. Default: 5 s.
    pub fact_deadline: Duration,
    /// How long an answer about a sender's domain is remembered. Default: 60 s.
    pub sender_domain_kept: Duration,
    /// How many such answers are remembered. Default: 10,000.
    pub sender_domains_max: usize,
    /// Stories of refusals that wait for their batch; more are counted only. Default: 10,000.
    pub refusals_waiting_max: usize,
    /// Stories of refusals written in one batch. Default: 500.
    pub refusals_batch_max: usize,
    /// How long a batch is gathered. Default: 500 ms.
    pub refusals_batch_pause: Duration,
    /// Stories of refusals listed from one source in a minute; more are counted only. Default: 60.
    pub refusals_per_source_per_minute_max: u32,
    /// Largest header section in octets; a larger one is refused as too large. Default: 1 MiB.
    pub header_bytes_max: usize,
    /// Octets that all unusually large header sections under way may take together; above it
    /// senders are asked to come again. Default: 32 MiB.
    pub large_headers_bytes_max: u64,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self {
            fact_deadline: Duration::from_secs(5),
            sender_domain_kept: Duration::from_mins(1),
            sender_domains_max: 10_000,
            refusals_waiting_max: 10_000,
            refusals_batch_max: 500,
            refusals_batch_pause: Duration::from_millis(500),
            refusals_per_source_per_minute_max: 60,
            header_bytes_max: 1024 * 1024,
            large_headers_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// What the intake is made of.
pub struct Parts {
    /// Where messages and stories are kept.
    pub store: Arc<dyn Store>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Asks DNS.
    pub resolver: Arc<dyn Resolver>,
    /// Counts messages by source.
    pub counters: Arc<dyn Counters>,
    /// What the network looks like.
    pub interfaces: Arc<dyn InterfaceSource>,
    /// Settings and users in force.
    pub live: Arc<Live>,
    /// Gives a random number for each id.
    pub random: Box<dyn Fn() -> u32 + Send + Sync>,
    /// Called after a commit that put something into the queue; must return at once.
    pub queued: Arc<dyn Fn() + Send + Sync>,
    /// Numbers.
    pub limits: IntakeLimits,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The one way in for a message.
pub struct Intake {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) counters: Arc<dyn Counters>,
    pub(crate) interfaces: Arc<dyn InterfaceSource>,
    pub(crate) live: Arc<Live>,
    pub(crate) queued: Arc<dyn Fn() + Send + Sync>,
    pub(crate) limits: IntakeLimits,
    pub(crate) ids: Arc<Ids>,
    pub(crate) sender_domains: SenderDomains,
    /// Octets held by header sections that are unusually large.
    pub(crate) large_headers_bytes: Arc<AtomicU64>,
    recorder: Recorder,
    listeners: broadcast::Sender<StoryEntry>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Intake {
    /// Opens the way in: reads the greatest id in the store and starts the recorder of refusals
    /// on the present runtime.
    ///
    /// # Errors
    /// `StoreError` when the store cannot be read; nothing was started then.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, StoreError> {
        let last = parts.store.last_id().await?;
        let (listeners, _) = broadcast::channel(256);
        let recorder = Recorder::start(
            Arc::clone(&parts.store),
            Arc::clone(&parts.clock),
            &parts.limits,
        );
        Ok(Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            resolver: parts.resolver,
            counters: parts.counters,
            interfaces: parts.interfaces,
            live: parts.live,
            queued: parts.queued,
            limits: parts.limits,
            ids: Arc::new(Ids::after(last, parts.random)),
            sender_domains: SenderDomains::new(&parts.limits),
            large_headers_bytes: Arc::default(),
            recorder,
            listeners,
        }))
    }

    /// The facts of a connection before anything was said; doors and `explain` both begin here.
    pub fn connection_facts(
        &self,
        peer: SocketAddr,
        local: SocketAddr,
        service: ServiceName,
    ) -> ConnectionFacts {
        let current = self.live.current();
        network::connection_facts(
            self.interfaces.as_ref(),
            &current.settings.security,
            (peer, local),
            service,
        )
    }

    /// Whether this connection is served at all; `open_total` and `open_from_source` count the
    /// connections that are open already, without this one.
    pub fn admit(
        &self,
        connection: &ConnectionFacts,
        open_total: u64,
        open_from_source: u64,
    ) -> Decision {
        let current = self.live.current();
        policy::connection::connection(&current.settings, connection, open_total, open_from_source)
    }

    /// The ids of this node's transactions, for others who make some.
    pub fn ids(&self) -> Arc<Ids> {
        Arc::clone(&self.ids)
    }

    /// A door for one connection; see `Door` for the order of calls.
    pub fn begin(self: &Arc<Self>, connection: ConnectionFacts) -> Door {
        Door::new(Arc::clone(self), connection)
    }

    /// What reports of our own are made ready with; cheap to clone.
    pub fn reports(&self) -> Reports {
        Reports::new(
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&self.live),
            Arc::clone(&self.ids),
        )
    }

    /// Everything that happens to mail on its way in, from now on. Who reads too slowly misses
    /// some.
    pub fn listen(&self) -> broadcast::Receiver<StoryEntry> {
        self.listeners.subscribe()
    }

    /// Transactions that ended without a message and were counted instead of listed.
    pub fn refusals_counted(&self) -> u64 {
        self.recorder.counted()
    }

    /// Returns when every story handed over so far is written or given up.
    pub async fn flush(&self) {
        self.recorder.flush().await;
    }

    /// Whether a refusal from `source` would be listed now.
    pub(crate) fn lists_refusals_from(&self, source: IpAddr) -> bool {
        self.recorder.lists(source, self.clock.now())
    }

    /// Hands over the story of a transaction that left no message.
    pub(crate) fn record(&self, story: Story, listed: bool) {
        self.publish(&story.entries);
        self.recorder.record(story, listed, self.clock.now());
    }

    /// Commits a message, tells those who listen, and wakes whoever sends.
    pub(crate) async fn commit(&self, acceptance: Acceptance) -> Result<(), StoreError> {
        let told = self.is_heard().then(|| acceptance.story.entries.clone());
        let queued = !acceptance.queue.is_empty();
        self.store.accept_message(acceptance).await?;
        self.publish(&told.unwrap_or_default());
        if queued {
            (self.queued)();
        }
        Ok(())
    }

    /// Sends a report of our own. The message that it is about is accepted already, so a failure
    /// here is for the log alone.
    pub(crate) async fn send_report(&self, report: Report) {
        let about = report.about;
        let sent = match self.reports().acceptance(report).await {
            Ok(acceptance) => self.commit(acceptance).await.map_err(ReportError::from),
            Err(failed) => Err(failed),
        };
        if let Err(failed) = sent {
            tracing::warn!(%about, %failed, "a report of delivery was not sent");
        }
    }

    fn is_heard(&self) -> bool {
        self.listeners.receiver_count() > 0
    }

    /// Tells those who listen.
    pub(crate) fn publish(&self, entries: &[StoryEntry]) {
        if !self.is_heard() {
            return;
        }
        for entry in entries {
            // Nobody left to hear it is no failure.
            let _ = self.listeners.send(entry.clone());
        }
    }
}
