//! What an accepted message commits.

use std::sync::atomic::Ordering;

use contracts::{Event, Terminal};
use mail::TransactionId;
use policy::facts::{ServiceName, TlsFacts};
use proptest::prelude::*;

use crate::rig::{LAN, Rig, STRANGER, as_read, code, kinds, mail_from, rcpt_to, send, user};

const CONTENT: &[u8] =
    b"From: Fred <fred@hotmail.test>\r\nDate: x\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
    Message-ID: <1@hotmail.test>\r\n\r\nHello \xff\x00\r\n..\r\n";

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[tokio::test]
async fn a_stranger_reaches_a_mailbox_and_every_octet_stays() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let ruling = send(
        &mut door,
        "fred@hotmail.test",
        &["bob@office.test"],
        CONTENT,
    )
    .await;
    assert_eq!(code(&ruling), "250 2.0.0");
    let message = rig.the_message();
    assert_eq!(ruling.id, Some(message.id));
    assert_eq!(message.deliveries.len(), 1);
    assert_eq!(message.deliveries[0].user, user("bob"));
    assert!(message.queue.is_empty() && message.ends_with_crlf);
    let expected = format!(
        "Return-Path: <fred@hotmail.test>\r\n\
         Received: from client.test ([198.51.100.7])\r\n\
         \tby mail.office.test with ESMTP\r\n\
         \tid {}\r\n\
         \tfor <bob@office.test>;\r\n\
         \tTue, 24 Nov 2026 14:47:04 +0000\r\n{}",
        message.id,
        text(CONTENT)
    );
    assert_eq!(text(&as_read(&message, Some(0))), expected);
    assert_eq!(rig.queued.load(Ordering::Relaxed), 0);
    assert_eq!(
        kinds(&message.story),
        ["sender", "recipient", "message", "ended"]
    );
    let head = &message.story.head;
    assert!(head.accepted && head.id == message.id);
    assert_eq!(head.subject.as_deref(), Some("Grüße"));
    assert_eq!(head.size_bytes, CONTENT.len() as u64);
    assert!(rig.refusals().await.is_empty());
}

#[tokio::test]
async fn a_submission_without_date_and_message_id_gets_both() {
    let rig = Rig::new().await;
    let mut connection = rig.connection(STRANGER, ServiceName::Submission);
    connection.user = Some(user("bob"));
    connection.tls = Some(TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_128_GCM_SHA256".to_owned(),
    });
    let mut door = rig.intake.begin(connection);
    door.greeted(Some("[10.0.0.2]".to_owned()), true);
    let content = b"From: bob@office.test\r\n\r\nHi\r\n";
    let ruling = send(
        &mut door,
        "bob@office.test",
        &["fred@hotmail.test"],
        content,
    )
    .await;
    assert_eq!(code(&ruling), "250 2.0.0");
    let message = rig.the_message();
    let expected = format!(
        "Received: from [10.0.0.2] ([198.51.100.7])\r\n\
         \tby mail.office.test with ESMTPSA\r\n\
         \tid {id}\r\n\
         \tfor <fred@hotmail.test>\r\n\
         \ttls TLS_AES_128_GCM_SHA256 (TLSv1.3);\r\n\
         \tTue, 24 Nov 2026 14:47:04 +0000\r\n\
         Date: Tue, 24 Nov 2026 14:47:04 +0000\r\n\
         Message-ID: <{id}@mail.office.test>\r\n\
         From: bob@office.test\r\n\r\nHi\r\n",
        id = message.id
    );
    assert_eq!(text(&as_read(&message, None)), expected);
    assert_eq!(message.queue[0].destination, "hotmail.test");
    assert_eq!(rig.queued.load(Ordering::Relaxed), 1);
    assert_eq!(
        kinds(&message.story),
        ["sender", "recipient", "message", "queued"]
    );
}

