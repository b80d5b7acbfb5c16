//! Stand-ins that record what they are given and fail on demand.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use contracts::store::{
    Acceptance, AttemptRecord, AuditEntry, BodyWriter, HistoryQuery, MaildropLock, MaildropMessage,
    MessageRef, QueueAction, QueueEntry, QueueFilter, Revision, RevisionHead, SettingsChange,
    SpooledBody, SpooledContent, Store, StoreError, Uid,
};
use contracts::{
    Clock, Counters, InterfaceSource, InterfacesError, MxAnswer, ResolveError, Resolver, Story,
    StoryEntry, StoryHead, UserRecord,
};
use mail::{Domain, QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::{DomainStanding, Interface, Interfaces, ServiceName};
use tokio::sync::watch;

/// Takes acceptances and stories; what is no business of the intake says `Closing`.
#[derive(Default)]
pub(crate) struct RecordingStore {
    pub(crate) accepted: Mutex<Vec<Acceptance>>,
    pub(crate) refused: Mutex<Vec<Story>>,
    pub(crate) batches: AtomicU64,
    pub(crate) disk_free_bytes: AtomicU64,
    pub(crate) disk_is_unknown: AtomicBool,
    pub(crate) spool_fails: AtomicBool,
    pub(crate) spool_end_fails: AtomicBool,
    pub(crate) commit_fails: AtomicBool,
}

struct Writer {
    octets: Vec<u8>,
    fails: bool,
    end_fails: bool,
}

fn no_space(attempted: &'static str) -> StoreError {
    StoreError::Full { attempted }
}

#[async_trait::async_trait]
impl BodyWriter for Writer {
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.octets.extend_from_slice(piece);
        if self.fails {
            Err(no_space("write a body"))
        } else {
            Ok(())
        }
    }

    fn size_bytes(&self) -> u64 {
        self.octets.len() as u64
    }

    fn head(&self) -> &[u8] {
        &self.octets[..self.octets.len().min(256 * 1024)]
    }

    async fn finish(self: Box<Self>) -> Result<SpooledBody, StoreError> {
        if self.end_fails {
            return Err(no_space("sync a body"));
        }
        Ok(SpooledBody {
            size_bytes: self.octets.len() as u64,
            content: SpooledContent::Memory(self.octets),
        })
    }
}

#[async_trait::async_trait]
impl Store for RecordingStore {
    fn new_body(&self) -> Box<dyn BodyWriter> {
        Box::new(Writer {
            octets: Vec::new(),
            fails: self.spool_fails.load(Ordering::Relaxed),
            end_fails: self.spool_end_fails.load(Ordering::Relaxed),
        })
    }

    async fn accept_message(&self, acceptance: Acceptance) -> Result<(), StoreError> {
        if self.commit_fails.load(Ordering::Relaxed) {
            return Err(StoreError::Io {
                attempted: "commit a message",
                failure: "input/output error".to_owned(),
            });
        }
        self.accepted.lock().unwrap().push(acceptance);
        Ok(())
    }

    fn disk_free_bytes(&self) -> Result<u64, StoreError> {
        if self.disk_is_unknown.load(Ordering::Relaxed) {
            return Err(StoreError::Closing);
        }
        Ok(self.disk_free_bytes.load(Ordering::Relaxed))
    }

