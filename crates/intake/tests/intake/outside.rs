//! When something outside fails, the sender keeps the message.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use policy::Because;

use crate::rig::{Rig, STRANGER, code, kinds, mail_from, send};
use crate::stand_ins::RecordingStore;

const CONTENT: &[u8] = b"From: fred@hotmail.test\r\n\r\nHello\r\n";

#[tokio::test]
async fn every_failure_of_the_store_is_transient_and_has_a_story() {
    type Switch = fn(&RecordingStore) -> &AtomicBool;
    // The spool fails for want of space: the disk filled up after it was asked at MAIL.
    let switches: [(Switch, &str); 4] = [
        (|store| &store.disk_is_unknown, "451 4.3.0"),
        (|store| &store.spool_fails, "452 4.3.1"),
        (|store| &store.spool_end_fails, "452 4.3.1"),
        (|store| &store.commit_fails, "451 4.3.0"),
    ];
    for (switch, heard) in switches {
        let rig = Rig::new().await;
        switch(&rig.store).store(true, Ordering::Relaxed);
        let mut door = rig.door(STRANGER);
        let ruling = send(
            &mut door,
            "fred@hotmail.test",
            &["bob@office.test"],
            CONTENT,
        )
        .await;
        assert_eq!(code(&ruling), heard);
        let stories = rig.refusals().await;
        assert_eq!(stories.len(), 1);
        assert_eq!(ruling.id, Some(stories[0].head.id));
        assert!(!stories[0].head.accepted && !kinds(&stories[0]).contains(&"ended"));
        assert!(rig.store.accepted.lock().unwrap().is_empty());

        switch(&rig.store).store(false, Ordering::Relaxed);
        let ruling = send(
            &mut door,
            "fred@hotmail.test",
            &["bob@office.test"],
            CONTENT,
        )
        .await;
        assert_eq!(code(&ruling), "250 2.0.0");
    }
}

#[tokio::test]
async fn low_disk_puts_mail_off() {
    let rig = Rig::new().await;
    rig.store.disk_free_bytes.store(1000, Ordering::Relaxed);
    let ruling = rig.door(STRANGER).mail(&mail_from("<>")).await;
    assert_eq!(code(&ruling), "452 4.3.1");
}

#[tokio::test]
async fn a_fact_that_does_not_come_in_time_could_not_be_learnt() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let clock = std::sync::Arc::clone(&rig.clock);
    let resolver = std::sync::Arc::clone(&rig.resolver);
    let patience = tokio::spawn(async move {
        while resolver.asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(5_001));
    });
    let ruling = door.mail(&mail_from("fred@silent.test")).await;
    patience.await.unwrap();
    assert_eq!(code(&ruling), "451 4.4.3");
    let Because::SenderDomainNotLearnt { failure, .. } = ruling.decision.because else {
        panic!("another reason");
    };
    assert_eq!(failure, "no answer within 5 s");
}

#[tokio::test]
async fn answers_of_dns_are_remembered_a_little_and_failures_are_not() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    let asked = || rig.resolver.asked.load(Ordering::Relaxed);
    for _ in 0..3 {
        door.mail(&mail_from("fred@hotmail.test")).await;
    }
    assert_eq!(asked(), 1);
    rig.clock.advance(Duration::from_secs(61));
    door.mail(&mail_from("fred@hotmail.test")).await;
    assert_eq!(asked(), 2);
    for _ in 0..2 {
        door.mail(&mail_from("fred@broken.test")).await;
    }
    assert_eq!(asked(), 4);
}

#[tokio::test]
async fn what_memory_can_answer_does_not_wait() {
    let rig = Rig::new().await;
    let mut door = rig.door(STRANGER);
    door.mail(&mail_from("fred@hotmail.test")).await;
    let waker = std::task::Waker::noop();
    let mut turn = std::task::Context::from_waker(waker);
    let (sender, recipient) = (
        mail_from("fred@hotmail.test"),
        crate::rig::rcpt_to("bob@office.test"),
    );
    {
        let mut asked = std::pin::pin!(door.mail(&sender));
        assert!(asked.as_mut().poll(&mut turn).is_ready());
    }
    let mut asked = std::pin::pin!(door.recipient(&recipient));
    assert!(asked.as_mut().poll(&mut turn).is_ready());
}
