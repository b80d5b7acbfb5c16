//! Promises about mailboxes: unique ids, deletions, the one lock.

use super::Subject;
use super::samples::{TEXT, at, deliver, in_maildrop, read, uids, user};
use crate::StoreError;
use crate::store::Uid;

/// A mailbox needs no making.
pub async fn an_unknown_mailbox_is_empty(subject: &mut dyn Subject) {
    let store = subject.store();
    assert!(uids(&*store, "nobody").await.is_empty());
    store
        .apply_deletions(&user("nobody"), &[Uid(1)])
        .await
        .unwrap();
}

/// RFC 1939 §7: never reused, also not after the newest was deleted and the store restarted.
pub async fn uids_ascend_and_are_never_given_again(subject: &mut dyn Subject) {
    let store = subject.store();
    for number in 1..=3 {
        deliver(&*store, number, TEXT, &["alice", "bob"]).await;
    }
    let given = uids(&*store, "alice").await;
    assert!(given.is_sorted_by(|earlier, later| earlier < later));
    assert_eq!(given.len(), 3);
    store.apply_deletions(&user("alice"), &given).await.unwrap();
    drop(store);
    subject.restart().await;
    let store = subject.store();
    deliver(&*store, 4, TEXT, &["alice"]).await;
    let fresh = uids(&*store, "alice").await;
    assert_eq!(fresh.len(), 1);
    assert!(fresh[0] > given[2]);
    let listed = store.list_maildrop(&user("alice")).await.unwrap();
    assert_eq!(listed[0].delivered_at, at(0));
}

/// Those named go, together; a restart does not bring them back.
pub async fn deletions_take_those_named_and_no_others(subject: &mut dyn Subject) {
    let store = subject.store();
    for number in 1..=4 {
        deliver(&*store, number, TEXT, &["alice"]).await;
    }
    let all = uids(&*store, "alice").await;
    store
        .apply_deletions(&user("alice"), &[all[0], all[2]])
        .await
        .unwrap();
    assert_eq!(uids(&*store, "alice").await, [all[1], all[3]]);
    drop(store);
    subject.restart().await;
    assert_eq!(uids(&*subject.store(), "alice").await, [all[1], all[3]]);
}

/// Two sessions one after the other may name the same message.
pub async fn deleting_what_is_gone_does_no_harm(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    deliver(&*store, 2, TEXT, &["alice"]).await;
    let all = uids(&*store, "alice").await;
    let twice = [all[0], all[0], Uid(999)];
    store.apply_deletions(&user("alice"), &twice).await.unwrap();
    store.apply_deletions(&user("alice"), &twice).await.unwrap();
    assert_eq!(uids(&*store, "alice").await, [all[1]]);
}

/// One body for all: it goes with the last of them, whether small or large.
pub async fn a_body_stays_until_its_last_reader_is_gone(subject: &mut dyn Subject) {
    let store = subject.store();
    let large = vec![b'y'; 400_000];
    deliver(&*store, 1, TEXT, &["alice", "bob"]).await;
    deliver(&*store, 2, &large, &["alice", "bob"]).await;
    let alices = uids(&*store, "alice").await;
    store
        .apply_deletions(&user("alice"), &alices)
        .await
        .unwrap();
    let bobs = uids(&*store, "bob").await;
    for (uid, body) in bobs.iter().zip([TEXT, &large]) {
        let text = read(&*store, &in_maildrop("bob", *uid), 65_536).await;
        assert!(text.ends_with(body));
    }
    store.apply_deletions(&user("bob"), &bobs).await.unwrap();
    assert!(uids(&*store, "bob").await.is_empty());
}

/// The reader learns that it is gone.
pub async fn reading_a_deleted_message_says_not_found(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    let uid = uids(&*store, "alice").await[0];
    store.apply_deletions(&user("alice"), &[uid]).await.unwrap();
    let read = store.read_message(&in_maildrop("alice", uid), 0, 10).await;
    assert!(matches!(read, Err(StoreError::NotFound { .. })));
}

/// RFC 1939 §4: an exclusive lock, until the session ends.
pub async fn a_mailbox_has_one_lock_and_dropping_it_gives_it_free(subject: &mut dyn Subject) {
    let store = subject.store();
    let lock = store.lock_maildrop(&user("alice")).unwrap();
    let second = store.lock_maildrop(&user("alice"));
    assert_eq!(second.map(drop), Err(StoreError::InUse));
    let other = store.lock_maildrop(&user("bob")).unwrap();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    assert_eq!(uids(&*store, "alice").await.len(), 1, "mail comes in");
    drop(lock);
    drop(store.lock_maildrop(&user("alice")).unwrap());
    drop(other);
}

/// A session that died with the machine holds nothing.
pub async fn locks_do_not_survive_a_restart(subject: &mut dyn Subject) {
    let old = subject.store().lock_maildrop(&user("alice")).unwrap();
    subject.restart().await;
    let store = subject.store();
    let lock = store.lock_maildrop(&user("alice")).unwrap();
    drop(old);
    let second = store.lock_maildrop(&user("alice"));
    assert_eq!(second.map(drop), Err(StoreError::InUse));
    drop(lock);
}
