//! Outcomes and what they lead to.

use mail::ReversePath;
use policy::Outcome as Way;
use proptest::prelude::*;

use super::*;
use crate::group::tests::entry;

const RETRY: Retry = Retry {
    first_secs: 300,
    longest_secs: 7200,
    expire_secs: 432_000,
    delay_notice_secs: 14_400,
};

fn rules(secs: u64) -> Rules {
    Rules {
        retry: RETRY,
        now: Timestamp::from_millis(0).plus(Duration::from_secs(secs)),
        salt: 0,
    }
}

fn far() -> FarSide {
    FarSide {
        host: "mx.hotmail.test".to_owned(),
        told_as: "mx.hotmail.test".to_owned(),
    }
}

fn said(code: u16, enhanced: &str) -> PeerReply {
    PeerReply {
        code,
        enhanced: enhanced.parse().ok(),
        lines: vec![format!("{enhanced} as it is")],
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    Outcome {
        entry: entry(1, 0, "fred@hotmail.test"),
        tried: Some(Tried {
            host: "mx.hotmail.test".to_owned(),
            address: None,
            tls: None,
        }),
        verdict,
    }
}

fn later() -> Verdict {
    Verdict::Deferred(Why::reply(&far(), &said(451, "4.3.0")))
}

fn never() -> Verdict {
    Verdict::Refused(Why::reply(&far(), &said(550, "5.1.1")))
}

fn taken(reports_itself: bool) -> Verdict {
    Verdict::Taken {
        far: far(),
        reply: said(250, "2.0.0"),
        reports_itself,
    }
}

#[test]
fn a_refusal_ends_it_with_the_far_sides_words() {
    let judged = rules(1).judge(outcome(never())).unwrap();
    assert_eq!(judged.result.end, ResultEnd::Done);
    let report = judged.report.unwrap();
    assert_eq!(report.status.to_string(), "5.1.1");
    assert_eq!(report.diagnostic.as_deref(), Some("550 5.1.1 as it is"));
    assert_eq!(judged.decision.outcome, Way::Refuse);
}

#[test]
fn a_failure_for_now_is_tried_again_and_told_to_nobody() {
    let judged = rules(1).judge(outcome(later())).unwrap();
    let ResultEnd::Again {
        due_at,
        delay_noticed,
    } = judged.result.end
    else {
        panic!("it ended");
    };
    assert_eq!(due_at, rules(301).now);
    assert!(!delay_noticed && judged.report.is_none() && judged.result.counts);
}

#[test]
fn a_delay_is_told_once() {
    let mut late = outcome(later());
    let judged = rules(14_400).judge(late.clone()).unwrap();
    let report = judged.report.unwrap();
    assert_eq!(report.action, Action::Delayed);
    assert_eq!(report.status.to_string(), "4.3.0");
    late.entry.delay_noticed = true;
    assert!(rules(20_000).judge(late).unwrap().report.is_none());
}

#[test]
fn expiry_ends_it_with_the_last_words() {
    let judged = rules(432_000).judge(outcome(later())).unwrap();
    assert_eq!(judged.result.end, ResultEnd::Done);
    assert!(matches!(judged.decision.because, Because::Expired { .. }));
    let report = judged.report.unwrap();
    assert_eq!(report.status.to_string(), "5.4.7");
    assert_eq!(report.diagnostic.as_deref(), Some("451 4.3.0 as it is"));
}

#[test]
fn what_was_put_back_untried_leaves_no_attempt_and_still_expires() {
    let put_back = |not_before| Verdict::PutBack {
        why: Why::reply(&far(), &said(421, "4.3.2")),
        not_before,
    };
    let judged = rules(1).judge(outcome(put_back(rules(1000).now))).unwrap();
    assert!(!judged.result.counts && judged.attempted.is_none());
    let ResultEnd::Again { due_at, .. } = judged.result.end else {
        panic!("it ended");
    };
    assert_eq!(due_at, rules(1000).now);
    let judged = rules(432_000).judge(outcome(put_back(rules(500_000).now)));
    assert_eq!(judged.unwrap().result.end, ResultEnd::Done);
}

#[test]
fn success_is_told_only_where_it_was_asked_for_and_nobody_else_tells() {
    let mut wanted = outcome(taken(false));
    assert!(rules(1).judge(wanted.clone()).unwrap().report.is_none());
    wanted.entry.recipient.notify = Some(Notify {
        success: true,
        failure: true,
        delay: false,
    });
    let report = rules(1).judge(wanted.clone()).unwrap().report.unwrap();
    assert_eq!(report.action, Action::Relayed);
    assert_eq!(report.status.to_string(), "2.0.0");
    wanted.verdict = taken(true);
    assert!(rules(1).judge(wanted).unwrap().report.is_none());
}

#[test]
fn what_was_released_is_not_judged() {
    assert!(rules(1).judge(outcome(Verdict::Released)).is_none());
}

proptest! {
    #[test]
    fn nobody_is_told_who_does_not_want_to_be(
        secs in 0_u64..1_000_000,
        kind in 0_u8..4,
        null in any::<bool>(),
        notify in proptest::option::of((any::<bool>(), any::<bool>(), any::<bool>())),
        told in any::<bool>(),
        attempts in 0_u32..100,
    ) {
        let mut outcome = outcome(match kind {
            0 => later(),
            1 => never(),
            2 => taken(false),
            _ => Verdict::PutBack {
                why: Why::reply(&far(), &said(421, "4.3.2")),
                not_before: rules(secs + 60).now,
            },
        });
        outcome.entry.delay_noticed = told;
        outcome.entry.attempts = attempts;
        outcome.entry.recipient.notify = notify.map(|(success, failure, delay)| Notify {
            success,
            failure,
            delay,
        });
        if null {
            outcome.entry.mail.reverse_path = ReversePath::Null;
        }
        let wishes = outcome.entry.recipient.notify.unwrap_or_default();
        let judged = rules(secs).judge(outcome).unwrap();
        if let Some(report) = judged.report {
            prop_assert!(!null, "a report about a report");
            let wanted = match report.action {
                Action::Failed => wishes.failure && judged.result.end == ResultEnd::Done,
                Action::Delayed => wishes.delay && !told,
                Action::Relayed | Action::Delivered => wishes.success,
            };
            prop_assert!(wanted);
            prop_assert_eq!(report.status.class == StatusClass::Permanent, report.action == Action::Failed);
        }
    }
}
