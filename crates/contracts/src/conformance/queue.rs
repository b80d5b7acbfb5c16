//! Promises about the queue: leases, records in one step, operators' actions.

use mail::Timestamp;

use super::Subject;
use super::samples::{
    TEXT, again, at, attempt, claim, delivery, elsewhere, enqueue, entry, id, message, queue, uids,
};
use crate::store::{MessageRef, QueueAction, QueueFilter, QueueState, ResultEnd};
use crate::{Store, StoreError};

fn all() -> QueueFilter {
    QueueFilter::default()
}

async fn operate(
    store: &dyn Store,
    filter: &QueueFilter,
    action: QueueAction,
    when: Timestamp,
) -> u64 {
    store
        .change_queue(filter, action, "admin", when)
        .await
        .unwrap()
}

async fn state(store: &dyn Store, number: u64) -> Vec<QueueState> {
    let filter = QueueFilter {
        id: Some(id(number)),
        ..all()
    };
    let entries = store.list_queue(&filter).await.unwrap();
    entries.iter().map(|entry| entry.state).collect()
}

/// Oldest due first, no more than asked for, nothing before its time.
pub async fn due_entries_are_leased_oldest_first(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(30)).await;
    enqueue(&*store, 2, &["b.test"], at(10)).await;
    enqueue(&*store, 3, &["c.test"], at(20)).await;
    enqueue(&*store, 4, &["d.test"], at(99)).await;
    let claimed = store.claim_due(at(50), at(110), 2, &[]).await.unwrap();
    let ids: Vec<u64> = claimed.iter().map(|entry| entry.id.number()).collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!(claimed[0].state, QueueState::Leased);
    assert_eq!(claim(&*store, at(50)).await, [(1, 0)]);
    assert_eq!(claim(&*store, at(50)).await, []);
}

/// Two runners never hold one entry.
pub async fn a_leased_entry_is_not_claimed_again_until_the_lease_runs_out(
    subject: &mut dyn Subject,
) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "a.test"], at(0)).await;
    let (first, second) = tokio::join!(claim(&*store, at(0)), claim(&*store, at(0)));
    assert_eq!(first.len() + second.len(), 2);
    assert_eq!(claim(&*store, at(59)).await, []);
    assert_eq!(store.next_due().await.unwrap(), Some(at(60)));
    assert_eq!(claim(&*store, at(60)).await, [(1, 0), (1, 1)]);
}

/// A destination that is busy or down does not stop the others.
pub async fn skipped_destinations_are_left_alone(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test", "c.test"], at(0)).await;
    let skip = ["a.test".to_owned(), "c.test".to_owned()];
    let claimed = store.claim_due(at(0), at(60), 10, &skip).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].destination, "b.test");
    assert_eq!(claim(&*store, at(0)).await, [(1, 0), (1, 2)]);
}

/// What was not tried is due as before.
pub async fn released_claims_are_due_at_once(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    assert_eq!(claim(&*store, at(1)).await.len(), 2);
    store
        .release_claims(&[(id(1), 1), (id(9), 9)])
        .await
        .unwrap();
    assert_eq!(claim(&*store, at(1)).await, [(1, 1)]);
}

/// Nobody holds a lease after a restart.
pub async fn a_restart_resumes_the_queue(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    enqueue(&*store, 2, &["a.test"], at(0)).await;
    assert_eq!(claim(&*store, at(0)).await.len(), 2);
    let record = attempt(1, 0, ResultEnd::Done);
    store.record_attempt(record).await.unwrap();
    drop(store);
    subject.restart().await;
    let store = subject.store();
    assert_eq!(state(&*store, 2).await, [QueueState::Waiting]);
    assert_eq!(claim(&*store, at(0)).await, [(2, 0)]);
}

