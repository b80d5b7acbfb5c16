//! The one loop: ask `policy`, learn the facts it needs, ask again until it has decided.
//!
//! Promises: each fact has a deadline and the value *could not be learnt*; the loop ends; a fact
//! is learnt once a transaction; what memory can answer is answered without waiting.

use std::collections::btree_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mail::{Domain, Timestamp};
use policy::facts::{DomainStanding, FactQuery, FactValue, Learnt, LearntFacts, Verdict};
use policy::{Because, Decision};

use crate::{Intake, IntakeLimits};

/// More rounds than any decision needs; a decision that asks on is a mistake of ours.
const ROUNDS_MAX: usize = 16;

/// Whether asking leaves a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A message is on its way: it counts.
    Mail,
    /// Somebody wants to know what would happen: nothing counts.
    Explanation,
}

/// Asks `decide` until it has decided; what it asked for is added to `learnt`.
pub(crate) async fn decided(
    intake: &Intake,
    purpose: Purpose,
    learnt: &mut LearntFacts,
    decide: impl Fn(&LearntFacts) -> Verdict<Decision>,
) -> Decision {
    for _ in 0..ROUNDS_MAX {
        let queries = match decide(learnt) {
            Verdict::Decided(decision) => return decision,
            Verdict::Needs(queries) => queries,
        };
        for query in queries {
            if let Entry::Vacant(place) = learnt.entry(query) {
                let fact = learn(intake, purpose, place.key()).await;
                place.insert(fact);
            }
        }
    }
    tracing::error!("a decision asked for facts without end");
    Decision::defer(Because::Outside {
        part: "policy".to_owned(),
        failure: "a decision asked for facts without end".to_owned(),
    })
}

async fn learn(intake: &Intake, purpose: Purpose, query: &FactQuery) -> Learnt {
    let now = intake.clock.now();
    let value = match query {
        FactQuery::SenderDomain { domain } => return sender_domain(intake, domain, now).await,
        FactQuery::DiskFree => match intake.store.disk_free_bytes() {
            Ok(bytes) => FactValue::Bytes { bytes },
            Err(failed) => not_learnt(&failed),
        },
        FactQuery::MessagesFromSource { source } => FactValue::Count {
            count: match purpose {
                Purpose::Mail => intake.counters.count_message(*source, now),
                // The message that is asked about would count too.
                Purpose::Explanation => intake
                    .counters
                    .messages_from(*source, now)
                    .saturating_add(1),
            },
        },
    };
    Learnt { value, at: now }
}

async fn sender_domain(intake: &Intake, domain: &Domain, now: Timestamp) -> Learnt {
    if let Some((standing, at)) = intake.sender_domains.recall(domain, now) {
        let value = FactValue::Domain { standing };
        return Learnt { value, at };
    }
    let deadline = now.plus(intake.limits.fact_deadline);
    let value = tokio::select! {
        biased;
        answer = intake.resolver.domain_standing(domain) => match answer {
            Ok(standing) => FactValue::Domain { standing },
            Err(failed) => not_learnt(&failed),
        },
        () = intake.clock.sleep_until(deadline) => FactValue::CouldNotBeLearnt {
            failure: format!("no answer within {} s", intake.limits.fact_deadline.as_secs_f32()),
        },
    };
    let at = intake.clock.now();
    if let FactValue::Domain { standing } = value {
        intake.sender_domains.remember(domain, standing, at);
    }
    Learnt { value, at }
}

fn not_learnt(failed: &dyn std::error::Error) -> FactValue {
    FactValue::CouldNotBeLearnt {
        failure: failed.to_string(),
    }
}

/// Answers about sender domains, remembered for a little while.
///
/// Two messages from one sender a second apart ask DNS once; failures are not remembered.
pub(crate) struct SenderDomains {
    kept: Duration,
    max: usize,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    standings: HashMap<Domain, (DomainStanding, Timestamp)>,
    /// In the order they were learnt.
    order: VecDeque<Domain>,
}

impl SenderDomains {
    pub(crate) fn new(limits: &IntakeLimits) -> Self {
        Self {
            kept: limits.sender_domain_kept,
            max: limits.sender_domains_max,
            memory: Mutex::default(),
        }
    }

    fn recall(&self, domain: &Domain, now: Timestamp) -> Option<(DomainStanding, Timestamp)> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory
            .standings
            .get(domain)
            .copied()
            .filter(|(_, at)| now.since(*at) < self.kept && *at <= now)
    }

    fn remember(&self, domain: &Domain, standing: DomainStanding, at: Timestamp) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before = memory.standings.insert(domain.clone(), (standing, at));
        if before.is_none() {
            memory.order.push_back(domain.clone());
        }
        while memory.order.len() > self.max {
            if let Some(oldest) = memory.order.pop_front() {
                memory.standings.remove(&oldest);
            }
        }
    }
}
