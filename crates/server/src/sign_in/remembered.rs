//! Right passwords, remembered for ten minutes.
//!
//! Promises: neither a password nor anything that could be searched for one is kept: only an HMAC
//! under a key that never leaves the process; a changed user fits no memory of before.
//! Standards: RFC 2104.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use mail::Timestamp;
use policy::UserName;
use sha2::Sha256;

use super::random;

const KEPT: Duration = Duration::from_mins(10);

/// Remembered sign-ins, bounded.
pub(super) struct Remembered {
    key: [u8; 32],
    entries: Mutex<HashMap<[u8; 32], Entry>>,
    entries_max: usize,
}

struct Entry {
    user: UserName,
    since: Timestamp,
}

impl Entry {
    fn is_fresh(&self, now: Timestamp) -> bool {
        // Later than now: the clock went back, nobody knows how old this is.
        self.since <= now && now < self.since.plus(KEPT)
    }
}

impl Remembered {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            key: random::octets(),
            entries: Mutex::default(),
            entries_max: entries_max.max(1),
        }
    }

    /// Whether this password of this version of the user was right lately.
    pub(super) fn knows(
        &self,
        user: &UserName,
        version: u64,
        password: &str,
        now: Timestamp,
    ) -> bool {
        let Some(mac) = self.mac(user, version, password) else {
            return false;
        };
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(&mac)
            .is_some_and(|entry| entry.user == *user && entry.is_fresh(now))
    }

    pub(super) fn remember(&self, user: &UserName, version: u64, password: &str, now: Timestamp) {
        let Some(mac) = self.mac(user, version, password) else {
            return;
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.entries_max {
            entries.retain(|_, entry| entry.is_fresh(now));
        }
        if entries.len() >= self.entries_max {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(oldest) = oldest.map(|(mac, _)| *mac) {
                entries.remove(&oldest);
            }
        }
        let user = user.clone();
        entries.insert(mac, Entry { user, since: now });
    }

    pub(super) fn forget(&self, user: &UserName) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.user != *user);
    }

    fn mac(&self, user: &UserName, version: u64, password: &str) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(user.as_str().as_bytes());
        // No user name holds a NUL, so the parts cannot be taken for each other.
        mac.update(b"\0");
        mac.update(&version.to_be_bytes());
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn user(name: &str) -> UserName {
        name.parse().unwrap()
    }

    #[test]
    fn a_sign_in_is_remembered_for_ten_minutes_and_for_this_version_only() {
        let remembered = Remembered::new(8);
        remembered.remember(&user("bob"), 1, "secret", at(100));
        assert!(remembered.knows(&user("bob"), 1, "secret", at(109)));
        assert!(!remembered.knows(&user("bob"), 1, "secret", at(110)));
        assert!(!remembered.knows(&user("bob"), 1, "secret", at(99)));
        assert!(!remembered.knows(&user("bob"), 2, "secret", at(101)));
        assert!(!remembered.knows(&user("bob"), 1, "Secret", at(101)));
        assert!(!remembered.knows(&user("alice"), 1, "secret", at(101)));
        remembered.forget(&user("bob"));
        assert!(!remembered.knows(&user("bob"), 1, "secret", at(101)));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_gives_way() {
        let remembered = Remembered::new(4);
        for number in 0..100 {
            remembered.remember(&user("bob"), number, "secret", at(1));
        }
        remembered.remember(&user("bob"), 100, "secret", at(2));
        assert!(remembered.knows(&user("bob"), 100, "secret", at(2)));
        assert_eq!(remembered.entries.lock().unwrap().len(), 4);
    }
}
