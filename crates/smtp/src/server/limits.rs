//! How much one session takes, and how long it waits.
//!
//! Promises: plain data from settings; nothing in the session has a limit that is not named here
//! or fixed by a standard.

use std::time::Duration;

/// The limits of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest message content in octets, after undoing dot-stuffing. Above it 552 5.3.4.
    pub size_bytes_max: u64,
    /// Longest line of content in octets with its CRLF. Above it 550 5.6.0.
    pub text_line_bytes_max: u64,
    /// Accepted recipients per transaction. Above it 452 4.5.3.
    pub recipients_max: usize,
    /// Commands with errors that are answered one by one; the next gets 421 4.7.0.
    pub bad_commands_max: u32,
    /// Failed sign-ins; the last of them is followed by 421 4.7.0.
    pub auth_attempts_max: u32,
    /// How long to wait for a whole command line.
    pub command_timeout: Duration,
    /// How long to wait for more of a message.
    pub data_timeout: Duration,
    /// Unread input above which `Session::wants_input` says no.
    pub input_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size_bytes_max: 50 * 1024 * 1024,
            text_line_bytes_max: 1024 * 1024,
            // RFC 5321 §4.5.3.1.8: at least 100 recipients.
            recipients_max: 100,
            bad_commands_max: 20,
            auth_attempts_max: 3,
            // RFC 5321 §4.5.3.2.7: at least five minutes for the next command.
            command_timeout: Duration::from_mins(5),
            // RFC 5321 §4.5.3.2.5: clients may take three minutes for a block; be patient.
            data_timeout: Duration::from_mins(10),
            input_bytes_max: 64 * 1024,
        }
    }
}
