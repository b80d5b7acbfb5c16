//! Promises about what is accepted: at once whole, and whole for ever.

use super::Subject;
use super::samples::{
    TEXT, at, deliver, delivery, elsewhere, id, in_maildrop, message, queue, read, spool, uids,
    user,
};
use crate::store::{MessageRef, QueueState, Rendition, Uid};
use crate::{Store, StoreError};

/// Mailbox, queue and story have the message when the call returns.
pub async fn an_accepted_message_is_at_once_in_mailbox_and_queue(subject: &mut dyn Subject) {
    let store = subject.store();
    let mut acceptance = message(&*store, 1, TEXT).await;
    acceptance.deliveries.push(delivery("alice"));
    acceptance.queue.push(elsewhere(3, "far.test", at(5)));
    let mail = acceptance.envelope.mail.clone();
    store.accept_message(acceptance).await.unwrap();

    let listed = store.list_maildrop(&user("alice")).await.unwrap();
    let expected = [
        b"Delivered-To: alice\r\nReceived: by a sample\r\n".as_slice(),
        TEXT,
    ]
    .concat();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, id(1));
    assert_eq!(listed[0].delivered_at, at(0));
    assert_eq!(listed[0].size_octets, expected.len() as u64);
    let alice = in_maildrop("alice", listed[0].uid);
    assert_eq!(read(&*store, &alice, 1 << 20).await, expected);

    let queued = queue(&*store).await;
    assert_eq!(queued.len(), 1);
    let entry = &queued[0];
    assert_eq!((entry.id, entry.recipient_no), (id(1), 3));
    assert_eq!(entry.recipient, elsewhere(3, "far.test", at(5)).recipient);
    assert_eq!((&entry.mail, entry.state), (&mail, QueueState::Waiting));
    assert_eq!((entry.queued_at, entry.due_at), (at(0), at(5)));
    assert_eq!((entry.attempts, entry.delay_noticed), (0, false));
    assert_eq!(entry.last_reply, None);
    assert_eq!(entry.destination, "far.test");
    let next_hop = [b"Received: by a sample\r\n".as_slice(), TEXT].concat();
    assert_eq!(entry.size_bytes, next_hop.len() as u64);
    let reference = MessageRef::Queued { id: id(1) };
    assert_eq!(read(&*store, &reference, 7).await, next_hop);
    assert!(store.story(id(1)).await.unwrap().head.accepted);
}

/// A restart right after the answer loses nothing.
pub async fn an_accepted_message_survives_a_restart_whole(subject: &mut dyn Subject) {
    let store = subject.store();
    let mut acceptance = message(&*store, 1, TEXT).await;
    acceptance.deliveries.push(delivery("alice"));
    acceptance.queue.push(elsewhere(0, "far.test", at(5)));
    store.accept_message(acceptance).await.unwrap();
    let before = (
        store.list_maildrop(&user("alice")).await.unwrap(),
        queue(&*store).await,
        store.story(id(1)).await.unwrap(),
    );
    drop(store);
    subject.restart().await;
    let store = subject.store();
    let after = (
        store.list_maildrop(&user("alice")).await.unwrap(),
        queue(&*store).await,
        store.story(id(1)).await.unwrap(),
    );
    assert_eq!(before, after);
    let whole = read(&*store, &in_maildrop("alice", after.0[0].uid), 100).await;
    assert!(whole.ends_with(TEXT));
}

/// One body, many recipients.
pub async fn many_mailboxes_get_the_same_body_each_with_its_own_prefix(subject: &mut dyn Subject) {
    let store = subject.store();
    let names: Vec<String> = (0..50).map(|number| format!("user{number}")).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    deliver(&*store, 1, TEXT, &borrowed).await;
    for name in &names {
        let text = read(
            &*store,
            &in_maildrop(name, uids(&*store, name).await[0]),
            64,
        )
        .await;
        assert!(text.starts_with(format!("Delivered-To: {name}\r\n").as_bytes()));
        assert!(text.ends_with(TEXT));
    }
}

