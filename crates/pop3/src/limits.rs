//! The bounds of a session.
//!
//! Promises: every bound is a field, so that settings and tests can set it.
//! Does not: count connections; permits are the shell's.

use std::time::Duration;

/// Bounds on what a peer may make the session hold or repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest command line in octets, CRLF included. Default: 255. Source: RFC 2449 §4.
    pub command_octets: usize,
    /// Longest AUTH command or SASL response line in octets, CRLF included.
    /// Default: 12,288. Source: RFC 4954 §4, which sizes the same exchange for SMTP.
    pub sasl_octets: usize,
    /// Commands that may be unknown, malformed or out of order; at this many the session ends.
    /// Default: 20.
    pub bad_commands: u32,
    /// Sign-in attempts that may fail; at this many the session ends. Default: 5.
    pub sign_in_attempts: u32,
    /// Silence after which the session ends without a word. Default: 10 minutes.
    /// Source: RFC 1939 §3, which allows no less.
    pub idle: Duration,
    /// Octets of input held while a question is open; more ends the session. Default: 64 KiB.
    pub input_octets: usize,
    /// Octets at which gathered replies are handed out. Default: 64 KiB.
    pub reply_octets: usize,
    /// Octets asked for at once when a message is read. Default: 96 KiB, so that a message of
    /// 64 KiB and its header come in one piece: a store finds each piece anew.
    pub body_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_octets: 255,
            sasl_octets: 12 * 1024,
            bad_commands: 20,
            sign_in_attempts: 5,
            idle: Duration::from_mins(10),
            input_octets: 64 * 1024,
            reply_octets: 64 * 1024,
            body_octets: 96 * 1024,
        }
    }
}
