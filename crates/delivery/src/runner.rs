//! The queue runner: claims what is due, hands it out, sleeps until something is due again.
//!
//! Promises: new mail is tried at once; a slow destination fills only its own places; stopping
//! finishes what is in flight, gives back the rest and returns.
//! Does not: listen to anybody but `wake`, `retry_now` and the stop signal.

use std::sync::Arc;
use std::time::Duration;

use contracts::store::QueueEntry;
use contracts::{Clock, Live, Resolver, Store, StoreError};
use intake::{Ids, Reports, destination};
use mail::{QueueId, Timestamp};
use policy::Because;
use policy::route::{NextHop, route};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::attempt::Attempter;
use crate::board::{Allowed, Board};
use crate::dialer::Dialer;
use crate::group::{Group, grouped, key};
use crate::homecoming;
use crate::limits::Limits;
use crate::opening::{Opener, Secrets};
use crate::ourselves::Ourselves;
use crate::phase::Phase;
use crate::random::Random;
use crate::reports::Reporter;
use crate::settle::Settler;
use crate::tls::Tls;
use crate::verdict::{Outcome, Verdict};
use crate::why::Why;
use crate::worker::{without_try, work};

/// How long after a failure of the store it is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// How soon entries are looked at again that are due and could not be taken.
const CROWDED_PAUSE: Duration = Duration::from_secs(1);

/// What a runner is made of.
pub struct Parts {
    /// The queue.
    pub store: Arc<dyn Store>,
    /// Looks up exchangers.
    pub resolver: Arc<dyn Resolver>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Settings and users in force.
    pub live: Arc<Live>,
    /// Makes reports ready.
    pub reports: Reports,
    /// Ids for what comes home.
    pub ids: Arc<Ids>,
    /// Opens connections.
    pub dialer: Arc<dyn Dialer>,
    /// TLS.
    pub tls: Tls,
    /// Passwords for smart hosts.
    pub secrets: Arc<dyn Secrets>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Our own listeners.
    pub ourselves: Arc<Ourselves>,
    /// Limits that settings do not name.
    pub limits: Limits,
}

/// Everybody who works at an attempt.
pub(crate) struct Parties {
    pub(crate) attempter: Attempter,
    pub(crate) settler: Settler,
    pub(crate) ids: Arc<Ids>,
    pub(crate) phases: watch::Receiver<Phase>,
}

/// The queue runner.
pub struct Runner {
    parties: Arc<Parties>,
    board: Arc<Board>,
    phase: watch::Sender<Phase>,
    woken: Notify,
    limits: Limits,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that does nothing until `run`.
    pub fn new(parts: Parts) -> Arc<Self> {
        let (phase, phases) = watch::channel(Phase::Running);
        let board = Arc::new(Board::new(&parts.limits));
        let limits = parts.limits;
        let settler = Settler {
            store: Arc::clone(&parts.store),
            clock: Arc::clone(&parts.clock),
            live: parts.live,
            random: Arc::clone(&parts.random),
            reporter: Reporter {
                store: Arc::clone(&parts.store),
                reports: parts.reports,
                random: Arc::clone(&parts.random),
                returned_bytes_max: limits.returned_bytes_max,
            },
        };
        let attempter = Attempter {
            store: parts.store,
            resolver: parts.resolver,
            ourselves: parts.ourselves,
            random: parts.random,
            opener: Opener {
                dialer: parts.dialer,
                tls: parts.tls,
                secrets: parts.secrets,
                clock: parts.clock,
                limits,
                phases: phases.clone(),
            },
            board: Arc::clone(&board),
        };
        Arc::new(Self {
            parties: Arc::new(Parties {
                attempter,
                settler,
                ids: parts.ids,
                phases,
            }),
            board,
            phase,
            woken: Notify::new(),
            limits,
        })
    }

    /// Something may be due: new mail, or an operator's action.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// As `wake`, and what was known to be down is tried again too.
    pub fn retry_now(&self) {
        self.board.forget_down();
        self.wake();
    }

    /// Connections open or being opened.
    pub fn sessions(&self) -> u64 {
        u64::try_from(self.board.workers()).unwrap_or(u64::MAX)
    }

