//! Counts that limits rest on.

use std::net::IpAddr;

use mail::Timestamp;

/// Counts per source; kept in memory, bounded, lost at restart.
pub trait Counters: Send + Sync {
    /// Counts one more message begun by `source` and returns how many it began within the last
    /// minute, this one included.
    fn count_message(&self, source: IpAddr, now: Timestamp) -> u64;

    /// How many messages `source` began within the last minute, without counting one.
    fn messages_from(&self, source: IpAddr, now: Timestamp) -> u64;
}
