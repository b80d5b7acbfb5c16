//! What a client session says to its shell, and what the shell answers.
//!
//! Promises: closed enums; one question at a time; fates come in the order of the recipients.

use mail::{MailParameters, Recipient};

use crate::{PeerReply, ReplySyntax};

/// One thing for the shell to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Whole command lines to write.
    Command(Vec<u8>),
    /// Content to write, dots doubled; never empty.
    BodyChunk(Vec<u8>),
    /// A question; give the answer to `Session::answer`.
    Ask(Question),
    /// Start TLS as client now, drop every octet already read, then call `Session::tls_started`.
    StartTls,
    /// The transaction is over; one fate for each recipient.
    Finished(Vec<Fate>),
    /// The session ends without a transaction under way; `Close` follows.
    Failed(Failure),
    /// Close the connection; nothing follows.
    Close,
}

/// What the session asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Ready: which message is next? It may take its time; replies are read meanwhile.
    Transaction,
    /// The next octets of the content, at most so many.
    Body {
        /// Bound, in octets.
        bytes_max: usize,
    },
}

/// What the shell answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next message.
    Transaction(Transaction),
    /// No further message: QUIT.
    Quit,
    /// Octets of the content as they are; `last` with the last of them, which may be none.
    Body {
        /// The octets.
        octets: Vec<u8>,
        /// Nothing follows.
        last: bool,
    },
    /// The content cannot be had; the connection is given up without the final dot.
    NoBody,
}

/// One message for one or more recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The MAIL command as it came to us; SIZE is taken from `size_bytes`.
    pub mail: MailParameters,
    /// At least one recipient.
    pub recipients: Vec<Recipient>,
    /// Octets of the content.
    pub size_bytes: u64,
    /// The content has octets above 127.
    pub eight_bit: bool,
    /// The header has characters beyond ASCII.
    pub utf8_header: bool,
}

/// The part of the conversation in which something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before and with the greeting.
    Greeting,
    /// EHLO and HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    SignIn,
    /// Between two transactions.
    Idle,
    /// RSET and MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The content, before its final dot left.
    Text,
    /// After the final dot left: the server may have taken the message all the same.
    FinalDot,
}

impl Stage {
    /// What the conversation was about, as words for a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::SignIn => "AUTH",
            Self::Idle => "waiting for the next message",
            Self::Mail => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Text => "the text of the message",
            Self::FinalDot => "the end of the message",
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The server said no: 4xx or 5xx.
    #[error("{}", .0.summary())]
    Reply(PeerReply),
    /// The server said something that is no answer to what was asked.
    #[error("an answer that does not fit: {}", .0.summary())]
    Unexpected(PeerReply),
    /// What the server sent is no reply.
    #[error(transparent)]
    NoReply(#[from] ReplySyntax),
    /// The connection broke.
    #[error("the server closed the connection")]
    Closed,
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// STARTTLS is required and not offered.
    #[error("the server does not offer STARTTLS, which the settings require")]
    TlsNotOffered,
    /// No sign-in is offered that we know.
    #[error("the server offers no sign-in by PLAIN or LOGIN")]
    SignInNotOffered,
    /// The content could not be had.
    #[error("the message could not be read")]
    NoBody,
    /// We ended it.
    #[error("delivery was stopped")]
    Ended,
}

/// Where a session failed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub stage: Stage,
    /// How.
    pub trouble: Trouble,
}

/// An extension that a message needs and the server lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// SMTPUTF8 (RFC 6531).
    SmtpUtf8,
    /// 8BITMIME (RFC 6152).
    EightBitMime,
    /// The server takes messages up to so many octets only (RFC 1870).
    Size {
        /// Its limit in octets.
        limit_bytes: u64,
    },
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server took the message for it.
    Taken {
        /// Its reply to the final dot.
        reply: PeerReply,
    },
    /// It did not.
    NotTaken {
        /// Where.
        stage: Stage,
        /// How.
        trouble: Trouble,
    },
    /// It was not even tried.
    Lacks(Lack),
}

/// What the shell tells of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The connection is closed, or broke.
    PeerClosed,
    /// Finish the transaction under way, then QUIT.
    Draining,
    /// Give up at once, unless the final dot has left.
    Ended,
}
