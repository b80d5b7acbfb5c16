//! One connection's worth of work: takes groups of one destination until there are none.
//!
//! Promises: results are recorded before anything else is said on the connection; an idle
//! connection is kept for a moment, then closed politely.

use std::sync::Arc;

use crate::board::{Board, Seat};
use crate::connection::Connection;
use crate::group::Group;
use crate::phase::{Phase, reached};
use crate::runner::Parties;
use crate::verdict::{Outcome, Verdict};

/// Works until there is nothing to do for the destination, or delivery stops.
pub(crate) async fn work(parties: Arc<Parties>, mut seat: Seat) {
    let mut connection = None;
    loop {
        let group = match seat.take() {
            Some(group) => group,
            None if wait(&parties, &seat, &mut connection).await => continue,
            None => break,
        };
        deal(&parties, &mut connection, group).await;
        seat.done();
    }
    if let Some(connection) = connection {
        connection.quit().await;
    }
}

/// Waits for the next group; whether one may have come.
async fn wait(parties: &Parties, seat: &Seat, connection: &mut Option<Connection>) -> bool {
    let clock = &parties.attempter.opener.clock;
    let mut kept = match connection.take() {
        Some(kept) if *parties.phases.borrow() == Phase::Running => kept,
        other => {
            *connection = other;
            return false;
        }
    };
    if !kept.ready().await {
        return false;
    }
    let deadline = clock.now().plus(parties.attempter.opener.limits.idle);
    let came = tokio::select! {
        biased;
        () = reached(parties.phases.clone(), Phase::Draining) => false,
        () = seat.work.notified() => true,
        () = kept.idle() => return false,
        () = clock.sleep_until(deadline) => false,
    };
    *connection = Some(kept);
    came
}

/// Sends one group, or puts it back, and records it.
async fn deal(parties: &Parties, connection: &mut Option<Connection>, group: Group) {
    let _in_flight = InFlight {
        board: Arc::clone(&parties.attempter.board),
        group: group.clone(),
    };
    let current = parties.settler.live.current();
    let now = parties.attempter.opener.clock.now();
    let outcomes = if *parties.phases.borrow() != Phase::Running {
        without_try(group, &Verdict::Released)
    } else if let Some(down) = parties.attempter.board.down(&group.destination, now) {
        let verdict = Verdict::PutBack {
            why: down.why,
            not_before: down.until,
        };
        without_try(group, &verdict)
    } else {
        parties.attempter.attempt(connection, &current, group).await
    };
    if parties.settler.settle(outcomes).await {
        parties.attempter.board.room.notify_one();
    }
}

/// The same verdict for a whole group that was not tried.
pub(crate) fn without_try(group: Group, verdict: &Verdict) -> Vec<Outcome> {
    let outcome = |entry| Outcome {
        entry,
        tried: None,
        verdict: verdict.clone(),
    };
    group.entries.into_iter().map(outcome).collect()
}

/// Entries in flight; dropping it lands them, also when the worker fell over.
struct InFlight {
    board: Arc<Board>,
    group: Group,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.board.end(&self.group.keys());
    }
}
