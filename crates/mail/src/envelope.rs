//! The envelope: who a message is from and for, and what was asked about reports.
//!
//! Promises: plain data, the same for every door that mail comes in by.
//! Standards: RFC 5321 §2.3.1, RFC 3461 §4, RFC 6152, RFC 6531.

use serde::{Deserialize, Serialize};

use crate::{ForwardPath, ReversePath};

/// When a report about one recipient is wanted (RFC 3461 §4.1); all three off is NOTIFY=NEVER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// On delivery.
    pub success: bool,
    /// On failure.
    pub failure: bool,
    /// On delay.
    pub delay: bool,
}

impl Default for Notify {
    /// What holds when NOTIFY is absent.
    // RFC 3461 §4.1: absent NOTIFY means failure, and delay at the server's choice.
    fn default() -> Self {
        Self {
            success: false,
            failure: true,
            delay: true,
        }
    }
}

/// How much of the message a report brings back (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header only; ours when nothing was asked, so that reports stay small.
    #[default]
    Headers,
}

/// The BODY parameter of MAIL (RFC 6152).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyType {
    /// Seven bit, or not said.
    #[default]
    SevenBit,
    /// BODY=8BITMIME.
    EightBitMime,
}

/// One recipient with what was asked about reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where it goes.
    pub path: ForwardPath,
    /// When to report; `None` when the client did not say.
    pub notify: Option<Notify>,
    /// The ORCPT parameter as it came, `type;xtext` (RFC 3461 §4.2).
    pub orcpt: Option<String>,
}

impl Recipient {
    /// A recipient about whom nothing special was asked.
    pub const fn plain(path: ForwardPath) -> Self {
        Self {
            path,
            notify: None,
            orcpt: None,
        }
    }
}

/// The sender's half of an envelope: the MAIL command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailParameters {
    /// Where reports go.
    pub reverse_path: ReversePath,
    /// SIZE in octets, where declared (RFC 1870).
    pub size_bytes: Option<u64>,
    /// BODY.
    pub body: BodyType,
    /// SMTPUTF8 was given (RFC 6531).
    pub smtputf8: bool,
    /// RET, where given.
    pub ret: Option<Ret>,
    /// ENVID as it came, in xtext (RFC 3461 §4.4).
    pub envid: Option<String>,
}

impl MailParameters {
    /// MAIL with nothing but a reverse-path.
    pub const fn plain(reverse_path: ReversePath) -> Self {
        Self {
            reverse_path,
            size_bytes: None,
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
        }
    }
}

/// A whole envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender's half.
    pub mail: MailParameters,
    /// At least one recipient, in the order they were given.
    pub recipients: Vec<Recipient>,
}