    async fn record_refusals(&self, stories: Vec<Story>) -> Result<(), StoreError> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.refused.lock().unwrap().extend(stories);
        Ok(())
    }

    async fn last_id(&self) -> Result<Option<TransactionId>, StoreError> {
        Ok(Some(TransactionId::from_number(41)))
    }

    fn lock_maildrop(&self, _: &UserName) -> Result<MaildropLock, StoreError> {
        Err(StoreError::Closing)
    }
    async fn list_maildrop(&self, _: &UserName) -> Result<Vec<MaildropMessage>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn read_message(&self, _: &MessageRef, _: u64, _: usize) -> Result<Bytes, StoreError> {
        Err(StoreError::Closing)
    }
    async fn apply_deletions(&self, _: &UserName, _: &[Uid]) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn claim_due(
        &self,
        _: Timestamp,
        _: Timestamp,
        _: usize,
        _: &[String],
    ) -> Result<Vec<QueueEntry>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn release_claims(&self, _: &[(QueueId, u32)]) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn record_attempt(&self, _: AttemptRecord) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn list_queue(&self, _: &QueueFilter) -> Result<Vec<QueueEntry>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn change_queue(
        &self,
        _: &QueueFilter,
        _: QueueAction,
        _: &str,
        _: Timestamp,
    ) -> Result<u64, StoreError> {
        Err(StoreError::Closing)
    }
    async fn record_events(&self, _: Vec<StoryEntry>) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn search_history(&self, _: &HistoryQuery) -> Result<Vec<StoryHead>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn story(&self, _: TransactionId) -> Result<Story, StoreError> {
        Err(StoreError::Closing)
    }
    async fn trim_history(&self, _: Timestamp, _: u64, _: u64) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn settings(&self) -> Result<Option<Revision>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn save_settings(&self, _: u64, _: SettingsChange) -> Result<u64, StoreError> {
        Err(StoreError::Closing)
    }
    async fn revisions(&self) -> Result<Vec<RevisionHead>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn revision(&self, _: u64) -> Result<Revision, StoreError> {
        Err(StoreError::Closing)
    }
    async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn user(&self, _: &UserName) -> Result<Option<UserRecord>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn put_user(&self, _: &UserRecord, _: AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn remove_user(&self, _: &UserName, _: AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn stopped_services(&self) -> Result<Vec<ServiceName>, StoreError> {
        Err(StoreError::Closing)
    }
    async fn set_service_stopped(
        &self,
        _: ServiceName,
        _: bool,
        _: AuditEntry,
    ) -> Result<(), StoreError> {
        Err(StoreError::Closing)
    }
    async fn audit(&self, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Err(StoreError::Closing)
    }
}

/// A clock that stands still until it is put forward.
pub(crate) struct PausedClock {
    now: watch::Sender<Timestamp>,
}

impl PausedClock {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            now: watch::channel(now).0,
        }
    }

    pub(crate) fn advance(&self, by: std::time::Duration) {
        self.now.send_modify(|now| *now = now.plus(by));
    }
}

#[async_trait::async_trait]
impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let mut changes = self.now.subscribe();
        // The sender lives as long as `self`.
        let _ = changes.wait_for(|now| *now >= instant).await;
    }
}

/// Names of the test's Internet; a name that is not listed never gets an answer.
#[derive(Default)]
pub(crate) struct TestResolver {
    pub(crate) standings: Mutex<BTreeMap<String, DomainStanding>>,
    pub(crate) asked: AtomicU64,
}

#[async_trait::async_trait]
impl Resolver for TestResolver {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        Err(ResolveError::NoSuchDomain {
            name: domain.to_string(),
        })
    }

    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        Err(ResolveError::NoSuchDomain {
            name: host.to_string(),
        })
    }

    async fn domain_standing(&self, domain: &Domain) -> Result<DomainStanding, ResolveError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let known = self.standings.lock().unwrap().get(domain.as_str()).copied();
        match known {
            Some(standing) => Ok(standing),
            None if domain.as_str().starts_with("broken") => Err(ResolveError::NotLearnt {
                name: domain.to_string(),
                failure: "SERVFAIL".to_owned(),
            }),
            None => std::future::pending().await,
        }
    }
}

/// Counts for ever.
#[derive(Default)]
pub(crate) struct TestCounters {
    counts: Mutex<BTreeMap<IpAddr, u64>>,
}

impl Counters for TestCounters {
    fn count_message(&self, source: IpAddr, _: Timestamp) -> u64 {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(source).or_default();
        *count += 1;
        *count
    }

    fn messages_from(&self, source: IpAddr, _: Timestamp) -> u64 {
        let counts = self.counts.lock().unwrap();
        counts.get(&source).copied().unwrap_or(0)
    }
}

/// One card to the office, one to the Internet.
pub(crate) struct TwoCards;

impl InterfaceSource for TwoCards {
    fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
        let office = Interface {
            name: "lan0".to_owned(),
            addresses: vec![("192.168.1.1".parse().unwrap(), 24)],
            default_next_hops: Vec::new(),
            has_default_route: false,
        };
        let internet = Interface {
            name: "wan0".to_owned(),
            addresses: vec![("203.0.113.5".parse().unwrap(), 24)],
            default_next_hops: vec!["203.0.113.1".parse().unwrap()],
            has_default_route: true,
        };
        Ok(Interfaces {
            list: vec![office, internet],
        })
    }
}
