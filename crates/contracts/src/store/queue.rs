//! The queue: recipients whose mail leaves the machine.

use mail::{ForwardPath, MailParameters, QueueId, Recipient, Timestamp};
use policy::{Because, Decision};
use serde::{Deserialize, Serialize};

use super::Acceptance;
use crate::{Event, StoryEntry, Terminal};

/// A recipient given to the queue by an acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQueueEntry {
    /// Number within the message, from 0; with the id it names the entry.
    pub recipient_no: u32,
    /// The recipient.
    pub recipient: Recipient,
    /// Entries of one destination share connections and fate: a domain, or a host of ours.
    pub destination: String,
    /// First try.
    pub due_at: Timestamp,
}

/// Whether an entry takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueState {
    /// Due at its instant.
    Waiting,
    /// Being tried.
    Leased,
    /// Not tried until released.
    Held,
}

/// One recipient in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// The message.
    pub id: QueueId,
    /// Number of the recipient within it.
    pub recipient_no: u32,
    /// The recipient.
    pub recipient: Recipient,
    /// The MAIL command of the message.
    pub mail: MailParameters,
    /// Octets that the next hop gets.
    pub size_bytes: u64,
    /// Entries of one destination share connections and fate.
    pub destination: String,
    /// Whether it takes part.
    pub state: QueueState,
    /// When the message was accepted.
    pub queued_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What was heard last.
    pub last_reply: Option<String>,
    /// Whether the sender was told of the delay.
    pub delay_noticed: bool,
}

/// What became of one recipient in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultEnd {
    /// It leaves the queue: delivered, or failed for good.
    Done,
    /// It stays, and is tried again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Set when a delay notice is part of this record.
        delay_noticed: bool,
    },
}

/// One recipient's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientResult {
    /// Which recipient.
    pub recipient_no: u32,
    /// What became of it.
    pub end: ResultEnd,
    /// What was heard.
    pub last_reply: Option<String>,
    /// Whether this was a try; an entry put back untried keeps its count.
    pub counts: bool,
}

/// What came of an attempt at one message.
#[derive(Debug)]
pub struct AttemptRecord {
    /// The message.
    pub id: QueueId,
    /// Results by recipient.
    pub results: Vec<RecipientResult>,
    /// Reports that this attempt causes, ready to commit.
    pub reports: Vec<Acceptance>,
    /// What to add to the story.
    pub story: Vec<StoryEntry>,
}

/// Which entries are meant; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFilter {
    /// Only this message.
    pub id: Option<QueueId>,
    /// Only this destination.
    pub destination: Option<String>,
    /// Only this state.
    pub state: Option<QueueState>,
    /// At most so many; `None`: all.
    pub limit: Option<usize>,
}

/// What an operator can do to entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAction {
    /// Due at once; held entries stay held, and what is being tried is tried already.
    Retry,
    /// Not tried until released.
    Hold,
    /// Due at once, no longer held.
    Release,
    /// Gone, without a report; what is being tried at this moment is left alone, so that its
    /// story has one end.
    Delete,
}

impl QueueAction {
    /// The event that this action leaves in the story of a recipient.
    pub fn event(self, operator: &str, recipient: ForwardPath) -> Event {
        let action = match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Delete => return deleted(operator, recipient),
        };
        Event::Operated {
            operator: operator.to_owned(),
            action: action.to_owned(),
            recipient,
        }
    }
}

fn deleted(operator: &str, recipient: ForwardPath) -> Event {
    Event::Ended {
        recipient,
        terminal: Terminal::Deleted {
            operator: operator.to_owned(),
        },
        decision: Decision::refuse(Because::DeletedByOperator {
            operator: operator.to_owned(),
        }),
    }
}
