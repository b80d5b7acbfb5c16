//! What one attempt means for one recipient: queue, history, report.
//!
//! Promises: pure; the only place that turns an outcome into an end; no report goes to the null
//! reverse-path, and none that the sender did not want; a delay is told once.
//! Standards: RFC 3461 §4.1, §5.2; RFC 5321 §4.5.4.1, §4.5.5, §6.1.

use std::net::SocketAddr;
use std::time::Duration;

use contracts::store::{QueueEntry, RecipientResult, ResultEnd};
use contracts::{AttemptOutcome, Event};
use mail::dsn::{Action, RecipientReport};
use mail::{EnhancedStatus, Notify, StatusClass, Timestamp};
use policy::retry::{self, NextTry};
use policy::settings::Retry;
use policy::{Because, Decision};
use smtp::PeerReply;

use crate::why::{FarSide, Why};

/// The setting that ends tries.
const EXPIRY: &str = "delivery.retry.expire_secs";

/// Where an attempt got to.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) host: String,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) tls: Option<String>,
}

/// How it went.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// The far side has it; `reports_itself` where it was told what the sender wants to hear.
    Taken {
        far: FarSide,
        reply: PeerReply,
        reports_itself: bool,
    },
    /// For good.
    Refused(Why),
    /// For now.
    Deferred(Why),
    /// It was not tried: the destination is down.
    PutBack { why: Why, not_before: Timestamp },
    /// It was not tried: delivery stops.
    Released,
}

/// One recipient's outcome.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) entry: QueueEntry,
    pub(crate) tried: Option<Tried>,
    pub(crate) verdict: Verdict,
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) entry: QueueEntry,
    pub(crate) result: RecipientResult,
    /// The attempt for the history, if there was one.
    pub(crate) attempted: Option<Event>,
    /// Why it ended, or was put off.
    pub(crate) decision: Decision,
    /// What the sender is told, if anything.
    pub(crate) report: Option<RecipientReport>,
}

/// What judging needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) retry: Retry,
    pub(crate) now: Timestamp,
    pub(crate) salt: u32,
}

impl Rules {
    /// `None` for what was released.
    pub(crate) fn judge(&self, outcome: Outcome) -> Option<Judged> {
        let Outcome {
            entry,
            tried,
            verdict,
        } = outcome;
        Some(match verdict {
            Verdict::Taken {
                far,
                reply,
                reports_itself,
            } => self.taken(entry, tried, (&far, &reply), reports_itself),
            Verdict::Refused(why) => {
                let decision = Decision::refuse(why.because.clone());
                self.failed(entry, tried, &why, decision)
            }
            Verdict::Deferred(why) => self.deferred(entry, tried, &why, self.now, true),
            Verdict::PutBack { why, not_before } => {
                self.deferred(entry, None, &why, not_before, false)
            }
            Verdict::Released => return None,
        })
    }

    fn taken(
        &self,
        entry: QueueEntry,
        tried: Option<Tried>,
        (far, reply): (&FarSide, &PeerReply),
        reports_itself: bool,
    ) -> Judged {
        let why = Why::reply(far, reply);
        let decision = Decision::accept(why.because.clone());
        // RFC 3461 §5.2.2: whoever asked for success hears of the hop behind which nobody reports.
        let wanted = wishes(&entry).is_some_and(|notify| notify.success) && !reports_itself;
        let report = wanted.then(|| self.report(&entry, &why, Action::Relayed, None));
        let attempted =
            tried.map(|tried| attempted(&entry, tried, AttemptOutcome::Delivered, &decision));
        Judged {
            result: done(&entry, &why),
            entry,
            attempted,
            decision,
            report,
        }
    }

    fn failed(
        &self,
        entry: QueueEntry,
        tried: Option<Tried>,
        why: &Why,
        decision: Decision,
    ) -> Judged {
        let wanted = wishes(&entry).is_some_and(|notify| notify.failure);
        let report = wanted.then(|| self.report(&entry, why, Action::Failed, Some(&decision)));
        let attempted =
            tried.map(|tried| attempted(&entry, tried, AttemptOutcome::Failed, &decision));
        Judged {
            result: done(&entry, why),
            entry,
            attempted,
            decision,
            report,
        }
    }

