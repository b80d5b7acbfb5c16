//! Who waits for whom: messages in memory, connections by destination, what is known to be down.
//!
//! Promises: limits hold by destination and in all; a destination at its limit is not claimed for;
//! what is in flight is never handed out twice, also when its lease ran out; bounded memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mail::{QueueId, Timestamp};
use tokio::sync::Notify;

use crate::group::Group;
use crate::limits::Limits;
use crate::why::Why;

/// A destination that did not answer.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    pub(crate) failures: u32,
    pub(crate) until: Timestamp,
    pub(crate) why: Why,
}

#[derive(Default)]
struct Destination {
    pending: VecDeque<Group>,
    workers: usize,
    /// Workers without a group.
    free: usize,
    work: Arc<Notify>,
    down: Option<Down>,
    /// Names under which the store keeps its entries: settings may have changed since.
    stored: BTreeSet<String>,
}

impl Destination {
    fn is_idle(&self, now: Timestamp) -> bool {
        let forgotten = |down: &Down| down.until.plus(std::time::Duration::from_hours(1)) <= now;
        self.pending.is_empty() && self.workers == 0 && self.down.as_ref().is_none_or(forgotten)
    }
}

#[derive(Default)]
struct State {
    destinations: BTreeMap<String, Destination>,
    in_flight: BTreeSet<(QueueId, u32)>,
    pending: usize,
    workers: usize,
    addresses_down: BTreeMap<SocketAddr, Timestamp>,
}

/// How many connections settings allow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    pub(crate) per_destination: usize,
    pub(crate) total: usize,
}

/// The board.
pub(crate) struct Board {
    state: Mutex<State>,
    limits: Limits,
    /// Told when there is room again.
    pub(crate) room: Notify,
}