/// Done is gone; again waits for its time and remembers what was heard.
pub async fn done_leaves_the_queue_and_again_comes_back(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    claim(&*store, at(0)).await;
    let mut record = attempt(1, 0, ResultEnd::Done);
    let later = ResultEnd::Again {
        due_at: at(300),
        delay_noticed: true,
    };
    record.results.extend(attempt(1, 1, later).results);
    store.record_attempt(record).await.unwrap();
    let left = queue(&*store).await;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].recipient_no, left[0].attempts), (1, 1));
    assert_eq!(left[0].state, QueueState::Waiting);
    assert_eq!(left[0].due_at, at(300));
    assert!(left[0].delay_noticed);
    assert_eq!(left[0].last_reply.as_deref(), Some("451 4.7.1 later"));
    assert_eq!(claim(&*store, at(299)).await, []);
    assert_eq!(claim(&*store, at(300)).await, [(1, 1)]);
    let record = attempt(1, 1, again(at(600)));
    store.record_attempt(record).await.unwrap();
    let left = queue(&*store).await;
    assert!(left[0].delay_noticed, "once told, told");
    assert_eq!(left[0].attempts, 2);
    assert_eq!(store.story(id(1)).await.unwrap().entries.len(), 3);
}

/// An entry put back untried.
pub async fn an_untried_entry_keeps_its_count(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    claim(&*store, at(0)).await;
    let mut record = attempt(1, 0, again(at(9)));
    record.results[0].counts = false;
    record.results[0].last_reply = None;
    store.record_attempt(record).await.unwrap();
    let left = queue(&*store).await;
    assert_eq!((left[0].attempts, left[0].due_at), (0, at(9)));
    assert_eq!(left[0].last_reply, None);
}

/// The report is there when, and only when, its cause is recorded.
pub async fn a_report_is_committed_with_the_attempt_that_causes_it(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    claim(&*store, at(0)).await;
    let mut record = attempt(1, 0, ResultEnd::Done);
    let mut report = message(&*store, 2, TEXT).await;
    report.deliveries.push(delivery("bob"));
    report.queue.push(elsewhere(0, "b.test", at(1)));
    record.reports.push(report);
    store.record_attempt(record).await.unwrap();
    assert_eq!(uids(&*store, "bob").await.len(), 1);
    let left = queue(&*store).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, id(2));
    assert!(store.story(id(2)).await.is_ok());
}

/// A report whose id was given before spoils the whole record.
pub async fn a_record_that_fails_changes_nothing(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    enqueue(&*store, 2, &["a.test"], at(0)).await;
    claim(&*store, at(0)).await;
    let mut record = attempt(1, 0, ResultEnd::Done);
    let mut good = message(&*store, 3, TEXT).await;
    good.deliveries.push(delivery("bob"));
    record.reports.push(good);
    record.reports.push(message(&*store, 2, TEXT).await);
    assert!(store.record_attempt(record).await.is_err());
    assert_eq!(state(&*store, 1).await, [QueueState::Leased]);
    assert!(uids(&*store, "bob").await.is_empty());
    assert_eq!(store.story(id(1)).await.unwrap().entries.len(), 1);
    assert!(store.story(id(3)).await.is_err());
}

/// An operator may have been quicker.
pub async fn a_result_for_an_entry_that_is_gone_is_ignored(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    let record = attempt(1, 7, again(at(9)));
    store.record_attempt(record).await.unwrap();
    let record = attempt(8, 0, ResultEnd::Done);
    store.record_attempt(record).await.unwrap();
    assert_eq!(queue(&*store).await.len(), 1);
}

/// What the three actions do to waiting and held entries.
pub async fn operators_hold_release_and_retry(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(500)).await;
    enqueue(&*store, 2, &["b.test"], at(600)).await;
    let only_b = QueueFilter {
        destination: Some("b.test".to_owned()),
        ..all()
    };
    assert_eq!(operate(&*store, &only_b, QueueAction::Hold, at(1)).await, 1);
    assert_eq!(state(&*store, 2).await, [QueueState::Held]);
    assert_eq!(operate(&*store, &all(), QueueAction::Retry, at(2)).await, 1);
    assert_eq!(claim(&*store, at(2)).await, [(1, 0)], "held stays held");
    assert_eq!(claim(&*store, at(9999)).await, [(1, 0)]);
    assert_eq!(
        operate(&*store, &all(), QueueAction::Release, at(3)).await,
        1
    );
    assert_eq!(claim(&*store, at(3)).await, [(2, 0)]);
    assert_eq!(queue(&*store).await[1].due_at, at(3));
}

