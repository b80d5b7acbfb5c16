//! Slows down guessing.
//!
//! Promises: whoever fails several times waits longer each time, up to five seconds; nobody is
//! locked out, and the owner of an account who comes from elsewhere does not wait for a guesser's
//! failures; bounded memory.
//! Does not: verify anything.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mail::Timestamp;

use crate::source::Source;

/// When guessing is slowed down; tests choose other numbers.
#[derive(Clone, Copy, Debug)]
pub struct ThrottleLimits {
    /// Failures of one source at one account that cost nothing. Default: 3.
    pub account_failures_free: u32,
    /// Failures of one source at any account that cost nothing. Default: 20.
    pub source_failures_free: u32,
    /// The longest wait. Default: 5 s.
    pub wait_max: Duration,
    /// Failures older than this are forgotten. Default: 15 min.
    pub forgotten_after: Duration,
    /// Pairs of source and account that are remembered. Default: 10,000.
    pub entries_max: usize,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            account_failures_free: 3,
            source_failures_free: 20,
            wait_max: Duration::from_secs(5),
            forgotten_after: Duration::from_mins(15),
            entries_max: 10_000,
        }
    }
}

/// Remembers who failed to sign in.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    hasher: RandomState,
    entries: Mutex<HashMap<Key, Failures>>,
}

/// A source, at one account or (`None`) at any.
type Key = (Source, Option<u64>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Throttle {
    /// Remembers nothing yet.
    pub fn new(limits: ThrottleLimits) -> Self {
        Self {
            limits,
            hasher: RandomState::new(),
            entries: Mutex::default(),
        }
    }

    /// How long an attempt has to wait before it is verified.
    pub fn wait(&self, source: IpAddr, name: &str, now: Timestamp) -> Duration {
        let (account, any) = self.keys(source, name);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let beyond = |key: &Key, free: u32| match entries.get(key) {
            Some(failures) if self.is_fresh(failures, now) => failures.count.saturating_sub(free),
            Some(_) | None => 0,
        };
        let beyond = beyond(&account, self.limits.account_failures_free)
            .max(beyond(&any, self.limits.source_failures_free));
        Duration::from_secs(beyond.into()).min(self.limits.wait_max)
    }

    /// An attempt failed.
    pub fn failed(&self, source: IpAddr, name: &str, now: Timestamp) {
        let (account, any) = self.keys(source, name);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for key in [account, any] {
            if entries.len() >= self.limits.entries_max && !entries.contains_key(&key) {
                self.make_room(&mut entries, now);
            }
            let failures = entries.entry(key).or_insert(Failures {
                count: 0,
                last: now,
            });
            if !self.is_fresh(failures, now) {
                failures.count = 0;
            }
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
        }
    }

    /// An attempt succeeded: this source knows this account's password.
    pub fn succeeded(&self, source: IpAddr, name: &str) {
        let (account, _) = self.keys(source, name);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&account);
    }

    fn keys(&self, source: IpAddr, name: &str) -> (Key, Key) {
        let source = Source::of(source);
        // A name may be long, and need not be anybody's: its hash is enough.
        let name = self.hasher.hash_one(name.trim().to_lowercase());
        ((source, Some(name)), (source, None))
    }

    fn is_fresh(&self, failures: &Failures, now: Timestamp) -> bool {
        failures.last <= now && now < failures.last.plus(self.limits.forgotten_after)
    }

    fn make_room(&self, entries: &mut HashMap<Key, Failures>, now: Timestamp) {
        entries.retain(|_, failures| self.is_fresh(failures, now));
        if entries.len() < self.limits.entries_max {
            return;
        }
        // Many at once, so that a flood does not pay for a scan each time.
        let mut oldest: Vec<(Timestamp, Key)> = entries
            .iter()
            .map(|(key, failures)| (failures.last, *key))
            .collect();
        oldest.sort_unstable();
        let leave = oldest.len() / 8 + 1;
        for (_, key) in oldest.iter().take(leave) {
            entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn guessing_gets_slower_and_the_owner_elsewhere_does_not_notice() {
        let throttle = Throttle::new(ThrottleLimits::default());
        let waits: Vec<u64> = (0..10)
            .map(|attempt| {
                let wait = throttle.wait(ip(1), "bob", at(attempt)).as_secs();
                throttle.failed(ip(1), "Bob", at(attempt));
                wait
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 3, 4, 5, 5]);
        assert_eq!(throttle.wait(ip(2), "bob", at(10)), Duration::ZERO);
        assert_eq!(throttle.wait(ip(1), "alice", at(10)), Duration::ZERO);
        assert_eq!(throttle.wait(ip(1), "bob", at(10 + 900)), Duration::ZERO);
        throttle.succeeded(ip(1), "bob");
        assert_eq!(throttle.wait(ip(1), "bob", at(10)), Duration::ZERO);
    }

    #[test]
    fn trying_one_password_at_many_accounts_gets_slower_too() {
        let throttle = Throttle::new(ThrottleLimits::default());
        for number in 0..22 {
            throttle.failed(ip(1), &format!("user{number}"), at(1));
        }
        assert_eq!(throttle.wait(ip(1), "bob", at(2)), Duration::from_secs(2));
    }

    #[test]
    fn memory_is_bounded() {
        let limits = ThrottleLimits {
            entries_max: 64,
            ..ThrottleLimits::default()
        };
        let throttle = Throttle::new(limits);
        for number in 0..1000 {
            throttle.failed(ip(1), &format!("user{number}"), at(number / 10));
        }
        assert!(throttle.entries.lock().unwrap().len() <= 64);
    }
}
