//! Reports of our own.

use intake::{Report, ReportError};
use mail::{Notify, Recipient, ReversePath, TransactionId};

use crate::rig::{Rig, STRANGER, as_read, code, kinds, mail_from, rcpt_to};

const TEXT: &[u8] =
    b"From: Mail Delivery <postmaster@office.test>\r\nSubject: Not sent\r\n\r\nSorry\r\n";

fn report(to: &str) -> Report {
    Report {
        to: to.parse().unwrap(),
        about: TransactionId::from_number(7),
        content: TEXT.to_vec(),
        subject: "Not sent".to_owned(),
        smtputf8: false,
    }
}

#[tokio::test]
async fn a_report_to_one_of_ours_goes_to_their_mailbox_unchanged() {
    let rig = Rig::new().await;
    let ready = rig
        .intake
        .reports()
        .acceptance(report("bob@office.test"))
        .await
        .unwrap();
    assert!(rig.store.accepted.lock().unwrap().is_empty());
    assert_eq!(ready.envelope.mail.reverse_path, ReversePath::Null);
    let read = as_read(&ready, Some(0));
    assert_eq!(read, [b"Return-Path: <>\r\n", TEXT].concat());
    assert_eq!(kinds(&ready.story), ["message", "ended"]);
    assert_eq!(ready.story.head.sender, "<>");
    assert!(ready.story.head.connection.is_none() && ready.story.head.accepted);
}

#[tokio::test]
async fn a_report_to_elsewhere_is_queued_and_never_reported_on() {
    let rig = Rig::new().await;
    let reports = rig.intake.reports();
    let ready = reports
        .acceptance(report("fred@hotmail.test"))
        .await
        .unwrap();
    assert_eq!(ready.queue[0].destination, "hotmail.test");
    let notify = ready.queue[0].recipient.notify.unwrap();
    assert!(!notify.success && !notify.failure && !notify.delay);
    assert_eq!(kinds(&ready.story), ["message", "queued"]);
}

#[tokio::test]
async fn a_report_to_nobody_is_not_made() {
    let rig = Rig::new().await;
    let failed = rig
        .intake
        .reports()
        .acceptance(report("nobody@office.test"))
        .await;
    assert!(matches!(failed, Err(ReportError::NotRoutable { .. })));
}

fn success_wanted(path: &str) -> Recipient {
    Recipient {
        notify: Some(Notify {
            success: true,
            failure: false,
            delay: false,
        }),
        ..rcpt_to(path)
    }
}

#[tokio::test]
async fn a_sender_who_asks_hears_that_it_was_delivered() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let mut mail = mail_from("fred@hotmail.test");
    mail.envid = Some("Q1".to_owned());
    door.mail(&mail).await;
    door.recipient(&success_wanted("bob@office.test")).await;
    door.recipient(&rcpt_to("alice@office.test")).await;
    door.body();
    door.write(b"Subject: hello\r\n\r\nsecret body\r\n").await;
    assert_eq!(code(&door.finish().await), "250 2.0.0");
    let mut accepted = rig.store.accepted.lock().unwrap();
    let report = accepted.pop().unwrap();
    let message = accepted.pop().unwrap();
    assert!(report.id > message.id && accepted.is_empty());
    assert_eq!(report.envelope.mail.reverse_path, ReversePath::Null);
    assert_eq!(report.queue[0].destination, "hotmail.test");
    let text = String::from_utf8(as_read(&report, None)).unwrap();
    for part in [
        "Final-Recipient: rfc822; bob@office.test\r\nAction: delivered\r\nStatus: 2.0.0\r\n",
        "Original-Envelope-Id: Q1\r\n",
        "From: Mail Delivery System <postmaster@office.test>\r\n",
        "Subject: hello\r\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("alice") && !text.contains("secret body"));
    assert_eq!(rig.queued.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nobody_hears_of_success_who_did_not_ask_or_has_no_address() {
    let rig = Rig::new().await;
    for (from, to) in [
        ("<>", success_wanted("bob@office.test")),
        ("fred@hotmail.test", rcpt_to("bob@office.test")),
    ] {
        let mut door = rig.door(STRANGER);
        door.mail(&mail_from(from)).await;
        door.recipient(&to).await;
        door.body();
        door.write(b"\r\n").await;
        door.finish().await;
        rig.the_message();
    }
}