    fn deferred(
        &self,
        entry: QueueEntry,
        tried: Option<Tried>,
        why: &Why,
        not_before: Timestamp,
        counts: bool,
    ) -> Judged {
        let attempt_no = entry.attempts.saturating_add(u32::from(counts)).max(1);
        let next = retry::next(
            &self.retry,
            entry.queued_at,
            attempt_no,
            self.now,
            self.salt,
        );
        let due_at = match next {
            NextTry::At(at) => at.max(not_before),
            NextTry::Expire => {
                let last = why.because.to_string();
                let setting = EXPIRY.to_owned();
                let decision = Decision::refuse(Because::Expired { setting, last });
                return self.failed(entry, tried, why, decision);
            }
        };
        let decision = Decision::defer(why.because.clone());
        let told = entry.delay_noticed;
        let due = retry::delay_notice_due(&self.retry, entry.queued_at, told, self.now);
        let wanted = due && wishes(&entry).is_some_and(|notify| notify.delay);
        let report = wanted.then(|| self.report(&entry, why, Action::Delayed, None));
        let outcome = AttemptOutcome::Deferred { next_at: due_at };
        let attempted = tried.map(|tried| attempted(&entry, tried, outcome, &decision));
        Judged {
            result: RecipientResult {
                recipient_no: entry.recipient_no,
                end: ResultEnd::Again {
                    due_at,
                    delay_noticed: report.is_some(),
                },
                last_reply: Some(why.words()),
                counts,
            },
            entry,
            attempted,
            decision,
            report,
        }
    }

    fn report(
        &self,
        entry: &QueueEntry,
        why: &Why,
        action: Action,
        decision: Option<&Decision>,
    ) -> RecipientReport {
        let expired =
            decision.is_some_and(|decision| matches!(decision.because, Because::Expired { .. }));
        let status = match action {
            Action::Failed if expired => EnhancedStatus::new(StatusClass::Permanent, 4, 7),
            Action::Failed => why.status(StatusClass::Permanent),
            Action::Delayed => why.status(StatusClass::Transient),
            Action::Delivered | Action::Relayed => why.status(StatusClass::Success),
        };
        let explanation = match action {
            Action::Relayed | Action::Delivered => "The next mail server took it.".to_owned(),
            Action::Failed if expired => format!(
                "It was tried again and again until the time for that was over. {}",
                why.for_sender()
            ),
            Action::Failed | Action::Delayed => why.for_sender(),
        };
        let keeps_trying = Duration::from_secs(self.retry.expire_secs);
        RecipientReport {
            recipient: entry.recipient.path.clone(),
            orcpt: entry.recipient.orcpt.clone(),
            action,
            status,
            remote_mta: why.remote.clone(),
            diagnostic: why.diagnostic.clone(),
            explanation,
            last_attempt_at: Some(self.now),
            retry_until: Some(entry.queued_at.plus(keeps_trying)),
        }
    }
}

/// When the sender wants to hear; `None` for never.
fn wishes(entry: &QueueEntry) -> Option<Notify> {
    // RFC 5321 §4.5.5, RFC 3461 §6.1: nobody is told of what came from the null reverse-path; so
    // no report ever follows a report.
    if entry.mail.reverse_path.is_null() {
        return None;
    }
    Some(entry.recipient.notify.unwrap_or_default())
}

fn done(entry: &QueueEntry, why: &Why) -> RecipientResult {
    RecipientResult {
        recipient_no: entry.recipient_no,
        end: ResultEnd::Done,
        last_reply: Some(why.words()),
        counts: true,
    }
}

fn attempted(
    entry: &QueueEntry,
    tried: Tried,
    result: AttemptOutcome,
    decision: &Decision,
) -> Event {
    Event::Attempted {
        recipient: entry.recipient.path.clone(),
        host: tried.host,
        address: tried.address,
        tls: tried.tls,
        result,
        decision: decision.clone(),
    }
}

#[cfg(test)]
mod tests;