/// Held while it is tried: the attempt ends, and there is no next one.
pub async fn a_hold_during_an_attempt_outlives_it(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    claim(&*store, at(0)).await;
    let held = operate(&*store, &all(), QueueAction::Hold, at(1)).await;
    assert_eq!(held, 1);
    let record = attempt(1, 0, again(at(10)));
    store.record_attempt(record).await.unwrap();
    assert_eq!(state(&*store, 1).await, [QueueState::Held]);
    assert_eq!(claim(&*store, at(9999)).await, []);
    assert_eq!(store.next_due().await.unwrap(), None);
}

/// Otherwise a recipient's story could end twice.
pub async fn deleting_spares_what_is_being_tried(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    let leased = store.claim_due(at(0), at(60), 1, &[]).await.unwrap();
    let deleted = operate(&*store, &all(), QueueAction::Delete, at(1)).await;
    assert_eq!(deleted, 1);
    let left = queue(&*store).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].recipient_no, leased[0].recipient_no);
    let later = operate(&*store, &all(), QueueAction::Delete, at(60)).await;
    assert_eq!(later, 1, "the lease ran out");
}

/// Nobody refers to it any more.
pub async fn deleting_the_last_entry_collects_the_body(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    let one = QueueFilter {
        limit: Some(1),
        ..all()
    };
    let reference = MessageRef::Queued { id: id(1) };
    for expected in [true, false] {
        let deleted = operate(&*store, &one, QueueAction::Delete, at(1)).await;
        assert_eq!(deleted, 1);
        let read = store.read_message(&reference, 0, 10).await;
        assert_eq!(read.is_ok(), expected);
        let gone = matches!(read, Err(StoreError::NotFound { .. }));
        assert_eq!(gone, !expected);
    }
    assert_eq!(store.story(id(1)).await.unwrap().entries.len(), 3);
}

/// The runner sleeps until then.
pub async fn next_due_is_the_earliest_instant(subject: &mut dyn Subject) {
    let store = subject.store();
    assert_eq!(store.next_due().await.unwrap(), None);
    enqueue(&*store, 1, &["a.test"], at(40)).await;
    enqueue(&*store, 2, &["a.test"], at(20)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(20)));
    let held = operate(&*store, &all(), QueueAction::Hold, at(1)).await;
    assert_eq!(held, 2);
    assert_eq!(store.next_due().await.unwrap(), None);
}

/// Each part of a filter narrows it.
pub async fn filters_choose_by_id_destination_state_and_number(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    enqueue(&*store, 2, &["a.test"], at(50)).await;
    assert_eq!(claim(&*store, at(0)).await.len(), 2);
    let filters = [
        (all(), vec![(1, 0), (1, 1), (2, 0)]),
        (
            QueueFilter {
                id: Some(id(1)),
                ..all()
            },
            vec![(1, 0), (1, 1)],
        ),
        (
            QueueFilter {
                destination: Some("a.test".to_owned()),
                ..all()
            },
            vec![(1, 0), (2, 0)],
        ),
        (
            QueueFilter {
                state: Some(QueueState::Waiting),
                ..all()
            },
            vec![(2, 0)],
        ),
        (
            QueueFilter {
                limit: Some(2),
                ..all()
            },
            vec![(1, 0), (1, 1)],
        ),
    ];
    for (filter, expected) in filters {
        let entries = store.list_queue(&filter).await.unwrap();
        let found: Vec<(u64, u32)> = entries
            .iter()
            .map(|entry| (entry.id.number(), entry.recipient_no))
            .collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    store
        .record_events(vec![entry(1, at(2), "x")])
        .await
        .unwrap();
}
