//! What a client session knows beforehand, and how long it waits.
//!
//! Promises: plain data; nothing waits longer than a limit named here.
//! Standards: RFC 5321 §4.5.3.2, RFC 3207, RFC 4954.

use std::fmt;
use std::time::Duration;

/// How STARTTLS is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsUse {
    /// Not at all, or TLS is on already.
    Never,
    /// Where it is offered.
    IfOffered,
    /// The session fails where it is not offered, or is refused.
    Required,
}

/// Name and password for a sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The facts of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Our own name, as EHLO says it: a domain or an address literal.
    pub host_name: String,
    /// STARTTLS.
    pub tls: TlsUse,
    /// Sign-in; the session fails where it is not offered.
    pub credentials: Option<Credentials>,
}

/// How long a session waits, and in what pieces it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the greeting.
    pub greeting_timeout: Duration,
    /// For the reply to EHLO, STARTTLS, AUTH and RSET.
    pub command_timeout: Duration,
    /// For the reply to MAIL.
    pub mail_timeout: Duration,
    /// For the reply to each RCPT.
    pub recipient_timeout: Duration,
    /// For the reply to DATA.
    pub data_timeout: Duration,
    /// For each piece of the content to leave.
    pub block_timeout: Duration,
    /// For the reply to the final dot.
    pub text_timeout: Duration,
    /// For the reply to QUIT.
    pub quit_timeout: Duration,
    /// Octets of content that are asked for at once.
    pub block_bytes: usize,
    /// RCPT commands that are sent ahead of their replies.
    pub group_recipients_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // RFC 5321 §4.5.3.2.1 to §4.5.3.2.6: 5, 5, 5, 2, 3 and 10 minutes.
            greeting_timeout: Duration::from_mins(5),
            command_timeout: Duration::from_mins(5),
            mail_timeout: Duration::from_mins(5),
            recipient_timeout: Duration::from_mins(5),
            data_timeout: Duration::from_mins(2),
            block_timeout: Duration::from_mins(3),
            text_timeout: Duration::from_mins(10),
            quit_timeout: Duration::from_secs(10),
            block_bytes: 64 * 1024,
            // So few that neither side's buffers fill up while nobody reads (RFC 2920 §3.1).
            group_recipients_max: 50,
        }
    }
}
