//! What a session says to its shell, and what the shell answers.
//!
//! Promises: closed enums. Questions are asked one at a time; until one is answered the session
//! reads no further command, so pipelining needs no care in the shell.
//! Does not: carry reasons for the history; the shell that answers a question knows them.

use std::fmt;

use mail::{MailParameters, Recipient};

use crate::Reply;

/// One thing for the shell to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Complete reply lines for the peer, gathered up to about 64 KiB.
    ///
    /// A question comes out before the replies that were gathered ahead of it: answer it at once
    /// and they go out together; if it has to wait, poll again, and they come (RFC 2920 §3.2).
    Reply(Vec<u8>),
    /// A question; give the answer to `Session::answer`.
    Ask(Question),
    /// The next content octets of the message, dot-stuffing undone; never empty.
    BodyChunk(Vec<u8>),
    /// The open transaction, with its body if there is one, ended without `Question::Message`;
    /// `Session::discarded` says why.
    Discard,
    /// Start TLS as server now, drop every octet already read, then call `Session::tls_started`.
    StartTls,
    /// Close the connection after what was written has left; nothing follows.
    Close,
}

/// Why the last open transaction ended without a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discarded {
    /// RSET, EHLO, QUIT or an impossible order of commands.
    ByClient,
    /// The answer to `Question::Body` was no.
    Refused,
    /// A bare CR, bare LF or NUL in the content, or a line that is too long: 550 5.6.0.
    BadContent,
    /// The content is larger than `Limits::size_bytes_max`: 552 5.3.4.
    TooLarge,
    /// The client was silent for too long: 421 4.4.2.
    TimedOut,
    /// The shell closed the session.
    Ended,
}

/// What the session wants to know. Every question but `Scram` is answered by `Answer::Reply`,
/// and any by `Answer::Close`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// MAIL: a positive reply opens the transaction.
    Mail {
        /// Reverse-path and parameters.
        parameters: MailParameters,
        /// The name that HELO or EHLO gave.
        greeting_name: Option<String>,
        /// EHLO was used.
        esmtp: bool,
    },
    /// RCPT: a positive reply adds the recipient.
    Recipient {
        /// Forward-path and parameters.
        recipient: Recipient,
    },
    /// DATA or the first BDAT: may a body come? The session writes the 354 of DATA by itself; a
    /// negative reply is passed on (for BDAT after reading the chunk) and ends the transaction.
    Body,
    /// The whole body has been given. The reply is what the peer hears, and ends the transaction.
    Message {
        /// Octets in all chunks together.
        size_bytes: u64,
        /// Line ends in them, and one for an unfinished last line.
        lines: u64,
        /// Some octet is above 127.
        eight_bit: bool,
    },
    /// AUTH PLAIN or LOGIN: a 2xx reply signs the client in.
    Authenticate(Credentials),
    /// One client message of SCRAM-SHA-256: `Answer::Challenge` goes on, `Answer::Reply` ends it.
    Scram {
        /// This is the first message of an exchange; forget any earlier one.
        first: bool,
        /// The message as it was in base64; may be empty.
        message: Vec<u8>,
    },
}

/// A SASL mechanism whose exchange the session understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The older LOGIN, two prompts.
    Login,
    /// RFC 7677.
    ScramSha256,
}

impl Mechanism {
    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
        }
    }
}

/// What the client gave to sign in; its `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who signs in; never empty.
    pub name: String,
    /// The password; never empty.
    pub password: String,
    /// On whose behalf, where PLAIN named somebody.
    pub authorization_id: Option<String>,
    /// By which mechanism.
    pub mechanism: Mechanism,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("name", &self.name)
            .field("authorization_id", &self.authorization_id)
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

/// The shell's answer to the open question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the peer hears; its class decides how the session goes on.
    Reply(Reply),
    /// The next server message of SCRAM, before base64.
    Challenge(Vec<u8>),
    /// What the peer hears before the session closes, for example 421.
    Close(Reply),
}

/// What the shell tells the session of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The service is stopping: finish the transaction in flight, then 421 4.3.2 and close.
    Draining,
    /// End the session now, with 421 4.3.2. A message whose `Question::Message` is open is
    /// answered first, because it may already be stored.
    Ended,
}