/// Prefix and cuts are honoured whatever the offset, the length and the size of the body.
pub async fn a_rendition_reads_the_same_at_every_offset_and_length(subject: &mut dyn Subject) {
    let store = subject.store();
    let small: Vec<u8> = (0..97).collect();
    let large: Vec<u8> = (0..300_007u32).map(|n| (n % 251) as u8).collect();
    for (number, body) in [(1, &small), (2, &large)] {
        let length = body.len() as u64;
        let cuts = vec![0..5, 20..21, 40..60, length - 3..length];
        let mut expected = b"Delivered-To: alice\r\nX: y\r\n".to_vec();
        for (index, octet) in body.iter().enumerate() {
            if !cuts.iter().any(|cut| cut.contains(&(index as u64))) {
                expected.push(*octet);
            }
        }
        let mut acceptance = message(&*store, number, body).await;
        acceptance.rendition = Rendition {
            prefix: b"X: y\r\n".to_vec(),
            cuts,
        };
        acceptance.deliveries.push(delivery("alice"));
        store.accept_message(acceptance).await.unwrap();
        let uid = *uids(&*store, "alice").await.last().unwrap();
        compare(&*store, uid, &expected).await;
    }
}

async fn compare(store: &dyn Store, uid: Uid, expected: &[u8]) {
    let reference = in_maildrop("alice", uid);
    let near_end = expected.len() - 40;
    for offset in (0..90).chain(near_end..expected.len() + 3) {
        for max in [0, 1, 2, 13, 64, 1000] {
            let piece = store.read_message(&reference, offset as u64, max).await;
            let from = offset.min(expected.len());
            let to = (offset + max).min(expected.len());
            assert_eq!(piece.unwrap(), expected[from..to], "{offset}, {max}");
        }
    }
    for piece_bytes in [1009, 65_536, 1 << 20] {
        assert!(read(store, &reference, piece_bytes).await == expected);
    }
}

/// Three mebibytes, written in odd pieces.
pub async fn a_large_body_reads_back_whole_in_pieces(subject: &mut dyn Subject) {
    let store = subject.store();
    let body: Vec<u8> = (0..3_145_733u32).map(|n| (n / 7 % 256) as u8).collect();
    let mut acceptance = message(&*store, 1, TEXT).await;
    acceptance.body = spool(&*store, &body, 70_001).await;
    assert_eq!(acceptance.body.size_bytes, body.len() as u64);
    acceptance.ends_with_crlf = true;
    acceptance.deliveries.push(delivery("alice"));
    store.accept_message(acceptance).await.unwrap();
    drop(store);
    subject.restart().await;
    let store = subject.store();
    let uid = uids(&*store, "alice").await[0];
    let read = read(&*store, &in_maildrop("alice", uid), 100_000).await;
    assert!(read.ends_with(&body));
    let listed = store.list_maildrop(&user("alice")).await.unwrap();
    assert_eq!(listed[0].size_octets, read.len() as u64);
}

/// Nothing is something.
pub async fn an_empty_body_is_a_message_too(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 1, b"", &["alice"]).await;
    let reference = in_maildrop("alice", uids(&*store, "alice").await[0]);
    let text = read(&*store, &reference, 10).await;
    assert!(text.ends_with(b"Received: by a sample\r\n"));
}

/// RFC 1939 §5: what RETR sends ends in CRLF, and the size says so.
pub async fn a_missing_final_line_end_counts_in_the_size(subject: &mut dyn Subject) {
    let store = subject.store();
    let mut acceptance = message(&*store, 1, b"no line end").await;
    acceptance.deliveries.push(delivery("alice"));
    acceptance.queue.push(elsewhere(0, "far.test", at(0)));
    store.accept_message(acceptance).await.unwrap();
    let listed = store.list_maildrop(&user("alice")).await.unwrap();
    let read = read(&*store, &in_maildrop("alice", listed[0].uid), 100).await;
    assert_eq!(listed[0].size_octets, read.len() as u64 + 2);
    let next_hop = b"Received: by a sample\r\nno line end\r\n";
    assert_eq!(queue(&*store).await[0].size_bytes, next_hop.len() as u64);
}

