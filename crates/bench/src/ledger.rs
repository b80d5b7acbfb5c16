//! The books: which messages were acknowledged and which came back.
//!
//! Promises: a message is known by its id alone; lost, duplicated and damaged are counted apart.
//! One that was stored though its acknowledgement never came is *unacknowledged*, no fault.

use crate::clock::count;
use crate::letter::Returned;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What was acknowledged and what came back.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    acknowledged: HashSet<u64>,
    returned: HashMap<u64, u32>,
    damaged: u64,
}

/// What the books say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Balance {
    /// Messages that the server acknowledged.
    pub(crate) acknowledged: u64,
    /// Of these, the ones that never came back.
    pub(crate) lost: u64,
    /// Messages that came back more than once.
    pub(crate) duplicated: u64,
    /// Messages that came back changed.
    pub(crate) damaged: u64,
    /// Messages that came back though they were never acknowledged.
    pub(crate) unacknowledged: u64,
}

impl Ledger {
    /// Notes that the server took the responsibility for a message.
    pub(crate) fn acknowledge(&mut self, id: u64) {
        self.acknowledged.insert(id);
    }

    /// Notes a message that was read back.
    pub(crate) fn came_back(&mut self, message: Returned) {
        match message {
            Returned::Whole(id) => *self.returned.entry(id).or_default() += 1,
            Returned::Damaged => self.damaged += 1,
        }
    }

    /// Adds another's entries.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        for (id, times) in other.returned {
            *self.returned.entry(id).or_default() += times;
        }
        self.damaged += other.damaged;
    }

    /// How many messages were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        count(self.acknowledged.len())
    }

    /// Closes the books.
    pub(crate) fn balance(&self) -> Balance {
        let missing = |id: &&u64| !self.returned.contains_key(id);
        let unknown = |id: &&u64| !self.acknowledged.contains(id);
        Balance {
            acknowledged: self.acknowledged(),
            lost: count(self.acknowledged.iter().filter(missing).count()),
            duplicated: count(self.returned.values().filter(|times| **times > 1).count()),
            damaged: self.damaged,
            unacknowledged: count(self.returned.keys().filter(unknown).count()),
        }
    }
}

impl Balance {
    /// Whether nothing is missing, double or changed.
    pub(crate) const fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.damaged == 0
    }

    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            lost: self.lost + other.lost,
            duplicated: self.duplicated + other.duplicated,
            damaged: self.damaged + other.damaged,
            unacknowledged: self.unacknowledged + other.unacknowledged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_is_counted_once() {
        let mut ledger = Ledger::default();
        for id in 1..=4 {
            ledger.acknowledge(id);
        }
        for id in [1, 2, 2, 9] {
            ledger.came_back(Returned::Whole(id));
        }
        ledger.came_back(Returned::Damaged);
        let balance = ledger.balance();
        assert_eq!(
            balance,
            Balance {
                acknowledged: 4,
                lost: 2,
                duplicated: 1,
                damaged: 1,
                unacknowledged: 1,
            }
        );
        assert!(!balance.is_clean());
    }
}
