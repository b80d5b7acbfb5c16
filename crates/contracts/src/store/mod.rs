//! What is kept, as whole steps.
//!
//! Promises, above all others: what was acknowledged survives a power cut at any instant; no step
//! is ever half visible. A method that returned `Ok` is durable; one that returned an error did
//! nothing that anybody can see.

mod body;
mod message;
mod office;
mod queue;
mod window;

pub use body::{BodyWriter, SpooledBody, SpooledContent};
pub use message::{
    Acceptance, LocalDelivery, MaildropLock, MaildropMessage, MessageRef, Rendition, Uid,
};
pub use office::{AuditEntry, HistoryQuery, Revision, RevisionHead, SettingsChange};
pub use queue::{
    AttemptRecord, NewQueueEntry, QueueAction, QueueEntry, QueueFilter, QueueState,
    RecipientResult, ResultEnd,
};
pub use window::Window;

use bytes::Bytes;
use mail::{QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;

use crate::{Story, StoryEntry, StoryHead, UserRecord};

/// What the store could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk or file system said no.
    #[error("{attempted}: {failure}")]
    Io {
        /// What was attempted.
        attempted: &'static str,
        /// What the system said.
        failure: String,
    },
    /// No room is left.
    #[error("{attempted}: no space is left")]
    Full {
        /// What was attempted.
        attempted: &'static str,
    },
    /// What is stored cannot be read; it was set aside.
    #[error("{attempted}: what is stored is damaged: {failure}")]
    Damaged {
        /// What was attempted.
        attempted: &'static str,
        /// What is wrong with it.
        failure: String,
    },
    /// No such message, user or revision.
    #[error("{what} does not exist")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// Somebody else changed the settings first.
    #[error("the settings were changed meanwhile: revision {found} is in force, not {expected}")]
    Conflict {
        /// The revision the change began from.
        expected: u64,
        /// The revision in force.
        found: u64,
    },
    /// Another session has this mailbox open.
    #[error("the mailbox is in use by another session")]
    InUse,
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Io { .. } | Self::Full { .. } | Self::InUse | Self::Closing
        )
    }
}