#[tokio::test]
async fn an_internal_peer_on_port_25_submits_and_a_stranger_does_not() {
    let rig = Rig::new().await;
    let content = b"From: bob@office.test\r\n\r\nHi\r\n";
    send(
        &mut rig.door(LAN),
        "bob@office.test",
        &["alice@office.test"],
        content,
    )
    .await;
    let prefix = text(&rig.the_message().rendition.prefix);
    assert!(prefix.contains("\r\nDate: ") && prefix.contains("\r\nMessage-ID: "));
    let content = b"From: fred@hotmail.test\r\n\r\nHi\r\n";
    send(
        &mut rig.door(STRANGER),
        "fred@hotmail.test",
        &["alice@office.test"],
        content,
    )
    .await;
    let prefix = text(&rig.the_message().rendition.prefix);
    assert!(!prefix.contains("Date: ") && !prefix.contains("Message-ID: "));
}

#[tokio::test]
async fn recipients_part_into_mailboxes_and_queue_and_each_ends_once() {
    let rig = Rig::new().await;
    let mut door = rig.door(LAN);
    let to = [
        "all@office.test",
        "bob@office.test",
        "bob@office.test",
        "fred@hotmail.test",
        "eve@passed.test",
        "x@[192.0.2.7]",
    ];
    let content = b"From: bob@office.test\r\nReturn-Path: <x@y>\r\n\r\nno line end";
    let ruling = send(&mut door, "bob@office.test", &to, content).await;
    assert_eq!(code(&ruling), "250 2.0.0");
    let message = rig.the_message();
    let mut users: Vec<_> = message.deliveries.iter().map(|d| d.user.as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, ["alice", "bob"]);
    let queue: Vec<_> = message
        .queue
        .iter()
        .map(|entry| (entry.recipient_no, entry.destination.as_str()))
        .collect();
    assert_eq!(
        queue,
        [
            (2, "hotmail.test"),
            (3, "inner:passed.test"),
            (4, "[192.0.2.7]")
        ]
    );
    assert_eq!(message.envelope.recipients.len(), 5);
    assert!(!message.ends_with_crlf);
    // A relay may not touch the message, so what goes both ways keeps a foreign Return-Path.
    assert!(message.rendition.cuts.is_empty());
    assert!(!text(&message.rendition.prefix).contains("\tfor <"));
    for recipient in &message.envelope.recipients {
        let ends = message.story.entries.iter().filter(|entry| {
            matches!(&entry.event,
                Event::Ended { recipient: path, .. } | Event::Queued { recipient: path, .. }
                if *path == recipient.path)
        });
        assert_eq!(ends.count(), 1, "{recipient:?}");
    }
    let to_all = message
        .story
        .entries
        .iter()
        .find_map(|entry| match &entry.event {
            Event::Ended {
                terminal: Terminal::InMailbox { users },
                ..
            } => Some(users.clone()),
            _ => None,
        });
    assert_eq!(to_all.map(|users| users.len()), Some(2));
}

#[tokio::test]
async fn a_foreign_return_path_is_left_out_at_final_delivery() {
    let rig = Rig::new().await;
    let content = b"Return-Path:\r\n <a@b>\r\nFrom: f@hotmail.test\r\nRETURN-PATH : <c>\r\n\r\nReturn-Path: <body>\r\n";
    send(
        &mut rig.door(STRANGER),
        "<>",
        &["alice@office.test"],
        content,
    )
    .await;
    let read = text(&as_read(&rig.the_message(), Some(0)));
    assert!(read.starts_with("Return-Path: <>\r\nReceived: "));
    assert!(read.ends_with("+0000\r\nFrom: f@hotmail.test\r\n\r\nReturn-Path: <body>\r\n"));
}

