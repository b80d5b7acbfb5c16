//! The steps that the stand-in store takes, one at a time and each whole.
//!
//! Promises: a step that fails leaves the state as it was.

use mail::{QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;

use super::state::State;
use crate::store::{
    Acceptance, AttemptRecord, AuditEntry, QueueAction, QueueEntry, QueueFilter, SettingsChange,
    StoreError, Uid,
};
use crate::{Story, StoryEntry, UserRecord};

/// A lease to be taken.
pub(super) struct Claim {
    pub(super) now: Timestamp,
    pub(super) lease_until: Timestamp,
    pub(super) limit: usize,
    pub(super) skip: Vec<String>,
}

/// An operator's action on entries.
pub(super) struct Change {
    pub(super) filter: QueueFilter,
    pub(super) action: QueueAction,
    pub(super) operator: String,
    pub(super) at: Timestamp,
}

/// What trimming keeps.
pub(super) struct Trim {
    pub(super) before: Timestamp,
    pub(super) bytes_max: u64,
    pub(super) refusals_bytes_max: u64,
}

/// One step.
pub(super) enum Step {
    Accept(Box<Acceptance>),
    Delete(UserName, Vec<Uid>),
    Claim(Claim),
    Release(Vec<(QueueId, u32)>),
    Attempt(Box<AttemptRecord>),
    ChangeQueue(Change),
    Refusals(Vec<Story>),
    Events(Vec<StoryEntry>),
    Trim(Trim),
    SaveSettings(u64, SettingsChange),
    PutUser(Box<UserRecord>, AuditEntry),
    RemoveUser(UserName, AuditEntry),
    SetService(ServiceName, bool, AuditEntry),
}

/// What a step answers.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Entries changed, or the number of a revision.
    pub(super) number: u64,
    /// Entries leased.
    pub(super) entries: Vec<QueueEntry>,
}

impl From<u64> for Answer {
    fn from(number: u64) -> Self {
        Self {
            number,
            entries: Vec::new(),
        }
    }
}

impl State {
    /// Takes one step.
    pub(super) fn apply(&mut self, step: Step) -> Result<Answer, StoreError> {
        match step {
            Step::Accept(acceptance) => {
                self.check_new(&[acceptance.id])?;
                self.accept(*acceptance);
            }
            Step::Delete(user, uids) => self.delete(&user, &uids),
            Step::Claim(claim) => {
                return Ok(Answer {
                    number: 0,
                    entries: self.claim(&claim),
                });
            }
            Step::Release(entries) => self.release(&entries),
            Step::Attempt(record) => {
                let ids: Vec<TransactionId> = record.reports.iter().map(|r| r.id).collect();
                self.check_new(&ids)?;
                self.record_attempt(*record);
            }
            Step::ChangeQueue(change) => return Ok(self.change_queue(&change).into()),
            Step::Refusals(stories) => self.keep_stories(stories),
            Step::Events(entries) => self.add_entries(entries),
            Step::Trim(trim) => self.trim(&trim),
            Step::SaveSettings(expected, change) => {
                return self.save_settings(expected, change).map(Answer::from);
            }
            Step::PutUser(user, audit) => {
                self.users.insert(user.name.clone(), *user);
                self.audit.push(audit);
            }
            Step::RemoveUser(name, audit) => self.remove_user(&name, audit)?,
            Step::SetService(service, stopped, audit) => {
                self.stopped.retain(|known| *known != service);
                if stopped {
                    self.stopped.push(service);
                }
                self.audit.push(audit);
            }
        }
        Ok(Answer::default())
    }
}