/// The store. Methods are whole steps; see the module for the two promises.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    // --- messages in ---

    /// Begins a body; nothing of it is kept unless `accept_message` names it.
    fn new_body(&self) -> Box<dyn BodyWriter>;

    /// The one commit of a message: body, envelope, mailboxes, queue entries, story.
    ///
    /// # Errors
    /// After an error nothing of the message exists.
    async fn accept_message(&self, acceptance: Acceptance) -> Result<(), StoreError>;

    /// Free bytes where messages are kept.
    ///
    /// # Errors
    /// When the system does not say.
    fn disk_free_bytes(&self) -> Result<u64, StoreError>;

    // --- mailboxes ---

    /// Takes the one lock of a mailbox; dropping it gives the mailbox free.
    ///
    /// # Errors
    /// `InUse` while another session holds it.
    fn lock_maildrop(&self, user: &UserName) -> Result<MaildropLock, StoreError>;

    /// The messages of a mailbox, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn list_maildrop(&self, user: &UserName) -> Result<Vec<MaildropMessage>, StoreError>;

    /// At most `max_bytes` octets of a message from `offset` on, as its reader gets it: prefix,
    /// then body without the cuts. Fewer only at the end; empty at and after the end.
    ///
    /// # Errors
    /// `NotFound` when it was deleted meanwhile.
    async fn read_message(
        &self,
        message: &MessageRef,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Bytes, StoreError>;

    /// Deletes messages of a mailbox, all or none.
    ///
    /// # Errors
    /// After an error all are still there.
    async fn apply_deletions(&self, user: &UserName, uids: &[Uid]) -> Result<(), StoreError>;

    // --- queue ---

    /// Leases entries that are due at `now` until `lease_until`, oldest due first, at most `limit`,
    /// none for a destination in `skip`. A lease that ran out is due again.
    ///
    /// # Errors
    /// When the queue cannot be read.
    async fn claim_due(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
        skip: &[String],
    ) -> Result<Vec<QueueEntry>, StoreError>;

    /// Gives leases back untried: due at once.
    ///
    /// # Errors
    /// When the store cannot write; the leases then run out by themselves.
    async fn release_claims(&self, entries: &[(QueueId, u32)]) -> Result<(), StoreError>;

    /// Records what came of an attempt, with the reports it causes, in one step.
    ///
    /// # Errors
    /// After an error nothing is recorded; the lease runs out and it is tried again.
    async fn record_attempt(&self, record: AttemptRecord) -> Result<(), StoreError>;

    /// The earliest instant at which an entry is due; `None` for an empty or wholly held queue.
    ///
    /// # Errors
    /// When the queue cannot be read.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Entries that fit the filter, oldest first.
    ///
    /// # Errors
    /// When the queue cannot be read.
    async fn list_queue(&self, filter: &QueueFilter) -> Result<Vec<QueueEntry>, StoreError>;

    /// An operator's action on every entry that fits the filter; returns how many it changed.
    ///
    /// # Errors
    /// After an error nothing was changed.
    async fn change_queue(
        &self,
        filter: &QueueFilter,
        action: QueueAction,
        operator: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    // --- history ---

    /// Keeps the stories of transactions that left no message. They have a budget of their own.
    ///
    /// # Errors
    /// When the store cannot write; the stories are lost then, and nothing else.
    async fn record_refusals(&self, stories: Vec<Story>) -> Result<(), StoreError>;

    /// Adds entries to stories; an entry for an unknown story is dropped.
    ///
    /// # Errors
    /// When the store cannot write.
    async fn record_events(&self, entries: Vec<StoryEntry>) -> Result<(), StoreError>;

    /// Heads that fit the query, newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    async fn search_history(&self, query: &HistoryQuery) -> Result<Vec<StoryHead>, StoreError>;

    /// One story, whole.
    ///
    /// # Errors
    /// `NotFound`, or when it cannot be read.
    async fn story(&self, id: TransactionId) -> Result<Story, StoreError>;

    /// Drops stories older than `before` and, oldest first, what is above the budgets (bytes for
    /// messages, bytes for refusals). Stories of mail still in the queue stay.
    ///
    /// # Errors
    /// When the store cannot write.
    async fn trim_history(
        &self,
        before: Timestamp,
        bytes_max: u64,
        refusals_bytes_max: u64,
    ) -> Result<(), StoreError>;

    /// The greatest id in the store, for `IdSource::after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn last_id(&self) -> Result<Option<TransactionId>, StoreError>;

    // --- the office: settings, users, services, audit ---

    /// The revision in force; `None` before the first.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn settings(&self) -> Result<Option<Revision>, StoreError>;

    /// Saves a revision on top of `expected_revision` (0: there is none yet); returns its number.
    ///
    /// # Errors
    /// `Conflict` when another revision is in force.
    async fn save_settings(
        &self,
        expected_revision: u64,
        change: SettingsChange,
    ) -> Result<u64, StoreError>;

    /// All revisions, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn revisions(&self) -> Result<Vec<RevisionHead>, StoreError>;

    /// One revision.
    ///
    /// # Errors
    /// `NotFound`, or when it cannot be read.
    async fn revision(&self, number: u64) -> Result<Revision, StoreError>;

    /// All users, by name.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn users(&self) -> Result<Vec<UserRecord>, StoreError>;

    /// One user.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn user(&self, name: &UserName) -> Result<Option<UserRecord>, StoreError>;

    /// Makes or replaces a user, with an audit entry.
    ///
    /// # Errors
    /// When the store cannot write.
    async fn put_user(&self, user: &UserRecord, audit: AuditEntry) -> Result<(), StoreError>;

    /// Removes a user, with an audit entry; the mailbox stays, detached, under the name.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    async fn remove_user(&self, name: &UserName, audit: AuditEntry) -> Result<(), StoreError>;

    /// Services that were told to stop.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn stopped_services(&self) -> Result<Vec<ServiceName>, StoreError>;

    /// Remembers that a service was started or stopped, with an audit entry.
    ///
    /// # Errors
    /// When the store cannot write.
    async fn set_service_stopped(
        &self,
        service: ServiceName,
        stopped: bool,
        audit: AuditEntry,
    ) -> Result<(), StoreError>;

    /// The latest audit entries, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
}
