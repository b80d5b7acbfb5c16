//! A store in memory that can lose power.
//!
//! Promises: passes the conformance suite; keeps what is synced apart from what is not, so that a
//! simulated power cut drops whatever was not promised yet; steps can be made to fail.
//! A step waits unsynced for one turn of the scheduler; there another task, or the cut, gets in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mail::{QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;

use super::state::State;
use super::steps::{Answer, Change, Claim, Step, Trim};
use crate::store::{
    Acceptance, AttemptRecord, AuditEntry, HistoryQuery, MaildropLock, MaildropMessage, MessageRef,
    QueueAction, QueueEntry, QueueFilter, Revision, RevisionHead, SettingsChange, SpooledBody,
    SpooledContent, Uid,
};
use crate::{BodyWriter, Store, StoreError, Story, StoryEntry, StoryHead, UserRecord};

/// What a step that was made to fail answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `StoreError::Full`.
    Full,
    /// `StoreError::Io`.
    Io,
}

impl Fault {
    fn error(self) -> StoreError {
        let attempted = "take a step";
        match self {
            Self::Full => StoreError::Full { attempted },
            Self::Io => StoreError::Io {
                attempted,
                failure: "a fault that was asked for".to_owned(),
            },
        }
    }
}

/// The largest head that a body writer shows.
const HEAD_BYTES_MAX: usize = 256 * 1024;

struct Disk {
    state: State,
    /// Steps begun and not yet synced, in order.
    unsynced: Vec<(u64, Step)>,
    /// Answers of synced steps that were not fetched yet.
    answers: BTreeMap<u64, Result<Answer, StoreError>>,
    /// Steps begun since the beginning.
    steps: u64,
    faults: BTreeMap<u64, Fault>,
    /// Grows with every power cut.
    boots: u64,
    free_bytes: u64,
    locked: BTreeSet<UserName>,
}

impl Disk {
    fn sync(&mut self) {
        for (number, step) in std::mem::take(&mut self.unsynced) {
            let answer = match self.faults.remove(&number) {
                Some(fault) => Err(fault.error()),
                None => self.state.apply(step),
            };
            self.answers.insert(number, answer);
        }
    }
}

/// The store.
#[derive(Clone)]
pub struct MemoryStore {
    disk: Arc<Mutex<Disk>>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store with a terabyte free.
    pub fn new() -> Self {
        Self {
            disk: Arc::new(Mutex::new(Disk {
                state: State::default(),
                unsynced: Vec::new(),
                answers: BTreeMap::new(),
                steps: 0,
                faults: BTreeMap::new(),
                boots: 0,
                free_bytes: 1 << 40,
                locked: BTreeSet::new(),
            })),
        }
    }

    /// Cuts the power and starts again: of the steps not synced, a first part that `seed` chooses
    /// survives, though nobody was told; their callers get `Closing`. Locks and leases are gone.
    pub fn power_cut(&self, seed: u64) {
        let mut disk = self.disk();
        let unsynced = std::mem::take(&mut disk.unsynced);
        let choices = u64::try_from(unsynced.len()).unwrap_or(u64::MAX) + 1;
        let survivors = usize::try_from(scattered(seed) % choices).unwrap_or(0);
        for (number, step) in unsynced.into_iter().take(survivors) {
            if !disk.faults.contains_key(&number) {
                drop(disk.state.apply(step));
            }
        }
        disk.answers.clear();
        disk.locked.clear();
        disk.state.release_all();
        disk.boots += 1;
    }

    /// Makes the `nth` step from now fail (0: the next one). Steps are what writes: acceptances,
    /// bodies that are finished, deletions, claims, records, changes.
    pub fn fail_step(&self, nth: u64, fault: Fault) {
        let mut disk = self.disk();
        let number = disk.steps + nth;
        disk.faults.insert(number, fault);
    }

    /// Steps begun so far, for sweeps over every step of a run.
    pub fn steps(&self) -> u64 {
        self.disk().steps
    }

    /// What `disk_free_bytes` answers from now on.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.disk().free_bytes = bytes;
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.disk().state)
    }

    async fn step(&self, step: Step) -> Result<Answer, StoreError> {
        let number = {
            let mut disk = self.disk();
            let number = disk.steps;
            disk.steps += 1;
            disk.unsynced.push((number, step));
            number
        };
        // Between the write and the sync: whoever else is ready runs now, a power cut too.
        tokio::task::yield_now().await;
        let mut disk = self.disk();
        disk.sync();
        let answer = disk.answers.remove(&number);
        answer.unwrap_or(Err(StoreError::Closing))
    }

    async fn done(&self, step: Step) -> Result<(), StoreError> {
        self.step(step).await.map(drop)
    }

    /// Gives a body that this store spooled its octets back.
    fn unwrap_body(&self, mut acceptance: Acceptance) -> Result<Acceptance, StoreError> {
        let octets = match acceptance.body.content {
            SpooledContent::Memory(octets) => octets,
            SpooledContent::Kept(kept) => match kept.downcast::<Spooled>() {
                Ok(spooled) if spooled.boot == self.disk().boots => spooled.octets,
                Ok(_) => return Err(StoreError::Closing),
                Err(_) => {
                    return Err(StoreError::Io {
                        attempted: "accept message",
                        failure: "the body was spooled by another store".to_owned(),
                    });
                }
            },
        };
        acceptance.body.content = SpooledContent::Memory(octets);
        Ok(acceptance)
    }
}

