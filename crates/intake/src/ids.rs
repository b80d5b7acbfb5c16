//! Where ids of transactions come from.
//!
//! Promises: one source for the whole gateway, so that ids only grow and never repeat.

use std::sync::{Mutex, PoisonError};

use mail::{IdSource, Timestamp, TransactionId};

/// A random number, asked for once per id.
pub(crate) type Salt = Box<dyn Fn() -> u32 + Send + Sync>;

/// The one source of ids.
pub struct Ids {
    source: Mutex<IdSource>,
    salt: Salt,
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    /// Ids greater than `last`, the greatest id in the store; `salt` gives a random number.
    pub fn after(
        last: Option<TransactionId>,
        salt: impl Fn() -> u32 + Send + Sync + 'static,
    ) -> Self {
        Self {
            source: Mutex::new(last.map_or_else(IdSource::default, IdSource::after)),
            salt: Box::new(salt),
        }
    }

    /// The next id.
    pub fn next(&self, now: Timestamp) -> TransactionId {
        let salt = (self.salt)();
        self.source
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next(now, salt)
    }
}
