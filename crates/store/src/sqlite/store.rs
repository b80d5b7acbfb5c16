//! The store: opening, closing, and the contract's methods on top of writers and readers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use contracts::store::{
    Acceptance, AttemptRecord, AuditEntry, HistoryQuery, MaildropLock, MaildropMessage, MessageRef,
    QueueAction, QueueEntry, QueueFilter, Revision, RevisionHead, SettingsChange, Uid,
};
use contracts::{BodyWriter, Store, StoreError, Story, StoryEntry, StoryHead, UserRecord};
use mail::{QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;
use rusqlite::Connection;

use super::body::{BodyFolder, Memory, Spool, respool};
use super::database::Database;
use super::folder::{self, FolderLock};
use super::housekeeper::{Chores, Housekeeper, Which};
use super::mail::{
    self as mail_db, Attempt, Change, Claim, Incoming, MailStep, NewEntry, NewStory,
};
use super::office::{self as office_db, OfficeStep};
use super::options::{OpenError, Options};
use super::readers::Readers;
use super::writer::Writer;
use super::{connection, failure, migrate};

/// Stories are dropped in steps of so many, so that mail does not wait for long.
const DROPPED_AT_ONCE: usize = 500;

/// The store on `SQLite`.
pub struct SqliteStore {
    folder: PathBuf,
    mail: Writer<MailStep>,
    office: Writer<OfficeStep>,
    mail_readers: Arc<Readers>,
    office_readers: Arc<Readers>,
    memory: Arc<Memory>,
    bodies: Arc<BodyFolder>,
    housekeeper: Housekeeper,
    maildrops: Arc<Mutex<BTreeSet<UserName>>>,
    lock: Mutex<Option<FolderLock>>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in a folder; makes or upgrades what is there.
    ///
    /// # Errors
    /// When another process has the folder, when it cannot be used, or when its schema is newer.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make options for this call"
    )]
    pub fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let folder = options.folder.clone();
        folder::make(&folder)?;
        let lock = folder::lock(&folder)?;
        let bodies_path = folder.join("bodies");
        folder::make(&bodies_path)?;
        let failed = folder::failed(&options.folder);
        let bodies = BodyFolder::new(bodies_path, options.durability).map_err(&failed)?;
        let (mail_path, mail) = open_database(&options, "mail.db", migrate::MAIL)?;
        let (office_path, office) = open_database(&options, "office.db", migrate::OFFICE)?;
        resume(&mail, &bodies).map_err(|source| broken(&mail_path, source))?;
        folder::sync(&folder).map_err(&failed)?;

        let arriving = Arc::new(AtomicUsize::new(0));
        let chores = Arc::new(Chores::default());
        let databases = [mail_path.clone(), office_path.clone()];
        let database = |path: &Path, connection| {
            Database::new(path.to_owned(), options.durability, connection)
                .map_err(|source| broken(path, source))
        };
        let mail = database(&mail_path, mail)?;
        let office = database(&office_path, office)?;
        let start = || {
            Ok(Self {
                mail: Writer::start(
                    Which::Mail,
                    mail,
                    Arc::clone(&arriving),
                    Arc::clone(&chores),
                )?,
                office: Writer::start(Which::Office, office, Arc::default(), Arc::clone(&chores))?,
                mail_readers: Arc::new(Readers::new(mail_path)),
                office_readers: Arc::new(Readers::new(office_path)),
                memory: Memory::new(options.body_memory_bytes, arriving),
                housekeeper: Housekeeper::start(
                    databases,
                    Arc::clone(&bodies),
                    options.durability,
                    chores,
                )?,
                bodies,
                maildrops: Arc::default(),
                lock: Mutex::new(Some(lock)),
                folder,
            })
        };
        start().map(Arc::new).map_err(&failed)
    }

    /// Commits what waits, folds the logs in, and gives the folder free. Steps that come later
    /// hear `Closing`.
    pub async fn close(self: &Arc<Self>) {
        let store = Arc::clone(self);
        if tokio::task::spawn_blocking(move || store.shut())
            .await
            .is_err()
        {
            tracing::error!("closing the store ended by a panic");
        }
    }

    fn shut(&self) {
        self.mail.close();
        self.office.close();
        self.mail_readers.close();
        self.office_readers.close();
        self.housekeeper.close();
        drop(
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Makes an acceptance ready for the writer.
    async fn prepare(&self, mut acceptance: Acceptance) -> Result<Incoming, StoreError> {
        let spooled = match mail_db::large_octets(&acceptance.body) {
            Some(octets) => Some(respool(self, octets).await?),
            None => None,
        };
        if let Some(spooled) = spooled {
            acceptance.body = spooled;
        }
        Incoming::prepare(acceptance, &self.memory)
    }

    /// Reads on a thread that may block: for what can take long.
    async fn read_long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.mail_readers);
        let result = tokio::task::spawn_blocking(move || readers.read(read)).await;
        result.unwrap_or(Err(StoreError::Closing))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Opens one database, checks what durability rests on, and brings its schema up to date.
fn open_database(
    options: &Options,
    name: &str,
    steps: &[&str],
) -> Result<(PathBuf, Connection), OpenError> {
    let path = options.folder.join(name);
    folder::touch(&path)?;
    let mut connection = connection::open_writer(&path, options.durability)
        .map_err(|source| broken(&path, source))?;
    connection::check_durable(&connection, &path, options.durability)?;
    migrate::migrate(&mut connection, &path, steps)?;
    Ok((path, connection))
}

fn broken(path: &Path, source: StoreError) -> OpenError {
    OpenError::Database {
        path: path.to_owned(),
        source,
    }
}

/// What a start does: leases go back, body files that no message names are removed.
fn resume(mail: &Connection, bodies: &BodyFolder) -> Result<(), StoreError> {
    mail_db::release_leases(mail)?;
    let swept = bodies
        .sweep(&mail_db::body_files(mail)?)
        .map_err(failure::io("sweep body files"))?;
    if swept > 0 {
        tracing::info!(swept, "body files without a message were removed");
    }
    Ok(())
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    fn new_body(&self) -> Box<dyn BodyWriter> {
        Box::new(Spool::new(&self.memory, Arc::clone(&self.bodies)))
    }

    async fn accept_message(&self, acceptance: Acceptance) -> Result<(), StoreError> {
        let mut incoming = self.prepare(acceptance).await?;
        let arriving = incoming.take_arriving();
        let pending = self.mail.submit(MailStep::Accept(Box::new(incoming)))?;
        drop(arriving);
        pending.answer().await.map(drop)
    }

    fn disk_free_bytes(&self) -> Result<u64, StoreError> {
        let system = rustix::fs::statvfs(&self.folder)
            .map_err(|failed| failure::io("ask for free space")(failed.into()))?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }

    fn lock_maildrop(&self, user: &UserName) -> Result<MaildropLock, StoreError> {
        let mut held = self
            .maildrops
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !held.insert(user.clone()) {
            return Err(StoreError::InUse);
        }
        let (held, user) = (Arc::clone(&self.maildrops), user.clone());
        Ok(MaildropLock::new(move || {
            held.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&user);
        }))
    }

    async fn list_maildrop(&self, user: &UserName) -> Result<Vec<MaildropMessage>, StoreError> {
        self.mail_readers
            .read(|connection| mail_db::list_maildrop(connection, user))
    }

    async fn read_message(
        &self,
        message: &MessageRef,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Bytes, StoreError> {
        self.mail_readers.read(|connection| {
            mail_db::read_message(connection, &self.bodies, message, offset, max_bytes)
        })
    }

    async fn apply_deletions(&self, user: &UserName, uids: &[Uid]) -> Result<(), StoreError> {
        let step = MailStep::Delete(user.clone(), uids.to_vec());
        self.mail.step(step).await.map(drop)
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
        skip: &[String],
    ) -> Result<Vec<QueueEntry>, StoreError> {
        let claim = Claim::new(now, lease_until, limit, skip)?;
        Ok(self.mail.step(MailStep::Claim(claim)).await?.entries)
    }

    async fn release_claims(&self, entries: &[(QueueId, u32)]) -> Result<(), StoreError> {
        let step = MailStep::Release(
            entries
                .iter()
                .map(|(id, recipient_no)| (mail_db::id_column(*id), *recipient_no))
                .collect(),
        );
        self.mail.step(step).await.map(drop)
    }

    async fn record_attempt(&self, record: AttemptRecord) -> Result<(), StoreError> {
        let mut reports = Vec::with_capacity(record.reports.len());
        for report in record.reports {
            reports.push(self.prepare(report).await?);
        }
        let arriving: Vec<_> = reports.iter_mut().map(Incoming::take_arriving).collect();
        let attempt = Attempt {
            id: record.id,
            results: record.results,
            reports,
            story: prepare_entries(&record.story)?,
        };
        let pending = self.mail.submit(MailStep::Attempt(Box::new(attempt)))?;
        drop(arriving);
        pending.answer().await.map(drop)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.mail_readers.read(mail_db::earliest_due)
    }

    async fn list_queue(&self, filter: &QueueFilter) -> Result<Vec<QueueEntry>, StoreError> {
        let filter = filter.clone();
        self.read_long(move |connection| mail_db::list(connection, &filter))
            .await
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
        Ok(self.mail.step(MailStep::Change(change)).await?.number)
    }

    async fn record_refusals(&self, stories: Vec<Story>) -> Result<(), StoreError> {
        let stories = stories.iter().map(NewStory::prepare);
        let step = MailStep::Keep(stories.collect::<Result<_, _>>()?);
        self.mail.step(step).await.map(drop)
    }

    async fn record_events(&self, entries: Vec<StoryEntry>) -> Result<(), StoreError> {
        let step = MailStep::Add(prepare_entries(&entries)?);
        self.mail.step(step).await.map(drop)
    }

    async fn search_history(&self, query: &HistoryQuery) -> Result<Vec<StoryHead>, StoreError> {
        let query = query.clone();
        self.read_long(move |connection| mail_db::search(connection, &query))
            .await
    }

    async fn story(&self, id: TransactionId) -> Result<Story, StoreError> {
        self.mail_readers
            .read(|connection| mail_db::story(connection, id))
    }

    async fn trim_history(
        &self,
        before: Timestamp,
        bytes_max: u64,
        refusals_bytes_max: u64,
    ) -> Result<(), StoreError> {
        let surplus = self
            .read_long(move |connection| {
                mail_db::surplus(connection, before, bytes_max, refusals_bytes_max)
            })
            .await?;
        for ids in surplus.chunks(DROPPED_AT_ONCE) {
            self.mail.step(MailStep::Drop(ids.to_vec())).await?;
        }
        Ok(())
    }

    async fn last_id(&self) -> Result<Option<TransactionId>, StoreError> {
        self.mail_readers.read(mail_db::last_id)
    }

    async fn settings(&self) -> Result<Option<Revision>, StoreError> {
        self.office_readers.read(office_db::settings)
    }

    async fn save_settings(
        &self,
        expected_revision: u64,
        change: SettingsChange,
    ) -> Result<u64, StoreError> {
        let step = OfficeStep::SaveSettings(expected_revision, change);
        Ok(self.office.step(step).await?.number)
    }

    async fn revisions(&self) -> Result<Vec<RevisionHead>, StoreError> {
        self.office_readers.read(office_db::revisions)
    }

    async fn revision(&self, number: u64) -> Result<Revision, StoreError> {
        self.office_readers
            .read(|connection| office_db::revision(connection, number))
    }

    async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        self.office_readers.read(office_db::users)
    }

    async fn user(&self, name: &UserName) -> Result<Option<UserRecord>, StoreError> {
        self.office_readers
            .read(|connection| office_db::user(connection, name))
    }

    async fn put_user(&self, user: &UserRecord, audit: AuditEntry) -> Result<(), StoreError> {
        let record = mail_db::json(user)?;
        let step = OfficeStep::PutUser(user.name.clone(), record, audit);
        self.office.step(step).await.map(drop)
    }

    async fn remove_user(&self, name: &UserName, audit: AuditEntry) -> Result<(), StoreError> {
        let step = OfficeStep::RemoveUser(name.clone(), audit);
        self.office.step(step).await.map(drop)
    }

    async fn stopped_services(&self) -> Result<Vec<ServiceName>, StoreError> {
        self.office_readers.read(office_db::stopped_services)
    }

    async fn set_service_stopped(
        &self,
        service: ServiceName,
        stopped: bool,
        audit: AuditEntry,
    ) -> Result<(), StoreError> {
        let step = OfficeStep::SetService(service, stopped, audit);
        self.office.step(step).await.map(drop)
    }

    async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.office_readers
            .read(|connection| office_db::audit(connection, limit))
    }
}

fn prepare_entries(entries: &[StoryEntry]) -> Result<Vec<NewEntry>, StoreError> {
    entries.iter().map(NewEntry::prepare).collect()
}
