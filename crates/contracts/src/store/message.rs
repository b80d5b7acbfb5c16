//! Messages as they are committed and read.

use std::ops::Range;

use mail::{Envelope, QueueId, Timestamp};
use policy::UserName;
use serde::{Deserialize, Serialize};

use super::{NewQueueEntry, SpooledBody};
use crate::Story;

/// How a reader gets a body: fields added before it, byte ranges left out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Octets before the body, complete CRLF lines.
    pub prefix: Vec<u8>,
    /// Ranges of the body that are left out; ascending, apart, within the body.
    pub cuts: Vec<Range<u64>>,
}

/// One mailbox that this commit delivers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDelivery {
    /// Whose mailbox.
    pub user: UserName,
    /// Octets before the rendition's prefix for this mailbox: Return-Path, Delivered-To.
    pub prefix: Vec<u8>,
}

/// Everything one accepted message commits.
#[derive(Debug)]
pub struct Acceptance {
    /// Its id.
    pub id: QueueId,
    /// When.
    pub at: Timestamp,
    /// The content.
    pub body: SpooledBody,
    /// How every reader gets it.
    pub rendition: Rendition,
    /// Whether the content ends in CRLF; a POP3 size counts two octets more where it does not.
    pub ends_with_crlf: bool,
    /// Its envelope.
    pub envelope: Envelope,
    /// Mailboxes here, each at most once.
    pub deliveries: Vec<LocalDelivery>,
    /// Recipients elsewhere.
    pub queue: Vec<NewQueueEntry>,
    /// Its story so far.
    pub story: Story,
}

/// The unique id of a message within one mailbox; never changes, never reused (RFC 1939 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub u64);

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // RFC 1939 §7: 1 to 70 characters in the range 0x21 to 0x7E.
        write!(f, "{}", self.0)
    }
}

/// One message of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaildropMessage {
    /// Its unique id.
    pub uid: Uid,
    /// Octets that RETR sends before dot-stuffing.
    pub size_octets: u64,
    /// The message it is.
    pub id: QueueId,
    /// When it was delivered.
    pub delivered_at: Timestamp,
}

/// Which rendition of which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageRef {
    /// A message of a mailbox.
    InMaildrop {
        /// Whose.
        user: UserName,
        /// Which.
        uid: Uid,
    },
    /// A queued message as the next hop gets it.
    Queued {
        /// Which.
        id: QueueId,
    },
}

/// The one lock of a mailbox; dropping it gives the mailbox free.
pub struct MaildropLock {
    release: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl MaildropLock {
    /// A lock whose drop calls `release`.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            release: Some(Box::new(release)),
        }
    }
}

impl std::fmt::Debug for MaildropLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaildropLock")
    }
}

impl Drop for MaildropLock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}
