//! Promises about the history: told whole, found, bounded.

use super::Subject;
use super::samples::{at, enqueue, entry, id, story};
use crate::store::{HistoryQuery, QueueAction, QueueFilter};
use crate::{Event, Store, StoreError, Terminal};

async fn found(store: &dyn Store, query: &HistoryQuery) -> Vec<u64> {
    let heads = store.search_history(query).await.unwrap();
    heads.iter().map(|head| head.id.number()).collect()
}

fn words(text: &str) -> HistoryQuery {
    HistoryQuery {
        text: text.to_owned(),
        ..HistoryQuery::default()
    }
}

/// Everything that was added, in the order of adding, over a restart.
pub async fn a_story_is_told_whole_and_in_order(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    let added = vec![
        entry(1, at(1), "x"),
        entry(1, at(2), "y"),
        entry(1, at(1), "z"),
    ];
    store.record_events(added[..2].to_vec()).await.unwrap();
    store.record_events(added[2..].to_vec()).await.unwrap();
    let mut expected = story(1, at(0), true);
    expected.entries.extend(added);
    assert_eq!(store.story(id(1)).await.unwrap(), expected);
    drop(store);
    subject.restart().await;
    assert_eq!(subject.store().story(id(1)).await.unwrap(), expected);
}

/// The story may have been trimmed meanwhile.
pub async fn entries_for_unknown_stories_are_dropped(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    let entries = vec![entry(7, at(1), "x"), entry(1, at(1), "y")];
    store.record_events(entries).await.unwrap();
    assert_eq!(store.story(id(1)).await.unwrap().entries.len(), 2);
    let unknown = store.story(id(7)).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

/// A refusal is a story like any other.
pub async fn refusals_are_found_like_messages(subject: &mut dyn Subject) {
    let store = subject.store();
    let refusals = vec![story(5, at(5), false), story(6, at(6), false)];
    store.record_refusals(refusals.clone()).await.unwrap();
    assert_eq!(store.story(id(5)).await.unwrap(), refusals[0]);
    assert_eq!(found(&*store, &words("")).await, [6, 5]);
}

/// All the ways to ask.
pub async fn a_search_finds_words_times_and_outcomes_newest_first(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    let refusals = (2..=9).map(|n| story(n, at(n.cast_signed()), false));
    store.record_refusals(refusals.collect()).await.unwrap();
    assert_eq!(found(&*store, &words("SENDER3@ no3")).await, [3]);
    assert_eq!(found(&*store, &words("reader4@FAR.test")).await, [4]);
    assert_eq!(found(&*store, &words("reader4 sender3")).await, []);
    let id_text = id(5).to_string();
    assert_eq!(found(&*store, &words(&id_text)).await, [5]);
    let times = HistoryQuery {
        since: Some(at(3)),
        until: Some(at(5)),
        ..words("")
    };
    assert_eq!(found(&*store, &times).await, [5, 4, 3]);
    let accepted = HistoryQuery {
        accepted: Some(true),
        ..words("")
    };
    assert_eq!(found(&*store, &accepted).await, [1]);
    let limited = HistoryQuery {
        limit: 2,
        accepted: Some(false),
        ..words("")
    };
    assert_eq!(found(&*store, &limited).await, [9, 8]);
}

/// Age alone, whatever the budget.
pub async fn trimming_drops_what_is_old_except_what_is_queued(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    enqueue(&*store, 2, &[], at(0)).await;
    let refusals = vec![story(3, at(3), false), story(4, at(400), false)];
    store.record_refusals(refusals).await.unwrap();
    store
        .trim_history(at(100), u64::MAX, u64::MAX)
        .await
        .unwrap();
    assert_eq!(found(&*store, &words("")).await, [4, 1]);
    store.trim_history(at(0), 0, 0).await.unwrap();
    assert_eq!(found(&*store, &words("")).await, [1], "still queued");
    assert_eq!(store.story(id(1)).await.unwrap().entries.len(), 1);
    assert!(store.story(id(4)).await.is_err());
}

/// Strangers cannot push real mail out of the history.
pub async fn refusals_have_a_budget_of_their_own(subject: &mut dyn Subject) {
    let store = subject.store();
    for number in 1..=5 {
        enqueue(&*store, number, &[], at(0)).await;
    }
    let refusals = (100..300).map(|n| story(n, at(1), false));
    store.record_refusals(refusals.collect()).await.unwrap();
    store.trim_history(at(-9), 1_000_000, 40_000).await.unwrap();
    let left = found(
        &*store,
        &HistoryQuery {
            limit: 1000,
            ..words("")
        },
    )
    .await;
    assert!(left.ends_with(&[5, 4, 3, 2, 1]), "messages stay");
    assert!(left.starts_with(&[299, 298]), "the newest refusals stay");
    assert!(left.len() < 205, "the oldest refusals go");
}

/// B3: who did it is in the story.
pub async fn an_operators_action_is_in_the_story(subject: &mut dyn Subject) {
    let store = subject.store();
    enqueue(&*store, 1, &["a.test"], at(0)).await;
    for action in [QueueAction::Hold, QueueAction::Release, QueueAction::Delete] {
        let all = QueueFilter::default();
        let changed = store.change_queue(&all, action, "carol", at(3)).await;
        assert_eq!(changed, Ok(1));
    }
    let entries = store.story(id(1)).await.unwrap().entries;
    assert_eq!(entries.len(), 4);
    let held = matches!(&entries[1].event,
        Event::Operated { operator, action, .. } if operator == "carol" && action == "hold");
    assert!(held);
    let deleted = matches!(&entries[3].event,
        Event::Ended { terminal: Terminal::Deleted { operator }, .. } if operator == "carol");
    assert!(deleted);
    assert_eq!(entries[3].at, at(3));
}

/// `IdSource::after` begins there.
pub async fn the_last_id_is_the_greatest_and_survives(subject: &mut dyn Subject) {
    let store = subject.store();
    assert_eq!(store.last_id().await.unwrap(), None);
    enqueue(&*store, 9, &[], at(0)).await;
    enqueue(&*store, 4, &["a.test"], at(0)).await;
    let refusal = vec![story(7, at(0), false)];
    store.record_refusals(refusal).await.unwrap();
    assert_eq!(store.last_id().await.unwrap(), Some(id(9)));
    store.trim_history(at(99), 0, 0).await.unwrap();
    drop(store);
    subject.restart().await;
    assert_eq!(subject.store().last_id().await.unwrap(), Some(id(9)));
}