/// The second acceptance of an id fails and leaves the first as it was.
pub async fn an_id_is_accepted_once(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    let mut second = message(&*store, 1, b"another text\r\n").await;
    second.deliveries.push(delivery("bob"));
    assert!(store.accept_message(second).await.is_err());
    assert!(uids(&*store, "bob").await.is_empty());
    let uid = uids(&*store, "alice").await[0];
    let text = read(&*store, &in_maildrop("alice", uid), 100).await;
    assert!(text.ends_with(TEXT));
}

/// A writer or a finished body that nobody names leaves no message.
pub async fn a_body_that_is_dropped_leaves_nothing(subject: &mut dyn Subject) {
    let store = subject.store();
    let large = vec![b'x'; 600_000];
    let mut writer = store.new_body();
    writer.write(&large).await.unwrap();
    drop(writer);
    drop(spool(&*store, &large, 50_000).await);
    drop(spool(&*store, TEXT, 50_000).await);
    assert!(queue(&*store).await.is_empty());
    assert_eq!(store.last_id().await.unwrap(), None);
}

/// All recipients may be gone by the time of the commit.
pub async fn a_message_that_nobody_gets_leaves_its_story(subject: &mut dyn Subject) {
    let store = subject.store();
    let acceptance = message(&*store, 1, TEXT).await;
    store.accept_message(acceptance).await.unwrap();
    assert_eq!(store.story(id(1)).await.unwrap().head.id, id(1));
    let reference = MessageRef::Queued { id: id(1) };
    let missing = store.read_message(&reference, 0, 10).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
}

/// Many at once, one of which fails: the others are whole.
pub async fn messages_accepted_together_are_all_there(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 20, TEXT, &["alice"]).await;
    let mut tasks = Vec::new();
    for number in 1..=40 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let text = format!("text of {number}\r\n").into_bytes();
            let mut acceptance = message(&*store, number, &text).await;
            acceptance.deliveries.push(delivery("alice"));
            store.accept_message(acceptance).await
        }));
    }
    let mut accepted = 0;
    for task in tasks {
        accepted += usize::from(task.await.unwrap().is_ok());
    }
    assert_eq!(accepted, 39, "20 was there before");
    let listed = store.list_maildrop(&user("alice")).await.unwrap();
    assert_eq!(listed.len(), 40);
    for message in listed {
        let text = read(&*store, &in_maildrop("alice", message.uid), 1000).await;
        let expected = format!("text of {}\r\n", message.id.number());
        assert!(message.id == id(20) || text.ends_with(expected.as_bytes()));
    }
}

/// Head and count of a body on its way in.
pub async fn a_writer_shows_the_head_and_counts_octets(subject: &mut dyn Subject) {
    let store = subject.store();
    let body: Vec<u8> = (0..500_000u32).map(|n| (n % 253) as u8).collect();
    let mut writer = store.new_body();
    assert!(writer.head().is_empty());
    writer.write(&body[..10]).await.unwrap();
    assert_eq!(writer.head(), &body[..10]);
    for piece in body[10..].chunks(65_535) {
        writer.write(piece).await.unwrap();
    }
    assert_eq!(writer.size_bytes(), body.len() as u64);
    let head_bytes = writer.head().len();
    assert!((64 * 1024..=256 * 1024).contains(&head_bytes));
    assert!(body.starts_with(writer.head()));
}

/// There is room at all.
pub async fn free_space_is_known(subject: &mut dyn Subject) {
    let store = subject.store();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    assert!(store.disk_free_bytes().unwrap() > 0);
}
