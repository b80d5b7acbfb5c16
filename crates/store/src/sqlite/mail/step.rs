//! The steps of `mail.db`.

use contracts::StoreError;
use contracts::store::Uid;
use policy::UserName;
use rusqlite::Connection;

use super::incoming::{Incoming, NewEntry, NewStory};
use super::queue::{Attempt, Change, Claim};
use super::{accept, history, maildrop, queue};
use crate::sqlite::answer::Answer;
use crate::sqlite::database::Step;

/// One whole step.
pub(crate) enum MailStep {
    /// Commits a message.
    Accept(Box<Incoming>),
    /// Deletes messages of a mailbox.
    Delete(UserName, Vec<Uid>),
    /// Leases due entries.
    Claim(Claim),
    /// Gives leases back: id and recipient number.
    Release(Vec<(i64, u32)>),
    /// Records an attempt.
    Attempt(Box<Attempt>),
    /// An operator's action.
    Change(Change),
    /// Keeps stories.
    Keep(Vec<NewStory>),
    /// Adds to stories.
    Add(Vec<NewEntry>),
    /// Drops stories, except of queued mail.
    Drop(Vec<i64>),
}

impl Step for MailStep {
    fn perform(&self, connection: &Connection) -> Result<Answer, StoreError> {
        match self {
            Self::Accept(incoming) => accept::accept(connection, incoming)?,
            Self::Delete(user, uids) => {
                return maildrop::delete(connection, user, uids).map(freed);
            }
            Self::Claim(claim) => return queue::claim(connection, claim),
            Self::Release(entries) => queue::release(connection, entries)?,
            Self::Attempt(attempt) => return queue::record(connection, attempt).map(freed),
            Self::Change(change) => return queue::change(connection, change),
            Self::Keep(stories) => history::keep(connection, stories)?,
            Self::Add(entries) => history::add(connection, entries)?,
            Self::Drop(ids) => history::drop_stories(connection, ids)?,
        }
        Ok(Answer::default())
    }

    fn weight_bytes(&self) -> usize {
        match self {
            Self::Accept(incoming) => incoming.weight_bytes(),
            Self::Delete(_, uids) => 100 * uids.len(),
            Self::Claim(claim) => 200 * claim.limit.min(100),
            Self::Release(entries) => 200 * entries.len(),
            Self::Attempt(attempt) => attempt.weight_bytes(),
            Self::Change(_) => 4096,
            Self::Keep(stories) => stories.iter().map(NewStory::weight_bytes).sum(),
            Self::Add(entries) => entries.iter().map(NewEntry::weight_bytes).sum(),
            Self::Drop(ids) => 100 * ids.len(),
        }
    }

    fn committed(&self) {
        match self {
            Self::Accept(incoming) => incoming.committed(),
            Self::Attempt(attempt) => attempt.reports.iter().for_each(Incoming::committed),
            Self::Delete(..)
            | Self::Claim(_)
            | Self::Release(_)
            | Self::Change(_)
            | Self::Keep(_)
            | Self::Add(_)
            | Self::Drop(_) => {}
        }
    }
}

fn freed(freed: Vec<String>) -> Answer {
    Answer {
        freed,
        ..Answer::default()
    }
}
