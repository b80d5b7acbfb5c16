//! What a session says to its shell, and what the shell answers.
//!
//! Promises: closed enums; one question at a time; secrets never appear in `Debug`.
//! Does not: hold texts of policy or of outside failures, those come ready in a [`Refusal`].

use std::fmt;

use crate::maildrop::{MaildropEntry, MessageNumber};

/// What the shell has to do next.
///
/// A question comes out before the replies gathered so far, unless these have reached
/// [`Limits::reply_octets`](crate::Limits::reply_octets). A shell that can answer at once answers
/// and goes on polling, and many replies leave in one write; one whose answer must wait polls on
/// until `None`, writes what came out, and answers later. Both are correct.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Octets for the peer: whole lines, several replies may come in one. Write them before
    /// polling again, so that a body is pulled no faster than the peer reads.
    Reply(Vec<u8>),
    /// A question; until [`Session::answer`](crate::Session::answer) no further command is read.
    Ask(Question),
    /// Start TLS now, then call [`Session::tls_started`](crate::Session::tls_started). All replies
    /// have come out before. Whatever the peer sent after its STLS line, in the session or in the
    /// shell's own read buffer, is dropped and must not reach the TLS layer or the session.
    StartTls,
    /// Close the connection and release the maildrop's lock. Nothing follows.
    Close,
}

/// What the session needs to know or to have done.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// Are these credentials right? Answer: `SignedIn`, `SignInRefused` or `Unavailable`.
    SignIn {
        /// How they came, for the log.
        mechanism: Mechanism,
        /// What came.
        credentials: Credentials,
    },
    /// The first message of a SCRAM-SHA-256 exchange; it replaces one that was not finished.
    /// Answer: `ScramChallenge`, `SignInRefused` or `Unavailable`.
    ScramStart {
        /// RFC 5802 §5: client-first-message, decoded from base64.
        client_first: Vec<u8>,
    },
    /// The proof of a SCRAM-SHA-256 exchange. Answer: `ScramVerified`, `SignInRefused` or
    /// `Unavailable`. The user is signed in once `OpenMaildrop` is asked: until then the peer may
    /// still cancel.
    ScramStep {
        /// RFC 5802 §5: client-final-message, decoded from base64.
        client_final: Vec<u8>,
    },
    /// Lock and list the maildrop of the user who signed in. Answer: `Maildrop`,
    /// `MaildropInUse`, `SignInRefused` (the user may have none) or `Unavailable`.
    OpenMaildrop,
    /// The next octets of a message. Answer: `Body` or `Unavailable`.
    Body {
        /// Which message of the listing.
        message: MessageNumber,
        /// From which octet.
        first: BodyFrom,
        /// At most this many octets; fewer, but not none unless at the end, are welcome.
        max_bytes: usize,
    },
    /// Remove these messages, all or none. Asked at QUIT, only if there are any. Answer:
    /// `DeletionsApplied`, `DeletionsFailed` or `Unavailable`.
    ApplyDeletions {
        /// The messages marked deleted, in ascending order.
        messages: Vec<MessageNumber>,
    },
}

/// Offset into a message in octets, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyFrom(pub u64);

/// How somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 1939 §7: USER and PASS.
    UserPass,
    /// RFC 4616.
    Plain,
    /// AUTH LOGIN, two prompts; never standardised, still in use.
    Login,
    /// RFC 7677.
    ScramSha256,
}

/// What a peer offers as proof of who it is.
#[derive(PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password, both not empty and without NUL, CR and LF, as the peer spelled
    /// them.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => f
                .debug_struct("Password")
                .field("user", user)
                .finish_non_exhaustive(),
        }
    }
}

/// The shell's answer to the open question. One that does not fit it counts as `Unavailable`.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The credentials are right.
    SignedIn,
    /// They are not, or the user may not come in this way.
    SignInRefused(Refusal),
    /// The server's next message of the SCRAM exchange (server-first-message).
    ScramChallenge {
        /// RFC 5802 §5: server-first-message, not yet in base64.
        server_first: Vec<u8>,
    },
    /// The client's proof is right.
    ScramVerified {
        /// RFC 5802 §5: server-final-message, not yet in base64.
        server_final: Vec<u8>,
    },
    /// The maildrop is locked for this session; its messages, oldest first.
    Maildrop(Vec<MaildropEntry>),
    /// Another session holds the maildrop's lock.
    MaildropInUse,
    /// Octets of the message asked for, as stored, with CRLF line ends. Shells that hold them in
    /// a buffer of their own call [`Session::answer_body`](crate::Session::answer_body) instead.
    Body {
        /// The octets that begin at the offset asked for.
        octets: Vec<u8>,
        /// Whether the message ends with them.
        end: bool,
    },
    /// The deletions are on stable storage.
    DeletionsApplied,
    /// Nothing was deleted.
    DeletionsFailed,
    /// It could not be learnt or done now; the peer reads `[SYS/TEMP]`.
    Unavailable,
}

/// A refusal that policy or an outside failure wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The text after `-ERR `, response code included: `[AUTH] wrong name or password`.
    ///
    /// Line breaks and control characters in it are sent as spaces, and what exceeds one reply
    /// line of 512 octets is cut off.
    pub line: String,
}

/// Something that happened outside the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The service stops: the command in flight is finished, then the peer hears that it should
    /// come back later.
    Draining,
    /// An operator ends this session now; an open question need not be answered.
    Ended,
}
