//! Refusals, and the stories that they leave.

use contracts::{Abort, Event};
use intake::IntakeLimits;
use policy::Because;
use policy::facts::ServiceName;

use crate::rig::{LAN, Rig, STRANGER, code, kinds, mail_from, rcpt_to, send, settings, user};

const CONTENT: &[u8] = b"From: fred@hotmail.test\r\n\r\nHello\r\n";

#[tokio::test]
async fn each_refusal_has_its_code_and_a_story() {
    let rig = Rig::new().await;
    for (peer, from, to, expected) in [
        (
            STRANGER,
            "fred@nowhere.test",
            "bob@office.test",
            "550 5.1.8",
        ),
        (STRANGER, "fred@null.test", "bob@office.test", "550 5.7.27"),
        (STRANGER, "fred@broken.test", "bob@office.test", "451 4.4.3"),
        (STRANGER, "fred@[192.0.2.1]", "bob@office.test", "550 5.1.7"),
        (STRANGER, "bob@office.test", "bob@office.test", "550 5.7.1"),
        (
            STRANGER,
            "fred@hotmail.test",
            "x@elsewhere.test",
            "550 5.7.1",
        ),
        (STRANGER, "<>", "x@elsewhere.test", "550 5.7.1"),
        (
            STRANGER,
            "fred@hotmail.test",
            "who@office.test",
            "550 5.1.1",
        ),
        (
            STRANGER,
            "fred@hotmail.test",
            "ghost@office.test",
            "550 5.1.1",
        ),
        (STRANGER, "fred@hotmail.test", "x@astray.test", "451 4.4.1"),
        (LAN, "fred@hotmail.test", "bob@office.test", "550 5.7.1"),
    ] {
        let mut door = rig.door(peer);
        let ruling = send(&mut door, from, &[to], CONTENT).await;
        assert_eq!(code(&ruling), expected, "{from} {to}");
        drop(door);
        let stories = rig.refusals().await;
        let story = stories.last().unwrap();
        assert_eq!(ruling.id, Some(story.head.id), "{from} {to}");
        assert!(!story.head.accepted);
        rig.store.refused.lock().unwrap().clear();
    }
    assert!(rig.store.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn submission_without_sign_in_is_refused() {
    let rig = Rig::new().await;
    let connection = rig.connection(LAN, ServiceName::Submission);
    let ruling = rig.intake.begin(connection).mail(&mail_from("<>")).await;
    assert_eq!(code(&ruling), "530 5.7.0");
}

#[tokio::test]
async fn the_header_from_of_a_user_is_held_to_their_addresses() {
    let rig = Rig::new().await;
    for (content, expected) in [
        (&b"From: bob@office.test\r\n\r\n"[..], "250 2.0.0"),
        (b"Subject: no From\r\n\r\n", "250 2.0.0"),
        (b"From: alice@office.test\r\n\r\n", "550 5.7.1"),
        (
            b"From: bob@office.test, alice@office.test\r\n\r\n",
            "550 5.7.1",
        ),
        (
            b"From: bob@office.test\r\nFrom: alice@office.test\r\n\r\n",
            "550 5.7.1",
        ),
        (
            b"From: alice@office.test <bob@office.test>\r\n\r\n",
            "550 5.7.1",
        ),
        (
            b"From: Us: bob@office.test, alice@office.test;\r\n\r\n",
            "550 5.7.1",
        ),
        (
            b"Subject: x\r\nbroken\r\nFROM : alice@office.test\r\n\r\n",
            "550 5.7.1",
        ),
        (b"From: unreadable <\r\n\r\n", "550 5.7.1"),
    ] {
        let mut connection = rig.connection(STRANGER, ServiceName::Submission);
        connection.user = Some(user("bob"));
        let mut door = rig.intake.begin(connection);
        let ruling = send(
            &mut door,
            "bob@office.test",
            &["alice@office.test"],
            content,
        )
        .await;
        let shown = String::from_utf8_lossy(content);
        assert_eq!(code(&ruling), expected, "{shown}");
    }
}

#[tokio::test]
async fn the_hundred_and_first_received_field_is_a_loop() {
    let rig = Rig::new().await;
    for (hops, expected) in [(100, "250 2.0.0"), (101, "554 5.4.6")] {
        let content = format!("{}\r\nbody\r\n", "Received: x\r\n".repeat(hops));
        let mut door = rig.door(STRANGER);
        let to = ["bob@office.test"];
        let ruling = send(&mut door, "fred@hotmail.test", &to, content.as_bytes()).await;
        assert_eq!(code(&ruling), expected, "{hops}");
    }
}

#[tokio::test]
async fn a_message_that_grew_too_large_is_refused_with_its_size_in_the_story() {
    let mut small = settings();
    small.receiving.message_bytes_max = 100;
    let rig = Rig::with(small, IntakeLimits::default()).await;
    let content = [b"From: f@hotmail.test\r\n\r\n", &[b'x'; 200][..]].concat();
    let mut door = rig.door(STRANGER);
    let ruling = send(
        &mut door,
        "fred@hotmail.test",
        &["bob@office.test"],
        &content,
    )
    .await;
    assert_eq!(code(&ruling), "552 5.3.4");
    let stories = rig.refusals().await;
    assert_eq!(stories[0].head.size_bytes, content.len() as u64);
    assert_eq!(kinds(&stories[0]), ["sender", "recipient", "message"]);
}

#[tokio::test]
async fn an_endless_header_section_is_refused() {
    let limits = IntakeLimits {
        header_bytes_max: 1000,
        ..IntakeLimits::default()
    };
    let rig = Rig::with(settings(), limits).await;
    let mut door = rig.door(STRANGER);
    let content = "X: y\r\n".repeat(1000);
    let to = ["bob@office.test"];
    let ruling = send(&mut door, "fred@hotmail.test", &to, content.as_bytes()).await;
    assert_eq!(code(&ruling), "552 5.3.4");
    // A long body is no long header, with or without a header before it.
    for content in [
        format!("X: y\r\n\r\n{}", "text\r\n".repeat(1000)),
        "text\r\n".repeat(1000),
    ] {
        let ruling = send(&mut door, "fred@hotmail.test", &to, content.as_bytes()).await;
        assert_eq!(code(&ruling), "250 2.0.0");
    }
}

#[tokio::test]
async fn large_header_sections_together_have_a_budget() {
    let limits = IntakeLimits {
        large_headers_bytes_max: 150_000,
        ..IntakeLimits::default()
    };
    let rig = Rig::with(settings(), limits).await;
    let header = "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2400);
    let mut first = rig.door(STRANGER);
    first.mail(&mail_from("fred@hotmail.test")).await;
    first.recipient(&rcpt_to("bob@office.test")).await;
    first.body();
    first.write(header.as_bytes()).await;
    let mut second = rig.door(STRANGER);
    let content = format!("{header}\r\n");
    let to = ["bob@office.test"];
    let ruling = send(&mut second, "fred@hotmail.test", &to, content.as_bytes()).await;
    assert_eq!(code(&ruling), "451 4.3.2");
    first.reset(Abort::Reset);
    let ruling = send(&mut second, "fred@hotmail.test", &to, content.as_bytes()).await;
    assert_eq!(code(&ruling), "250 2.0.0");
}

#[tokio::test]
async fn a_transaction_that_is_given_up_leaves_a_story_that_says_why() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    door.mail(&mail_from("fred@hotmail.test")).await;
    door.recipient(&rcpt_to("bob@office.test")).await;
    door.reset(Abort::SessionEnded {
        reply: "421 4.4.2".to_owned(),
    });
    door.reset(Abort::Reset);
    door.mail(&mail_from("fred@hotmail.test")).await;
    door.mail(&mail_from("fred@hotmail.test")).await;
    drop(door);
    let stories = rig.refusals().await;
    let aborts: Vec<_> = stories
        .iter()
        .map(|story| match &story.entries.last().unwrap().event {
            Event::Aborted { abort } => abort.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let ended = Abort::SessionEnded {
        reply: "421 4.4.2".to_owned(),
    };
    assert_eq!(aborts, [ended, Abort::Reset, Abort::ClientLeft]);
    assert_eq!(stories[0].head.recipients, ["bob@office.test"]);
    assert_eq!(kinds(&stories[0]), ["sender", "recipient", "aborted"]);
}

#[tokio::test]
async fn one_refused_recipient_does_not_harm_the_others() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    door.mail(&mail_from("fred@hotmail.test")).await;
    assert_eq!(
        code(&door.recipient(&rcpt_to("no@office.test")).await),
        "550 5.1.1"
    );
    assert_eq!(
        code(&door.recipient(&rcpt_to("postmaster")).await),
        "250 2.1.5"
    );
    door.body();
    door.write(CONTENT).await;
    assert_eq!(code(&door.finish().await), "250 2.0.0");
    let message = rig.the_message();
    assert_eq!(message.envelope.recipients.len(), 1);
    assert_eq!(message.deliveries[0].user, user("bob"));
    assert_eq!(
        kinds(&message.story),
        ["sender", "recipient", "recipient", "message", "ended"]
    );
    assert_eq!(
        message.story.head.recipients,
        ["no@office.test", "postmaster"]
    );
}

#[tokio::test]
async fn refusals_past_the_rate_of_a_source_are_counted_and_carry_no_id() {
    let limits = IntakeLimits {
        refusals_per_source_per_minute_max: 3,
        ..IntakeLimits::default()
    };
    let rig = Rig::with(settings(), limits).await;
    let mut door = rig.door(STRANGER);
    let mut with_id = 0;
    for _ in 0..10 {
        let ruling = send(&mut door, "x@nowhere.test", &["bob@office.test"], CONTENT).await;
        with_id += usize::from(ruling.id.is_some());
    }
    assert_eq!(with_id, 3);
    assert_eq!(rig.refusals().await.len(), 3);
    assert_eq!(rig.intake.refusals_counted(), 7);
    // Another source is not affected, nor is an acceptance of this one, nor the next minute.
    let mut other = rig.door("198.51.100.8:1");
    assert!(other.mail(&mail_from("x@nowhere.test")).await.id.is_some());
    let ruling = send(
        &mut door,
        "fred@hotmail.test",
        &["bob@office.test"],
        CONTENT,
    )
    .await;
    assert_eq!(ruling.id, Some(rig.the_message().id));
    rig.clock.advance(std::time::Duration::from_secs(61));
    assert!(door.mail(&mail_from("x@nowhere.test")).await.id.is_some());
}

#[tokio::test]
async fn refusals_are_written_together_and_no_reply_waits() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    for _ in 0..20 {
        door.mail(&mail_from("x@nowhere.test")).await;
    }
    assert_eq!(rig.refusals().await.len(), 20);
    let batches = rig.store.batches.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(batches, 1);
}

#[tokio::test]
async fn a_call_without_transaction_is_put_off() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    for ruling in [
        door.recipient(&rcpt_to("bob@office.test")).await,
        door.body(),
        door.finish().await,
    ] {
        assert!(matches!(ruling.decision.because, Because::Outside { .. }));
        assert_eq!((code(&ruling).as_str(), ruling.id), ("451 4.3.0", None));
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_dns_is_asked_leaves_a_story() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let sender = mail_from("fred@silent.test");
    {
        let mut asked = std::pin::pin!(door.mail(&sender));
        let mut turn = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asked.as_mut().poll(&mut turn).is_pending());
    }
    drop(door);
    let stories = rig.refusals().await;
    assert_eq!(kinds(&stories[0]), ["aborted"]);
    assert_eq!(stories[0].head.sender, "fred@silent.test");
}

#[tokio::test]
async fn bad_content_is_told_with_its_size() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    door.mail(&mail_from("fred@hotmail.test")).await;
    door.recipient(&rcpt_to("bob@office.test")).await;
    door.body();
    door.write(CONTENT).await;
    door.reset(Abort::BadContent {
        reply: "550 5.6.0".to_owned(),
    });
    let stories = rig.refusals().await;
    assert_eq!(stories[0].head.size_bytes, CONTENT.len() as u64);
    assert_eq!(kinds(&stories[0]), ["sender", "recipient", "aborted"]);
}