    /// Sends until `stop` turns true, then drains and returns. Can be run again afterwards, but
    /// not twice at once.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        self.phase.send_replace(Phase::Running);
        let mut workers = JoinSet::new();
        while !*stop.borrow_and_update() {
            let next = self.claim(&mut workers).await;
            self.board.tidy(self.clock().now());
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                () = self.woken.notified() => {}
                () = self.board.room.notified() => {}
                Some(_) = workers.join_next(), if !workers.is_empty() => {}
                () = crate::phase::until(&**self.clock(), next) => {}
            }
        }
        self.drain(workers).await;
    }

    /// Takes in what is due and starts workers for it; says when to look again.
    async fn claim(&self, workers: &mut JoinSet<()>) -> Option<Timestamp> {
        let claimed = self.claim_all().await;
        self.hire(workers);
        let now = self.clock().now();
        let due = match claimed {
            Ok(()) => self.parties.attempter.store.next_due().await,
            Err(error) => Err(error),
        };
        match due {
            // What is due and was not taken waits for room, of which the board tells.
            Ok(due) => due.map(|due| due.max(now.plus(CROWDED_PAUSE))),
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read");
                Some(now.plus(STORE_PAUSE))
            }
        }
    }

    async fn claim_all(&self) -> Result<(), StoreError> {
        while self.board.has_room() {
            let now = self.clock().now();
            let skip = self.board.full();
            let lease_until = now.plus(self.limits.lease);
            let store = &self.parties.attempter.store;
            let entries = store
                .claim_due(now, lease_until, self.limits.claim_max, &skip)
                .await?;
            let all = entries.len() < self.limits.claim_max;
            self.take_in(entries).await;
            if all {
                break;
            }
        }
        Ok(())
    }

    /// Routes entries and puts them where they wait for a connection.
    async fn take_in(&self, entries: Vec<QueueEntry>) {
        let keys: Vec<(QueueId, u32)> = entries.iter().map(key).collect();
        let begun = self.board.begin(&keys);
        let mut outgoing = Vec::new();
        let mut apart = Vec::new();
        for entry in entries {
            // What is in flight keeps its lease by being claimed again, and nothing else.
            if !begun.contains(&key(&entry)) {
                continue;
            }
            match self.routed(&entry) {
                Ok((next_hop, because)) => match destination(&next_hop) {
                    Some(name) => outgoing.push((entry, name, next_hop)),
                    None => apart.push(Apart::Home(entry, next_hop, because)),
                },
                Err(verdict) => apart.push(Apart::Settled(entry, *verdict)),
            }
        }
        let mut overflow = Vec::new();
        for group in grouped(outgoing) {
            let now = self.clock().now();
            match self.board.down(&group.destination, now) {
                Some(down) => apart.push(Apart::Group(
                    group,
                    Verdict::PutBack {
                        why: down.why,
                        not_before: down.until,
                    },
                )),
                None => overflow.extend(self.board.offer(group)),
            }
        }
        self.release(overflow).await;
        self.settle_apart(apart).await;
    }

    fn routed(&self, entry: &QueueEntry) -> Result<(NextHop, Because), Box<Verdict>> {
        let current = self.parties.settler.live.current();
        match route(&current.settings, &current.directory, &entry.recipient.path) {
            Ok(routed) => Ok((routed.next_hop, routed.because)),
            // Settings that name no host are put right by an operator: mail waits for that.
            Err(because @ Because::Unreachable { .. }) => {
                Err(Box::new(Verdict::Deferred(Why::plain(because, 3, 5))))
            }
            Err(because) => Err(Box::new(Verdict::Refused(Why::refusal(because)))),
        }
    }

    /// What needs no connection is settled side by side, so that the store can commit it together.
    async fn settle_apart(&self, apart: Vec<Apart>) {
        let mut tasks = JoinSet::new();
        for one in apart {
            let parties = Arc::clone(&self.parties);
            let board = Arc::clone(&self.board);
            tasks.spawn(async move {
                let keys = one.keys();
                one.settle(&parties).await;
                board.end(&keys);
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    fn hire(&self, workers: &mut JoinSet<()>) {
        let delivery = &self.parties.settler.live.current().settings.delivery;
        let limit = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).max(1);
        let seats = self.board.hire(Allowed {
            per_destination: limit(delivery.connections_per_destination_max),
            total: limit(delivery.connections_max),
        });
        for seat in seats {
            workers.spawn(work(Arc::clone(&self.parties), seat));
        }
    }

    /// Gives claims back untried.
    async fn release(&self, groups: Vec<Group>) {
        let keys: Vec<(QueueId, u32)> = groups.iter().flat_map(Group::keys).collect();
        self.board.end(&keys);
        self.parties.settler.release(&keys).await;
    }

    /// Lets what is in flight finish, then ends it.
    async fn drain(&self, mut workers: JoinSet<()>) {
        self.phase.send_replace(Phase::Draining);
        self.release(self.board.drain()).await;
        if self.finished(&mut workers).await {
            return;
        }
        self.phase.send_replace(Phase::Ended);
        if self.finished(&mut workers).await {
            return;
        }
        tracing::warn!("connections do not end; their messages may be sent twice");
        let left = self.board.in_flight();
        workers.shutdown().await;
        self.parties.settler.release(&left).await;
    }

    /// Whether all workers ended within the time that draining may take.
    async fn finished(&self, workers: &mut JoinSet<()>) -> bool {
        let deadline = self.clock().now().plus(self.limits.drain);
        let all = async { while workers.join_next().await.is_some() {} };
        tokio::select! {
            biased;
            () = all => true,
            () = self.clock().sleep_until(deadline) => false,
        }
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.parties.attempter.opener.clock
    }
}

/// What needs no connection.
enum Apart {
    /// Its way leads to a mailbox here.
    Home(QueueEntry, NextHop, Because),
    /// Settings decided.
    Settled(QueueEntry, Verdict),
    /// The destination is down.
    Group(Group, Verdict),
}

impl Apart {
    fn keys(&self) -> Vec<(QueueId, u32)> {
        match self {
            Self::Home(entry, ..) | Self::Settled(entry, _) => vec![key(entry)],
            Self::Group(group, _) => group.keys(),
        }
    }

    async fn settle(self, parties: &Parties) {
        let outcomes = match self {
            Self::Home(entry, NextHop::Mailboxes { users }, because) => {
                let delivered = homecoming::deliver(parties, &entry, &users, because).await;
                let Err(error) = delivered else { return };
                let failure = error.to_string();
                let part = "store".to_owned();
                let why = Why::plain(Because::Outside { part, failure }, 3, 0);
                vec![settled(entry, Verdict::Deferred(why))]
            }
            Self::Home(entry, _, because) => {
                vec![settled(entry, Verdict::Deferred(Why::plain(because, 3, 5)))]
            }
            Self::Settled(entry, verdict) => vec![settled(entry, verdict)],
            Self::Group(group, verdict) => without_try(group, &verdict),
        };
        if parties.settler.settle(outcomes).await {
            parties.attempter.board.room.notify_one();
        }
    }
}

const fn settled(entry: QueueEntry, verdict: Verdict) -> Outcome {
    Outcome {
        entry,
        tried: None,
        verdict,
    }
}
