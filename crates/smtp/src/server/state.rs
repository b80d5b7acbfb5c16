//! Where a session stands. Variants own what they need, so nothing outlives its state.

use super::auth::Exchange;
use super::content::Content;
use crate::Reply;

/// The states of a session.
#[derive(Debug)]
pub(super) enum State {
    /// No hello yet.
    Greeted,
    /// Between transactions.
    Ready {
        /// What was begun last failed, so that commands pipelined behind it are no mistakes.
        failed: bool,
    },
    /// MAIL was accepted.
    Mail(Transaction),
    /// The content is coming by DATA.
    Data(Transaction, Content),
    /// A chunk is coming by BDAT.
    Chunk(Chunk),
    /// Between chunks.
    Chunks(Transaction, Content),
    /// A chunk is coming that nobody wants.
    Unwanted(UnwantedChunk),
    /// A sign-in is going on.
    Auth(Exchange),
    /// A question is open.
    Waiting(Pending),
    /// 220 was said to STARTTLS; whatever comes now is dropped.
    StartingTls,
    /// Over.
    Closing,
}

/// An accepted MAIL and what followed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) smtputf8: bool,
    /// Accepted recipients.
    pub(super) recipients: usize,
    /// Some recipient was refused.
    pub(super) refused: bool,
}

impl Transaction {
    pub(super) const fn new(smtputf8: bool) -> Self {
        Self {
            smtputf8,
            recipients: 0,
            refused: false,
        }
    }
}

/// Octets announced by a BDAT command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkSize {
    pub(super) octets: u64,
    pub(super) last: bool,
}

/// A chunk on its way in.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) transaction: Transaction,
    pub(super) content: Content,
    /// What is still to come of it.
    pub(super) left: ChunkSize,
    /// As the command announced it.
    pub(super) octets: u64,
}

/// A chunk that is read only to find the next command.
#[derive(Debug)]
pub(super) struct UnwantedChunk {
    pub(super) left: u64,
    /// What is said after it.
    pub(super) reply: Reply,
    /// It counts as a bad command.
    pub(super) is_bad: bool,
}

/// What the open question is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pending {
    Mail { smtputf8: bool },
    Recipient(Transaction),
    DataBody(Transaction),
    ChunkBody(Transaction, ChunkSize),
    Message { smtputf8: bool },
    Credentials,
    Scram,
}

impl State {
    /// Whether the shell holds a transaction that no `Discard` or `Message` has ended.
    pub(super) fn holds_transaction(&self) -> bool {
        match self {
            Self::Mail(_) => true,
            Self::Data(_, content) | Self::Chunks(_, content) => content.fault().is_none(),
            Self::Chunk(chunk) => chunk.content.fault().is_none(),
            Self::Waiting(pending) => match pending {
                Pending::Recipient(_) | Pending::DataBody(_) | Pending::ChunkBody(..) => true,
                Pending::Mail { .. }
                | Pending::Message { .. }
                | Pending::Credentials
                | Pending::Scram => false,
            },
            Self::Greeted
            | Self::Ready { .. }
            | Self::Unwanted(_)
            | Self::Auth(_)
            | Self::StartingTls
            | Self::Closing => false,
        }
    }

    /// Whether MAIL of the present transaction said SMTPUTF8.
    pub(super) fn smtputf8(&self) -> bool {
        match self {
            Self::Mail(transaction) | Self::Data(transaction, _) | Self::Chunks(transaction, _) => {
                transaction.smtputf8
            }
            Self::Chunk(chunk) => chunk.transaction.smtputf8,
            Self::Waiting(pending) => match pending {
                Pending::Recipient(transaction)
                | Pending::DataBody(transaction)
                | Pending::ChunkBody(transaction, _) => transaction.smtputf8,
                Pending::Mail { smtputf8 } | Pending::Message { smtputf8 } => *smtputf8,
                Pending::Credentials | Pending::Scram => false,
            },
            Self::Greeted
            | Self::Ready { .. }
            | Self::Unwanted(_)
            | Self::Auth(_)
            | Self::StartingTls
            | Self::Closing => false,
        }
    }

    /// Whether content is being read.
    pub(super) const fn reads_body(&self) -> bool {
        matches!(self, Self::Data(..) | Self::Chunk(_) | Self::Unwanted(_))
    }
}