impl Board {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::default(),
            limits: *limits,
            room: Notify::new(),
        }
    }

    /// Notes entries as in flight; those that were already are not given back.
    pub(crate) fn begin(&self, keys: &[(QueueId, u32)]) -> Vec<(QueueId, u32)> {
        let mut state = self.state();
        let new = keys.iter().filter(|key| state.in_flight.insert(**key));
        new.copied().collect()
    }

    /// Entries are no longer in flight.
    pub(crate) fn end(&self, keys: &[(QueueId, u32)]) {
        let mut state = self.state();
        for key in keys {
            state.in_flight.remove(key);
        }
    }

    /// Everything in flight.
    pub(crate) fn in_flight(&self) -> Vec<(QueueId, u32)> {
        self.state().in_flight.iter().copied().collect()
    }

    /// Takes a group in, unless too many wait: then gives it back.
    pub(crate) fn offer(&self, group: Group) -> Option<Group> {
        let mut state = self.state();
        let has_room = state.pending < self.limits.pending_total_max;
        let name = group.destination.clone();
        let destination = state.destinations.entry(name).or_default();
        let names = group.entries.iter().map(|entry| entry.destination.clone());
        destination.stored.extend(names);
        if !has_room || destination.pending.len() >= self.limits.pending_max {
            return Some(group);
        }
        destination.pending.push_back(group);
        destination.work.notify_one();
        state.pending += 1;
        None
    }

    /// Names in the store of destinations that have enough.
    pub(crate) fn full(&self) -> Vec<String> {
        let state = self.state();
        let full = |one: &&Destination| one.pending.len() >= self.limits.pending_max;
        let stored = state.destinations.values().filter(full);
        stored.flat_map(|one| one.stored.clone()).collect()
    }

    /// Whether more may be claimed at all.
    pub(crate) fn has_room(&self) -> bool {
        self.state().pending < self.limits.pending_total_max
    }

    /// Destinations for which one more connection is wanted and allowed; each is counted at once.
    pub(crate) fn hire(self: &Arc<Self>, allowed: Allowed) -> Vec<Seat> {
        let mut state = self.state();
        let mut hired = Vec::new();
        let mut workers = state.workers;
        // Everybody's first connection comes before anybody's second.
        for round in 0..allowed.per_destination {
            for (name, one) in &mut state.destinations {
                let wanted = one.pending.len() > one.free;
                if workers < allowed.total && one.workers <= round && wanted {
                    one.workers += 1;
                    one.free += 1;
                    workers += 1;
                    hired.push(Seat {
                        board: Arc::clone(self),
                        name: name.clone(),
                        work: Arc::clone(&one.work),
                        busy: false,
                    });
                }
            }
        }
        state.workers = workers;
        hired
    }

    fn take(&self, name: &str) -> Option<Group> {
        let mut state = self.state();
        let destination = state.destinations.get_mut(name)?;
        let group = destination.pending.pop_front()?;
        destination.free = destination.free.saturating_sub(1);
        let low = destination.pending.len() == self.limits.pending_max / 2;
        state.pending -= 1;
        if low || state.pending + 1 == self.limits.pending_total_max {
            self.room.notify_one();
        }
        Some(group)
    }

    /// A worker of the destination has no group any more, and is gone unless it `stays`.
    fn free(&self, name: &str, (was_busy, stays): (bool, bool)) {
        let mut state = self.state();
        if let Some(destination) = state.destinations.get_mut(name) {
            if was_busy {
                destination.free += 1;
            }
            if !stays {
                destination.free = destination.free.saturating_sub(1);
                destination.workers = destination.workers.saturating_sub(1);
            }
        }
        if !stays {
            state.workers = state.workers.saturating_sub(1);
            self.room.notify_one();
        }
    }

    /// Takes everything that waits.
    pub(crate) fn drain(&self) -> Vec<Group> {
        let mut state = self.state();
        state.pending = 0;
        let destinations = state.destinations.values_mut();
        destinations.flat_map(|one| one.pending.drain(..)).collect()
    }

    /// Connections open or being opened.
    pub(crate) fn workers(&self) -> usize {
        self.state().workers
    }

    /// What is known to be wrong with the destination now.
    pub(crate) fn down(&self, name: &str, now: Timestamp) -> Option<Down> {
        let state = self.state();
        let down = state.destinations.get(name)?.down.clone();
        down.filter(|down| down.until > now)
    }

    /// How often in a row the destination failed.
    pub(crate) fn failures(&self, name: &str) -> u32 {
        let state = self.state();
        let down = state
            .destinations
            .get(name)
            .and_then(|one| one.down.as_ref());
        down.map_or(0, |down| down.failures)
    }

    /// The destination did not answer, or did (`None`).
    pub(crate) fn remember(&self, name: &str, down: Option<Down>) {
        let mut state = self.state();
        let destination = state.destinations.entry(name.to_owned()).or_default();
        destination.down = down;
    }

    /// An address did not answer, or did (`None`).
    pub(crate) fn remember_address(&self, address: SocketAddr, until: Option<Timestamp>) {
        let mut state = self.state();
        match until {
            Some(until) => state.addresses_down.insert(address, until),
            None => state.addresses_down.remove(&address),
        };
    }

    /// Whether an address did not answer lately.
    pub(crate) fn is_address_down(&self, address: SocketAddr, now: Timestamp) -> bool {
        let state = self.state();
        let until = state.addresses_down.get(&address);
        until.is_some_and(|until| *until > now)
    }

    /// Forgets what was down: everything is tried again.
    pub(crate) fn forget_down(&self) {
        let mut state = self.state();
        state.addresses_down.clear();
        for destination in state.destinations.values_mut() {
            destination.down = None;
        }
    }

    /// Drops what is of no interest any more.
    pub(crate) fn tidy(&self, now: Timestamp) {
        let mut state = self.state();
        state.destinations.retain(|_, one| !one.is_idle(now));
        state.addresses_down.retain(|_, until| *until > now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one worker: at most one connection to one destination. Dropping it gives it up.
pub(crate) struct Seat {
    pub(crate) name: String,
    /// Told when a group comes in.
    pub(crate) work: Arc<Notify>,
    board: Arc<Board>,
    busy: bool,
}

impl Seat {
    /// The next group for this destination.
    pub(crate) fn take(&mut self) -> Option<Group> {
        let group = self.board.take(&self.name)?;
        self.busy = true;
        Some(group)
    }

    /// The group is dealt with.
    pub(crate) fn done(&mut self) {
        self.board.free(&self.name, (self.busy, true));
        self.busy = false;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.board.free(&self.name, (self.busy, false));
    }
}

#[cfg(test)]
mod tests {
    use policy::Because;

    use super::*;
    use crate::group::tests::{entry, mx};

    fn group(number: u64, destination: &str) -> Group {
        let entry = entry(number, 0, &format!("a@{destination}"));
        Group {
            id: entry.id,
            destination: destination.to_owned(),
            next_hop: mx(destination),
            entries: vec![entry],
        }
    }

    const ALLOWED: Allowed = Allowed {
        per_destination: 2,
        total: 3,
    };

    fn names(seats: &[Seat]) -> Vec<&str> {
        seats.iter().map(|seat| seat.name.as_str()).collect()
    }

    #[test]
    fn connections_are_bounded_by_destination_and_in_all() {
        let board = Arc::new(Board::new(&Limits::default()));
        for number in 0..5 {
            assert!(board.offer(group(number, "a.test")).is_none());
            assert!(board.offer(group(10 + number, "b.test")).is_none());
        }
        let mut seats = board.hire(ALLOWED);
        assert_eq!(names(&seats), ["a.test", "b.test", "a.test"]);
        assert!(board.hire(ALLOWED).is_empty());
        seats.retain(|seat| seat.name == "b.test");
        let again = board.hire(ALLOWED);
        assert_eq!(names(&again), ["a.test", "a.test"]);
    }

    #[test]
    fn no_more_connections_are_wanted_than_there_are_messages() {
        let board = Arc::new(Board::new(&Limits::default()));
        assert!(board.offer(group(1, "a.test")).is_none());
        let mut seats = board.hire(ALLOWED);
        assert_eq!(names(&seats), ["a.test"]);
        assert!(
            board.hire(ALLOWED).is_empty(),
            "one message, one connection"
        );
        assert!(seats[0].take().is_some());
        assert!(seats[0].take().is_none());
        assert!(board.offer(group(2, "a.test")).is_none());
        assert_eq!(board.hire(ALLOWED).len(), 1, "the first one is busy");
        seats[0].done();
        assert!(board.hire(ALLOWED).is_empty(), "the first one is free");
        drop(seats);
        assert_eq!(board.workers(), 0);
    }

    #[test]
    fn a_destination_with_enough_is_not_claimed_for() {
        let limits = Limits {
            pending_max: 2,
            ..Limits::default()
        };
        let board = Board::new(&limits);
        assert!(board.offer(group(1, "a.test")).is_none());
        assert!(board.offer(group(2, "a.test")).is_none());
        assert!(board.offer(group(3, "a.test")).is_some());
        assert_eq!(board.full(), ["a.test"]);
        assert!(board.offer(group(4, "b.test")).is_none());
        board.take("a.test").unwrap();
        assert!(board.full().is_empty());
    }

    #[test]
    fn what_is_in_flight_is_not_begun_again() {
        let board = Board::new(&Limits::default());
        let keys = group(1, "a.test").keys();
        assert_eq!(board.begin(&keys), keys);
        assert!(board.begin(&keys).is_empty());
        board.end(&keys);
        assert_eq!(board.begin(&keys), keys);
    }

    #[test]
    fn a_destination_that_is_down_is_remembered_until_its_time() {
        let board = Board::new(&Limits::default());
        let at = Timestamp::from_millis;
        let why = Why::plain(
            Because::Unreachable {
                failure: "refused".to_owned(),
            },
            4,
            1,
        );
        let down = Down {
            failures: 2,
            until: at(1000),
            why,
        };
        board.remember("a.test", Some(down));
        assert!(board.down("a.test", at(999)).is_some());
        assert!(board.down("a.test", at(1000)).is_none());
        assert_eq!(board.failures("a.test"), 2, "the next failure counts on");
        board.forget_down();
        assert_eq!(board.failures("a.test"), 0);
    }
}
