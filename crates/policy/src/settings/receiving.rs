//! The Receiving tab (S4.8).

use serde::{Deserialize, Serialize};

/// What is taken in, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four ticks of one page, each by itself"
)]
pub struct Receiving {
    /// Below this many free octets mail waits outside (452 4.3.1).
    /// Default: 256 MiB. Source: room for five of the largest messages.
    pub disk_free_bytes_min: u64,
    /// Largest message in octets (552 5.3.4). Range: 64 KiB and more (RFC 5321 §4.5.3.1.7).
    /// Default: 50 MiB. Source: RFC 1870 leaves it open; large providers take 25 to 50 MB.
    pub message_bytes_max: u64,
    /// Most recipients of one message (452 4.5.3). Range: 100 to 100,000.
    /// Default: 1000. Source: RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub recipients_max: u32,
    /// A session ends after this many bad commands (421 4.7.0). Range: 1 to 1000.
    /// Default: 10. Source: RFC 5321 §7.8; a person at a keyboard errs less.
    pub bad_commands_max: u32,
    /// The sender's domain must exist in DNS (untrusted peers only).
    /// Default: on. Source: product duty S4.8; no report could reach such a sender.
    pub sender_domain_must_resolve: bool,
    /// Senders such as `bob@[192.0.2.1]` are refused.
    /// Default: on. Source: product duty S4.8; hardly any real mail has them.
    pub numeric_domains_refused: bool,
    /// The null reverse-path is refused, which loses reports.
    /// Default: off. Source: RFC 5321 §4.5.5.
    pub null_reverse_path_refused: bool,
    /// Outsiders may not send as our domains.
    /// Default: on. Source: product duty S4.8.
    pub own_domain_spoofing_refused: bool,
    /// Open connections to all mail services. Range: 1 to 1,000,000.
    /// Default: 2000. Source: four programs each for 500 people.
    pub connections_max: u32,
    /// Open connections from one external source. Range: 1 to 1,000,000.
    /// Default: 20. Source: large senders open up to ten at a time.
    pub connections_per_source_max: u32,
    /// Messages a minute from one external source. Range: 1 to 10,000,000.
    /// Default: 120. Source: two a second, above what one site sends to an office of 500.
    pub messages_per_source_per_minute_max: u32,
    /// Most Received fields (554 5.4.6). Range: 10 to 1000.
    /// Default: 100. Source: RFC 5321 §6.3.
    pub hops_max: u32,
}