#[tokio::test]
async fn content_without_header_is_parted_from_our_fields_by_a_blank_line() {
    let rig = Rig::new().await;
    for (content, end) in [
        (&b"just text\r\n"[..], "+0000\r\n\r\njust text\r\n"),
        (b"\r\njust text\r\n", "+0000\r\n\r\njust text\r\n"),
        (b"", "+0000\r\n\r\n"),
    ] {
        let mut door = rig.door(STRANGER);
        send(
            &mut door,
            "fred@hotmail.test",
            &["bob@office.test"],
            content,
        )
        .await;
        let read = text(&as_read(&rig.the_message(), Some(0)));
        assert!(read.ends_with(end), "{read}");
    }
}

#[tokio::test]
async fn pieces_of_any_size_make_the_same_message() {
    let rig = Rig::new().await;
    let mut seen = Vec::new();
    for size in [1, 2, 3, 7, CONTENT.len()] {
        let mut door = rig.door(STRANGER);
        door.mail(&mail_from("fred@hotmail.test")).await;
        door.recipient(&rcpt_to("bob@office.test")).await;
        door.body();
        for piece in CONTENT.chunks(size) {
            door.write(piece).await;
        }
        assert!(door.finish().await.decision.is_accept());
        let message = rig.the_message();
        let id = message.id.to_string();
        assert_eq!(message.story.head.subject.as_deref(), Some("Grüße"));
        seen.push(text(&as_read(&message, Some(0))).replace(&id, "ID"));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn ids_go_on_after_the_greatest_in_the_store_and_grow() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let mut before = TransactionId::from_number(41);
    for _ in 0..3 {
        let id = door.mail(&mail_from("fred@hotmail.test")).await.id.unwrap();
        assert!(id > before);
        before = id;
    }
}

#[tokio::test]
async fn who_listens_hears_of_acceptances_and_refusals() {
    let rig = Rig::new().await;
    let mut heard = rig.intake.listen();
    let mut door = rig.door(STRANGER);
    send(
        &mut door,
        "fred@hotmail.test",
        &["bob@office.test"],
        CONTENT,
    )
    .await;
    send(
        &mut door,
        "fred@nowhere.test",
        &["bob@office.test"],
        CONTENT,
    )
    .await;
    let mut count = 0;
    while heard.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, 5);
}

#[tokio::test]
async fn a_transaction_keeps_the_settings_it_began_with() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    door.mail(&mail_from("fred@hotmail.test")).await;
    let mut current = rig.live.current().as_ref().clone();
    let mut changed = current.settings.as_ref().clone();
    changed.domains.list.clear();
    current.settings = changed.into();
    rig.live.replace(current);
    let kept = door.recipient(&rcpt_to("bob@office.test")).await;
    assert_eq!(code(&kept), "250 2.1.5");
    door.mail(&mail_from("fred@hotmail.test")).await;
    let refused = door.recipient(&rcpt_to("bob@office.test")).await;
    assert_eq!(code(&refused), "550 5.7.1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_octets_in_any_pieces_stay_as_they_came(
        pieces in prop::collection::vec(prop_oneof![
            Just(b"\r\n".to_vec()), Just(b"From: a@b.test".to_vec()), Just(b"\r\n\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..20),
        ], 0..20),
        size in 1_usize..30,
    ) {
        let content = pieces.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let message = runtime.block_on(async {
            let rig = Rig::new().await;
            let mut door = rig.door(STRANGER);
            door.mail(&mail_from("fred@hotmail.test")).await;
            door.recipient(&rcpt_to("bob@office.test")).await;
            door.body();
            for piece in content.chunks(size) {
                door.write(piece).await;
            }
            assert!(door.finish().await.decision.is_accept());
            rig.the_message()
        });
        let read = as_read(&message, Some(0));
        let front = [&message.deliveries[0].prefix[..], &message.rendition.prefix].concat();
        prop_assert!(front.ends_with(b"\r\n"));
        prop_assert_eq!(read, [&front[..], &content].concat());
        prop_assert_eq!(message.ends_with_crlf, content.ends_with(b"\r\n"));
        prop_assert_eq!(message.story.head.size_bytes, content.len() as u64);
    }
}