/// Spreads a seed over all bits (the finaliser of splitmix64).
fn scattered(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A finished body; it does not outlive a power cut.
struct Spooled {
    octets: Vec<u8>,
    boot: u64,
}

struct Writer {
    store: MemoryStore,
    spooled: Spooled,
}

#[async_trait::async_trait]
impl BodyWriter for Writer {
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.spooled.octets.extend_from_slice(piece);
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        u64::try_from(self.spooled.octets.len()).unwrap_or(u64::MAX)
    }

    fn head(&self) -> &[u8] {
        let octets = &self.spooled.octets;
        octets.get(..HEAD_BYTES_MAX).unwrap_or(octets)
    }

    async fn finish(self: Box<Self>) -> Result<SpooledBody, StoreError> {
        let fault = {
            let mut disk = self.store.disk();
            let number = disk.steps;
            disk.steps += 1;
            disk.faults.remove(&number)
        };
        match fault {
            Some(fault) => Err(fault.error()),
            None => Ok(SpooledBody {
                size_bytes: self.size_bytes(),
                content: SpooledContent::Kept(Box::new(self.spooled)),
            }),
        }
    }
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    fn new_body(&self) -> Box<dyn BodyWriter> {
        Box::new(Writer {
            store: self.clone(),
            spooled: Spooled {
                octets: Vec::new(),
                boot: self.disk().boots,
            },
        })
    }

    async fn accept_message(&self, acceptance: Acceptance) -> Result<(), StoreError> {
        let acceptance = self.unwrap_body(acceptance)?;
        self.done(Step::Accept(Box::new(acceptance))).await
    }

    fn disk_free_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.disk().free_bytes)
    }

    fn lock_maildrop(&self, user: &UserName) -> Result<MaildropLock, StoreError> {
        let mut disk = self.disk();
        if !disk.locked.insert(user.clone()) {
            return Err(StoreError::InUse);
        }
        let (store, user, boot) = (self.clone(), user.clone(), disk.boots);
        Ok(MaildropLock::new(move || {
            let mut disk = store.disk();
            if disk.boots == boot {
                disk.locked.remove(&user);
            }
        }))
    }

    async fn list_maildrop(&self, user: &UserName) -> Result<Vec<MaildropMessage>, StoreError> {
        Ok(self.read(|state| state.list(user)))
    }

    async fn read_message(
        &self,
        message: &MessageRef,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Bytes, StoreError> {
        self.read(|state| state.read(message, offset, max_bytes))
    }

    async fn apply_deletions(&self, user: &UserName, uids: &[Uid]) -> Result<(), StoreError> {
        self.done(Step::Delete(user.clone(), uids.to_vec())).await
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
        skip: &[String],
    ) -> Result<Vec<QueueEntry>, StoreError> {
        let skip = skip.to_vec();
        let claim = Claim {
            now,
            lease_until,
            limit,
            skip,
        };
        Ok(self.step(Step::Claim(claim)).await?.entries)
    }

    async fn release_claims(&self, entries: &[(QueueId, u32)]) -> Result<(), StoreError> {
        self.done(Step::Release(entries.to_vec())).await
    }

    async fn record_attempt(&self, mut record: AttemptRecord) -> Result<(), StoreError> {
        let reports = record.reports.into_iter();
        record.reports = reports
            .map(|report| self.unwrap_body(report))
            .collect::<Result<_, _>>()?;
        self.done(Step::Attempt(Box::new(record))).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.read(State::next_due))
    }

    async fn list_queue(&self, filter: &QueueFilter) -> Result<Vec<QueueEntry>, StoreError> {
        Ok(self.read(|state| state.list_queue(filter)))
    }

    async fn change_queue(
        &self,
        filter: &QueueFilter,
        action: QueueAction,
        operator: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let change = Change {
            filter: filter.clone(),
            action,
            operator: operator.to_owned(),
            at,
        };
        Ok(self.step(Step::ChangeQueue(change)).await?.number)
    }

    async fn record_refusals(&self, stories: Vec<Story>) -> Result<(), StoreError> {
        self.done(Step::Refusals(stories)).await
    }

    async fn record_events(&self, entries: Vec<StoryEntry>) -> Result<(), StoreError> {
        self.done(Step::Events(entries)).await
    }

    async fn search_history(&self, query: &HistoryQuery) -> Result<Vec<StoryHead>, StoreError> {
        Ok(self.read(|state| state.search(query)))
    }

    async fn story(&self, id: TransactionId) -> Result<Story, StoreError> {
        let story = self.read(|state| state.stories.get(&id).cloned());
        story.ok_or_else(|| StoreError::NotFound {
            what: format!("the story {id}"),
        })
    }

    async fn trim_history(
        &self,
        before: Timestamp,
        bytes_max: u64,
        refusals_bytes_max: u64,
    ) -> Result<(), StoreError> {
        let trim = Trim {
            before,
            bytes_max,
            refusals_bytes_max,
        };
        self.done(Step::Trim(trim)).await
    }

    async fn last_id(&self) -> Result<Option<TransactionId>, StoreError> {
        Ok(self.read(|state| state.last_id))
    }

    async fn settings(&self) -> Result<Option<Revision>, StoreError> {
        Ok(self.read(|state| state.revisions.last().cloned()))
    }

    async fn save_settings(
        &self,
        expected_revision: u64,
        change: SettingsChange,
    ) -> Result<u64, StoreError> {
        let step = Step::SaveSettings(expected_revision, change);
        Ok(self.step(step).await?.number)
    }

    async fn revisions(&self) -> Result<Vec<RevisionHead>, StoreError> {
        let heads = |state: &State| {
            let newest_first = state.revisions.iter().rev();
            newest_first
                .map(|revision| revision.head.clone())
                .collect::<Vec<_>>()
        };
        Ok(self.read(heads))
    }

    async fn revision(&self, number: u64) -> Result<Revision, StoreError> {
        let found = self.read(|state| {
            let mut revisions = state.revisions.iter();
            revisions.find(|known| known.head.number == number).cloned()
        });
        found.ok_or_else(|| StoreError::NotFound {
            what: format!("revision {number}"),
        })
    }

    async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        Ok(self.read(|state| state.users.values().cloned().collect()))
    }

    async fn user(&self, name: &UserName) -> Result<Option<UserRecord>, StoreError> {
        Ok(self.read(|state| state.users.get(name).cloned()))
    }

    async fn put_user(&self, user: &UserRecord, audit: AuditEntry) -> Result<(), StoreError> {
        let step = Step::PutUser(Box::new(user.clone()), audit);
        self.done(step).await
    }

    async fn remove_user(&self, name: &UserName, audit: AuditEntry) -> Result<(), StoreError> {
        self.done(Step::RemoveUser(name.clone(), audit)).await
    }

    async fn stopped_services(&self) -> Result<Vec<ServiceName>, StoreError> {
        Ok(self.read(|state| state.stopped.clone()))
    }

    async fn set_service_stopped(
        &self,
        service: ServiceName,
        stopped: bool,
        audit: AuditEntry,
    ) -> Result<(), StoreError> {
        let step = Step::SetService(service, stopped, audit);
        self.done(step).await
    }

    async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.read(|state| state.audit.iter().rev().take(limit).cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Subject;
    use crate::conformance::samples::{TEXT, delivery, message, uids};

    struct InMemory(MemoryStore);

    #[async_trait::async_trait]
    impl Subject for InMemory {
        fn store(&self) -> Arc<dyn Store> {
            Arc::new(self.0.clone())
        }

        async fn restart(&mut self) {
            self.0.power_cut(1);
        }
    }

    #[expect(
        clippy::unused_async,
        reason = "the suite makes subjects that need time"
    )]
    async fn fresh() -> InMemory {
        InMemory(MemoryStore::new())
    }

    crate::store_conformance!(fresh);

    /// Begins `count` acceptances, cuts the power before any is synced, and returns the answers.
    async fn cut_in_the_middle(store: &MemoryStore, count: u64, seed: u64) -> Vec<bool> {
        let mut tasks = Vec::new();
        for number in 1..=count {
            let mut acceptance = message(store, number, TEXT).await;
            acceptance.deliveries.push(delivery("alice"));
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store.accept_message(acceptance).await.is_ok()
            }));
        }
        while store.disk().unsynced.len() < usize::try_from(count).unwrap() {
            tokio::task::yield_now().await;
        }
        store.power_cut(seed);
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn a_power_cut_drops_only_what_nobody_was_told() {
        let mut survivors = BTreeSet::new();
        for seed in 0..40 {
            let store = MemoryStore::new();
            let answers = cut_in_the_middle(&store, 1, seed).await;
            assert_eq!(answers, [false]);
            survivors.insert(uids(&store, "alice").await.len());
        }
        assert_eq!(survivors, BTreeSet::from([0, 1]));
    }

    #[tokio::test]
    async fn a_step_that_was_made_to_fail_does_nothing() {
        let store = MemoryStore::new();
        store.fail_step(1, Fault::Full);
        let mut acceptance = message(&store, 1, TEXT).await;
        acceptance.deliveries.push(delivery("alice"));
        let failed = store.accept_message(acceptance).await;
        assert!(matches!(failed, Err(StoreError::Full { .. })));
        assert!(uids(&store, "alice").await.is_empty());
        let mut acceptance = message(&store, 1, TEXT).await;
        acceptance.deliveries.push(delivery("alice"));
        store.accept_message(acceptance).await.unwrap();
    }
}
