//! Records what came of an attempt: queue, history and reports in one step of the store.
//!
//! Promises: nothing is half recorded; a store that fails is asked again, because what the far
//! side took and we forget is sent twice (RFC 5321 §6.1).

use std::sync::Arc;
use std::time::Duration;

use contracts::store::{AttemptRecord, QueueEntry};
use contracts::{Clock, Event, Live, Store, StoreError, StoryEntry, Terminal};
use mail::dsn::{Action, RecipientReport};
use mail::{QueueId, Timestamp};
use policy::Outcome as Way;

use crate::group::key;
use crate::random::{Random, salt};
use crate::reports::{Ready, Reporter};
use crate::verdict::{Judged, Outcome, Rules};

/// How often a store that fails is asked again, and how long after.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Records.
pub(crate) struct Settler {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) live: Arc<Live>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) reporter: Reporter,
}

impl Settler {
    /// Records the outcomes of one message's recipients; whether that put reports into the queue.
    pub(crate) async fn settle(&self, outcomes: Vec<Outcome>) -> bool {
        let current = self.live.current();
        let rules = Rules {
            retry: current.settings.delivery.retry,
            now: self.clock.now(),
            salt: salt(&*self.random),
        };
        let mut released = Vec::new();
        let mut judged = Vec::new();
        for outcome in outcomes {
            let key = key(&outcome.entry);
            match rules.judge(outcome) {
                Some(one) => judged.push(one),
                None => released.push(key),
            }
        }
        self.release(&released).await;
        let Some(entry) = judged.first().map(|one| one.entry.clone()) else {
            return false;
        };
        for attempt in 1..=TRIES {
            let recorded = self.record(&entry, &judged, rules.now).await;
            match recorded {
                Ok(queued) => return queued,
                Err(error) => {
                    tracing::error!(id = %entry.id, %error, attempt, "an attempt is not recorded");
                    let again = self.clock.now().plus(PAUSE);
                    self.clock.sleep_until(again).await;
                }
            }
        }
        false
    }

    /// Gives claims back.
    pub(crate) async fn release(&self, keys: &[(QueueId, u32)]) {
        if keys.is_empty() {
            return;
        }
        if let Err(error) = self.store.release_claims(keys).await {
            tracing::warn!(%error, "claims are not given back; their leases run out");
        }
    }

    async fn record(
        &self,
        entry: &QueueEntry,
        judged: &[Judged],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let told: Vec<RecipientReport> = judged.iter().filter_map(|j| j.report.clone()).collect();
        let current = self.live.current();
        let ready = self.reporter.ready(&current, entry, &told, now).await?;
        let story = story(judged, &ready, now);
        let record = AttemptRecord {
            id: entry.id,
            results: judged.iter().map(|one| one.result.clone()).collect(),
            reports: ready.into_iter().filter_map(|one| one.acceptance).collect(),
            story,
        };
        let queued = record.reports.iter().any(|report| !report.queue.is_empty());
        self.store.record_attempt(record).await.map(|()| queued)
    }
}

/// What the history says of it.
fn story(judged: &[Judged], ready: &[Ready], at: Timestamp) -> Vec<StoryEntry> {
    let report_of = |action: Action| {
        let mut reports = ready.iter().filter(|one| one.action == action);
        reports.find_map(|one| one.acceptance.as_ref().map(|report| report.id))
    };
    let mut story = Vec::new();
    for one in judged {
        let mut add = |event| {
            story.push(StoryEntry {
                id: one.entry.id,
                at,
                event,
            });
        };
        if let Some(attempted) = &one.attempted {
            add(attempted.clone());
        }
        let recipient = one.entry.recipient.path.clone();
        let told = |action: Action| {
            let told = one.report.as_ref().is_some_and(|r| r.action == action);
            told.then(|| report_of(action)).flatten()
        };
        match one.decision.outcome {
            Way::Accept => add(Event::Ended {
                recipient,
                terminal: Terminal::Relayed,
                decision: one.decision.clone(),
            }),
            Way::Refuse => add(Event::Ended {
                recipient,
                terminal: Terminal::Bounced {
                    report: told(Action::Failed),
                },
                decision: one.decision.clone(),
            }),
            Way::Defer => {
                if let Some(report) = told(Action::Delayed) {
                    add(Event::DelayNoticed { recipient, report });
                }
            }
        }
    }
    story
}
