//! How long delivery waits and how much it does at once, where settings do not say.
//!
//! Promises: plain data, so that tests can set it.

use std::time::Duration;

/// The limits of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of each conversation.
    pub session: smtp::client::Limits,
    /// For a TCP connection to open, and for a TLS handshake.
    pub connect_timeout: Duration,
    /// Addresses tried in one attempt.
    pub addresses_max: usize,
    /// Recipients of one transaction. RFC 5321 §4.5.3.1.8: a server takes at least 100.
    pub recipients_max: usize,
    /// How long a connection is kept for the next message.
    pub idle: Duration,
    /// How long an address that did not answer is tried after the others.
    pub address_down: Duration,
    /// How long a claim holds; what is in flight keeps it longer.
    pub lease: Duration,
    /// Entries claimed at once.
    pub claim_max: usize,
    /// Messages that wait in memory for a connection of one destination.
    pub pending_max: usize,
    /// Messages that wait in memory in all.
    pub pending_total_max: usize,
    /// How long stopping waits for what is in flight.
    pub drain: Duration,
    /// Octets of a message that a report brings back whole; of a larger one only the header.
    pub returned_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session: smtp::client::Limits::default(),
            connect_timeout: Duration::from_secs(30),
            addresses_max: 8,
            recipients_max: 100,
            idle: Duration::from_secs(3),
            address_down: Duration::from_mins(5),
            lease: Duration::from_mins(30),
            claim_max: 500,
            pending_max: 64,
            pending_total_max: 4000,
            drain: Duration::from_secs(10),
            returned_bytes_max: 256 * 1024,
        }
    }
}
