//! The closed vocabulary of what can happen to mail, and the story a message leaves behind.
//!
//! Promises: every transaction that said MAIL has one story; each of its recipients comes to
//! exactly one terminal entry (B3). Serialised with stable names.

use std::net::SocketAddr;

use mail::{ForwardPath, MailParameters, QueueId, Recipient, Timestamp, TransactionId};
use policy::facts::ConnectionFacts;
use policy::{Decision, UserName};
use serde::{Deserialize, Serialize};

/// Why a transaction ended without a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Abort {
    /// The client said RSET, or began anew.
    Reset,
    /// The client left: QUIT, or the connection broke.
    ClientLeft,
    /// The gateway ended the session: time-out, too many errors, stopping.
    SessionEnded {
        /// What the client was told.
        reply: String,
    },
    /// The content broke the rules for line ends, NUL or line length.
    BadContent {
        /// What the client was told.
        reply: String,
    },
}

/// How one attempt went for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// The next hop took it.
    Delivered,
    /// It will be tried again.
    Deferred {
        /// When.
        next_at: Timestamp,
    },
    /// It failed for good.
    Failed,
}

/// How a recipient's story ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum Terminal {
    /// In a mailbox here, or in several, where the address belongs to several users.
    InMailbox {
        /// Whose.
        users: Vec<UserName>,
    },
    /// Taken by the next hop.
    Relayed,
    /// Reported to the sender as failed, or failed without anybody to tell.
    Bounced {
        /// The report, where one was sent.
        report: Option<QueueId>,
    },
    /// Deleted by an operator.
    Deleted {
        /// Who did it.
        operator: String,
    },
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// MAIL was said and answered.
    SenderDecided {
        /// The MAIL command.
        mail: MailParameters,
        /// The answer.
        decision: Decision,
    },
    /// RCPT was said and answered.
    RecipientDecided {
        /// The RCPT command.
        recipient: Recipient,
        /// The answer.
        decision: Decision,
    },
    /// The content came whole and was decided on.
    MessageDecided {
        /// Octets as received.
        size_bytes: u64,
        /// The header Message-ID, where there is one.
        message_id: Option<String>,
        /// The header Subject, shortened; shown to operators only.
        subject: Option<String>,
        /// The answer.
        decision: Decision,
    },
    /// The transaction ended without a message.
    Aborted {
        /// Why.
        abort: Abort,
    },
    /// A recipient was given to the queue.
    Queued {
        /// The recipient.
        recipient: ForwardPath,
        /// Where to, and by which setting.
        decision: Decision,
    },
    /// One attempt at one recipient.
    Attempted {
        /// The recipient.
        recipient: ForwardPath,
        /// The host's name.
        host: String,
        /// Its address, where a connection was tried.
        address: Option<SocketAddr>,
        /// TLS version, where TLS was used.
        tls: Option<String>,
        /// What came of it.
        result: AttemptOutcome,
        /// Why: the far side's words, or what failed.
        decision: Decision,
    },
    /// The sender was told of a delay.
    DelayNoticed {
        /// The recipient.
        recipient: ForwardPath,
        /// The report.
        report: QueueId,
    },
    /// A recipient's story ended.
    Ended {
        /// The recipient.
        recipient: ForwardPath,
        /// How.
        terminal: Terminal,
        /// Why.
        decision: Decision,
    },
    /// An operator acted on the queue.
    Operated {
        /// Who.
        operator: String,
        /// `retry`, `hold`, `release`.
        action: String,
        /// The recipient.
        recipient: ForwardPath,
    },
}

/// An event of one story with its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryEntry {
    /// Whose story.
    pub id: TransactionId,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Where a story begins: what a list of stories shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryHead {
    /// Its id.
    pub id: TransactionId,
    /// When MAIL was said.
    pub at: Timestamp,
    /// The connection; `None` for reports of our own.
    pub connection: Option<ConnectionFacts>,
    /// The reverse-path, `<>` for null.
    pub sender: String,
    /// The recipients named, accepted or not.
    pub recipients: Vec<String>,
    /// The header Subject, shortened.
    pub subject: Option<String>,
    /// Octets as received; 0 when nothing was.
    pub size_bytes: u64,
    /// Whether a message was accepted.
    pub accepted: bool,
}

/// The story of one transaction, as far as it was told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its head.
    pub head: StoryHead,
    /// Its entries, in order.
    pub entries: Vec<StoryEntry>,
}
