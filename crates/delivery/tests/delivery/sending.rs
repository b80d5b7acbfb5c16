//! What arrives, what is tried again, who is told.

use std::time::Duration;

use crate::office::{Office, TEXT, patience, plain, until};
use contracts::stand_in::Fault;
use contracts::store::{QueueAction, QueueFilter, QueueState};
use contracts::{AttemptOutcome, Event, MxAnswer, ResolveError, Store, Terminal};
use mail::{BodyType, Envelope, MailParameters, Notify, Ret, ReversePath};
use policy::Because;
use testkit::ScriptedSmtp;
use testkit::scripted_smtp::{Act, Stage};

const HOUR: Duration = Duration::from_hours(1);

fn reply(text: &str) -> Act {
    Act::Reply(text.to_owned())
}

/// An office whose `hotmail.test` is `peer`.
fn office(peer: &ScriptedSmtp) -> Office {
    let office = Office::new();
    office.zone.mx("hotmail.test", &["192.0.2.1"]);
    office.lines.lead("192.0.2.1:25", peer.address());
    office
}

#[tokio::test]
async fn a_message_arrives_as_it_is_and_its_story_ends() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    let received = peer.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].hello, "mail.office.test");
    assert_eq!(received[0].recipients, ["<fred@hotmail.test>"]);
    assert_eq!(received[0].text, TEXT);
    let events = office.events(id).await;
    assert!(matches!(
        &events[0],
        Event::Attempted { host, result: AttemptOutcome::Delivered, .. } if host == "mx10.hotmail.test"
    ));
    assert!(matches!(
        &events[1],
        Event::Ended { terminal: Terminal::Relayed, decision, .. } if decision.is_accept()
    ));
    assert_eq!(events.len(), 2);
    office.stop().await;
}

#[tokio::test]
async fn a_failure_for_now_is_tried_again_when_its_time_comes() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.once(Stage::Recipient, "", reply("450 4.2.1 greylisted"));
    let mut office = office(&peer);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    let queue = office.tried(1).await;
    assert_eq!(queue[0].last_reply.as_deref(), Some("450 4.2.1 greylisted"));
    assert_eq!(queue[0].state, QueueState::Waiting);
    assert!(peer.received().is_empty());
    office.clock.advance(Duration::from_secs(301));
    office.queue_empties().await;
    assert_eq!(peer.received().len(), 1);
    assert!(office.mailbox().await.is_empty());
}

#[tokio::test]
async fn a_refusal_brings_one_report_with_the_far_sides_words() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.always(Stage::Recipient, "", reply("550 5.1.1 who is that"));
    let mut office = office(&peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 1);
    assert!(
        mailbox[0].starts_with("Return-Path: <>\r\n"),
        "{}",
        mailbox[0]
    );
    assert!(mailbox[0].contains("From: Mail Delivery System <postmaster@office.test>"));
    assert!(mailbox[0].contains("Diagnostic-Code: smtp; 550 5.1.1 who is that\r\n"));
    assert!(mailbox[0].contains("Remote-MTA: dns; mx10.hotmail.test\r\n"));
    assert!(mailbox[0].contains("\r\nSubject: hello\r\n"));
    let events = office.events(id).await;
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Ended {
            terminal: Terminal::Bounced { report: Some(_) },
            ..
        }
    )));
}

#[tokio::test]
async fn no_report_follows_a_report_or_a_wish_for_none() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.always(Stage::Recipient, "", reply("550 5.1.1 who is that"));
    let mut office = office(&peer);
    office.start();
    let report = office.send("<>", &["fred@hotmail.test"]).await;
    let mut recipient = plain("fred@hotmail.test");
    recipient.notify = Some(Notify {
        success: false,
        failure: false,
        delay: false,
    });
    let mail = MailParameters::plain("bob@office.test".parse::<ReversePath>().unwrap());
    let recipients = vec![recipient];
    office
        .send_envelope(Envelope { mail, recipients }, TEXT)
        .await;
    office.queue_empties().await;
    assert!(office.mailbox().await.is_empty());
    assert!(office.events(report).await.iter().any(|event| matches!(
        event,
        Event::Ended {
            terminal: Terminal::Bounced { report: None },
            ..
        }
    )));
}

#[tokio::test]
async fn a_report_to_the_outside_goes_out_by_the_queue() {
    let refusing = ScriptedSmtp::start().unwrap();
    let refusing = refusing.always(Stage::Text, "", reply("554 5.7.1 no"));
    let mut office = office(&refusing);
    let sender = ScriptedSmtp::start().unwrap();
    office.zone.mx("sender.test", &["192.0.2.2"]);
    office.lines.lead("192.0.2.2:25", sender.address());
    office.start();
    office.send("ann@sender.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    let received = sender.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].mail.starts_with("<>"));
    assert_eq!(received[0].recipients, ["<ann@sender.test>"]);
}

#[tokio::test]
async fn many_recipients_go_in_one_transaction_and_each_has_its_own_end() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer
        .always(Stage::Recipient, "no@", reply("550 5.1.1 no"))
        .once(Stage::Recipient, "later@", reply("451 4.2.2 later"));
    let mut office = office(&peer);
    office.start();
    let recipients = [
        "a@hotmail.test",
        "no@hotmail.test",
        "later@hotmail.test",
        "b@hotmail.test",
    ];
    office.send("bob@office.test", &recipients).await;
    let queue = office.tried(1).await;
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0].recipient.path.to_string(), "later@hotmail.test");
    assert_eq!(peer.connections(), 1);
    let received = peer.received();
    assert_eq!(
        received[0].recipients,
        ["<a@hotmail.test>", "<b@hotmail.test>"]
    );
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 1);
    assert!(mailbox[0].contains("Final-Recipient: rfc822; no@hotmail.test"));
    assert!(!mailbox[0].contains("later@"));
}

#[tokio::test]
async fn a_server_that_wants_fewer_recipients_gets_the_rest_at_once() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.once(Stage::Recipient, "b@", reply("452 4.5.3 too many"));
    let mut office = office(&peer);
    office.start();
    let recipients = ["a@hotmail.test", "b@hotmail.test"];
    office.send("bob@office.test", &recipients).await;
    office.queue_empties().await;
    assert_eq!(peer.received().len(), 2);
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_connection_is_used_again_for_the_next_message() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    office.start();
    for _ in 0..3 {
        office.send("bob@office.test", &["fred@hotmail.test"]).await;
        office.queue_empties().await;
    }
    assert_eq!((peer.received().len(), peer.connections()), (3, 1));
    office.clock.advance(Duration::from_secs(4));
    until("QUIT", || peer.commands().contains(&"QUIT".to_owned())).await;
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!((peer.received().len(), peer.connections()), (4, 2));
}

#[tokio::test]
async fn a_kept_connection_that_broke_costs_no_attempt() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    let peer = peer.once(Stage::Mail, "", Act::Disconnect);
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!((peer.received().len(), peer.connections()), (2, 2));
}

#[tokio::test]
async fn connections_to_one_destination_are_bounded() {
    let silent = crate::office::peers::silent().await;
    let mut office = Office::new();
    office.change(|settings| settings.delivery.connections_per_destination_max = 2);
    office.zone.mx("slow.test", &["192.0.2.1"]);
    office.lines.lead("192.0.2.1:25", silent);
    office.start();
    for _ in 0..20 {
        office.send("bob@office.test", &["a@slow.test"]).await;
    }
    until("two connections", || office.lines.dialled().len() == 2).await;
    assert_eq!(office.runner.sessions(), 2);
    office.clock.advance(Duration::from_secs(301));
    let queue = office
        .queue_until("all to be put off", |queue| {
            queue.iter().all(|entry| entry.state == QueueState::Waiting)
        })
        .await;
    assert_eq!(queue.len(), 20);
    assert_eq!(office.lines.dialled().len(), 2, "the others were not tried");
    let tried = queue.iter().filter(|entry| entry.attempts == 1).count();
    assert_eq!(tried, 2, "and their count says so");
}

#[tokio::test]
async fn a_slow_destination_holds_up_nobody_else() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    let silent = crate::office::peers::silent().await;
    office.zone.mx("slow.test", &["192.0.2.9"]);
    office.lines.lead("192.0.2.9:25", silent);
    for _ in 0..200 {
        office.send("bob@office.test", &["a@slow.test"]).await;
    }
    office.start();
    for _ in 0..50 {
        office.send("bob@office.test", &["fred@hotmail.test"]).await;
    }
    patience("the others", async {
        while peer.received().len() < 50 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let left = office
        .queue_until("the rest", |queue| queue.len() == 200)
        .await;
    assert!(left.iter().all(|entry| entry.attempts == 0));
}

#[tokio::test]
async fn a_destination_that_is_down_is_remembered_until_somebody_wants_it_tried() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = Office::new();
    office.zone.mx("hotmail.test", &["192.0.2.1"]);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.tried(1).await;
    office.send("bob@office.test", &["anna@hotmail.test"]).await;
    let put_back = |queue: &[contracts::store::QueueEntry]| {
        queue
            .iter()
            .all(|entry| entry.last_reply.is_some() && entry.state == QueueState::Waiting)
    };
    let queue = office
        .queue_until("the second to be put back", put_back)
        .await;
    assert_eq!(queue.iter().map(|entry| entry.attempts).sum::<u32>(), 1);
    assert_eq!(office.lines.dialled().len(), 1);
    office.lines.lead("192.0.2.1:25", peer.address());
    let all = QueueFilter::default();
    let changed = office
        .store
        .change_queue(&all, QueueAction::Retry, "op", crate::office::BEGIN)
        .await
        .unwrap();
    assert_eq!(changed, 2);
    office.runner.retry_now();
    office.queue_empties().await;
    assert_eq!(peer.received().len(), 2);
}

#[tokio::test]
async fn the_next_exchanger_is_tried_within_the_same_attempt() {
    let peer = ScriptedSmtp::start().unwrap();
    let busy = ScriptedSmtp::start().unwrap();
    let busy = busy.always(Stage::Greeting, "", reply("554 5.3.2 no service"));
    let closing = ScriptedSmtp::start().unwrap();
    let closing = closing.always(Stage::Recipient, "", reply("421 4.3.2 closing"));
    let mut office = Office::new();
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    office.zone.mx("hotmail.test", &addresses);
    office.lines.lead("192.0.2.2:25", busy.address());
    office.lines.lead("192.0.2.3:25", closing.address());
    office.lines.lead("192.0.2.4:25", peer.address());
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(peer.received().len(), 1);
    assert_eq!(office.lines.dialled().len(), 4);
    let events = office.events(id).await;
    assert!(matches!(
        &events[0],
        Event::Attempted { host, result: AttemptOutcome::Delivered, .. } if host == "mx40.hotmail.test"
    ));
}

#[tokio::test]
async fn a_single_exchanger_that_greets_with_554_keeps_the_mail_in_the_queue() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.always(Stage::Greeting, "", reply("554 5.7.1 not today"));
    let mut office = office(&peer);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    let queue = office.tried(1).await;
    assert_eq!(queue[0].last_reply.as_deref(), Some("554 5.7.1 not today"));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_dot_is_tried_later_and_nowhere_else() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.once(Stage::Text, "", Act::Disconnect);
    let mut office = office(&peer);
    office.zone.mx("hotmail.test", &["192.0.2.1", "192.0.2.2"]);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.tried(1).await;
    assert_eq!(office.lines.dialled(), ["192.0.2.1:25"]);
    let events = office.events(id).await;
    assert!(matches!(
        &events[0],
        Event::Attempted {
            result: AttemptOutcome::Deferred { .. },
            ..
        }
    ));
    office.clock.advance(Duration::from_secs(301));
    office.queue_empties().await;
}

#[tokio::test]
async fn tries_end_with_the_last_words_and_a_delay_is_told_once() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.always(Stage::Recipient, "", reply("451 4.3.0 still not"));
    let mut office = office(&peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.tried(1).await;
    office.clock.advance(5 * HOUR);
    office.tried(2).await;
    office.clock.advance(5 * HOUR);
    office.tried(3).await;
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 1);
    assert!(mailbox[0].contains("Action: delayed"));
    assert!(
        mailbox[0].contains("Will-Retry-Until: Sat, 26 Sep 2026"),
        "{}",
        mailbox[0]
    );
    office.clock.advance(120 * HOUR);
    office.queue_empties().await;
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 2);
    assert!(mailbox[1].contains("Action: failed"));
    assert!(mailbox[1].contains("Status: 5.4.7"));
    assert!(mailbox[1].contains("451 4.3.0 still not"));
    let events = office.events(id).await;
    let delays = events
        .iter()
        .filter(|e| matches!(e, Event::DelayNoticed { .. }));
    assert_eq!(delays.count(), 1);
    let ends = events.iter().filter(|e| matches!(e, Event::Ended { .. }));
    assert_eq!(ends.count(), 1);
}

#[tokio::test]
async fn what_dns_says_decides_between_bounce_and_wait() {
    let mut office = Office::new();
    office.zone.set("null.test", Ok(MxAnswer::Null));
    office.zone.set(
        "silent.test",
        Err(ResolveError::NotLearnt {
            name: "silent.test".to_owned(),
            failure: "timed out".to_owned(),
        }),
    );
    office.start();
    for recipient in ["a@null.test", "a@missing.test", "a@silent.test"] {
        office.send("bob@office.test", &[recipient]).await;
    }
    let queue = office.tried(1).await;
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0].destination, "silent.test");
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 2);
    for status in ["Status: 5.1.10", "Status: 5.1.2"] {
        assert!(
            mailbox.iter().any(|report| report.contains(status)),
            "{status}"
        );
    }
}

#[tokio::test]
async fn our_own_listener_is_never_dialled() {
    let mut office = Office::new();
    office.zone.mx("hotmail.test", &["192.0.2.1"]);
    office.ourselves.set(vec!["192.0.2.1:25".parse().unwrap()]);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert!(office.lines.dialled().is_empty());
    assert!(office.events(id).await.iter().any(|event| matches!(
        event,
        Event::Ended { decision, .. } if matches!(decision.because, Because::LoopsToOurselves { .. })
    )));
    assert!(office.mailbox().await[0].contains("Status: 5.4.6"));
}

#[tokio::test]
async fn a_server_with_our_own_name_is_no_loop() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer
        .always(Stage::Greeting, "", reply("220 mail.office.test ESMTP"))
        .always(Stage::Ehlo, "", reply("250 mail.office.test"));
    let mut office = office(&peer);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(peer.received().len(), 1);
}

#[tokio::test]
async fn eight_bits_and_utf8_bounce_clearly_where_the_far_side_lacks_them() {
    let peer = ScriptedSmtp::start().unwrap();
    let peer = peer.always(Stage::Ehlo, "", reply("250 old.test"));
    let mut office = office(&peer);
    office.start();
    let mut mail = MailParameters::plain("bob@office.test".parse::<ReversePath>().unwrap());
    mail.body = BodyType::EightBitMime;
    let envelope = |recipient: &str, mail: &MailParameters| Envelope {
        mail: mail.clone(),
        recipients: vec![plain(recipient)],
    };
    let eight_bit = "Subject: x\r\n\r\nж\r\n".as_bytes();
    office
        .send_envelope(envelope("a@hotmail.test", &mail), eight_bit)
        .await;
    office
        .send_envelope(envelope("b@hotmail.test", &mail), TEXT)
        .await;
    mail.smtputf8 = true;
    office
        .send_envelope(envelope("ж@hotmail.test", &mail), TEXT)
        .await;
    office.queue_empties().await;
    let recipients: Vec<String> = peer
        .received()
        .iter()
        .flat_map(|m| m.recipients.clone())
        .collect();
    assert_eq!(
        recipients,
        ["<b@hotmail.test>"],
        "declared 8-bit, but is not"
    );
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 2);
    for status in ["Status: 5.6.3", "Status: 5.6.7"] {
        assert!(
            mailbox.iter().any(|report| report.contains(status)),
            "{status}"
        );
    }
}

#[tokio::test]
async fn success_is_reported_where_the_far_side_does_not() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    office.start();
    let mut mail = MailParameters::plain("bob@office.test".parse::<ReversePath>().unwrap());
    mail.ret = Some(Ret::Full);
    mail.envid = Some("QQ1".to_owned());
    let mut recipient = plain("fred@hotmail.test");
    recipient.notify = Some(Notify {
        success: true,
        failure: true,
        delay: false,
    });
    let envelope = Envelope {
        mail,
        recipients: vec![recipient],
    };
    office.send_envelope(envelope.clone(), TEXT).await;
    office.queue_empties().await;
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 1);
    assert!(mailbox[0].contains("Action: relayed"));
    assert!(mailbox[0].contains("Original-Envelope-Id: QQ1"));
    assert!(!mailbox[0].contains("Hi Fred"), "RET=FULL is for failures");
    office.stop().await;
    let peer = peer.always(Stage::Ehlo, "", reply("250-x\r\n250 DSN"));
    office.start();
    office.send_envelope(envelope, TEXT).await;
    office.queue_empties().await;
    assert_eq!(office.mailbox().await.len(), 1, "the far side tells");
    let commands = peer.commands();
    let told = "RCPT TO:<fred@hotmail.test> NOTIFY=SUCCESS,FAILURE".to_owned();
    assert!(commands.contains(&told), "{commands:?}");
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_keeps_the_rest() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    let silent = crate::office::peers::silent().await;
    office.zone.mx("slow.test", &["192.0.2.9"]);
    office.lines.lead("192.0.2.9:25", silent);
    office.start();
    office.send("bob@office.test", &["a@slow.test"]).await;
    until("a connection", || office.lines.dialled().len() == 1).await;
    office.stop().await;
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    let queue = office.queue().await;
    assert_eq!(queue.len(), 2);
    assert!(
        queue
            .iter()
            .all(|entry| entry.state == QueueState::Waiting && entry.attempts == 0)
    );
    assert!(peer.received().is_empty());
    office.start();
    office
        .queue_until("the other", |queue| queue.len() == 1)
        .await;
    assert_eq!(peer.received().len(), 1);
}

#[tokio::test]
async fn a_peer_that_answers_nothing_is_given_up_when_delivery_stops() {
    let mut office = Office::new();
    let silent = crate::office::peers::greeting_only().await;
    office.zone.mx("slow.test", &["192.0.2.9"]);
    office.lines.lead("192.0.2.9:25", silent);
    office.start();
    office.send("bob@office.test", &["a@slow.test"]).await;
    let (runner, clock) = (office.runner.clone(), office.clock.clone());
    until("MAIL to be said", || runner.sessions() == 1).await;
    let moving = tokio::spawn(async move {
        loop {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_millis(1));
        }
    });
    office.stop().await;
    moving.abort();
    let queue = office.queue().await;
    assert_eq!(queue[0].state, QueueState::Waiting);
    assert_eq!(queue[0].attempts, 0, "it was not the peer's doing");
}

#[tokio::test]
async fn whichever_step_of_the_store_fails_there_is_one_report() {
    for step in 0..4 {
        let peer = ScriptedSmtp::start().unwrap();
        let peer = peer.always(Stage::Recipient, "", reply("550 5.1.1 no"));
        let mut office = office(&peer);
        office.send("bob@office.test", &["fred@hotmail.test"]).await;
        office.store.fail_step(step, Fault::Io);
        office.start();
        office.queue_empties_in_time().await;
        assert_eq!(office.mailbox().await.len(), 1, "step {step}");
    }
}

#[tokio::test]
async fn a_power_cut_at_any_step_loses_nothing_and_reports_once() {
    for seed in 0..12 {
        let peer = ScriptedSmtp::start().unwrap();
        let peer = peer.always(Stage::Recipient, "no@", reply("550 5.1.1 no"));
        let mut office = office(&peer);
        let recipients = ["a@hotmail.test", "no@hotmail.test"];
        office.send("bob@office.test", &recipients).await;
        let before = office.store.steps();
        office.start();
        until("a step", || office.store.steps() > before + seed % 4).await;
        office.store.power_cut(seed);
        office.runner.wake();
        office.queue_empties_in_time().await;
        let taken = peer.received().iter().filter(|m| m.accepted).count();
        assert!((1..=2).contains(&taken), "at most one duplicate, no loss");
        assert_eq!(office.mailbox().await.len(), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn mail_whose_domain_became_ours_comes_home() {
    let mut office = Office::new();
    let id = office.send("ann@sender.test", &["bob@office.test"]).await;
    office.start();
    office.queue_empties().await;
    let mailbox = office.mailbox().await;
    assert_eq!(mailbox.len(), 1);
    let expected = [b"Return-Path: <ann@sender.test>\r\n", TEXT].concat();
    assert_eq!(mailbox[0].as_bytes(), expected);
    assert!(office.events(id).await.iter().any(|event| matches!(
        event,
        Event::Ended {
            terminal: Terminal::InMailbox { .. },
            ..
        }
    )));
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let peer = ScriptedSmtp::start().unwrap();
    let mut office = office(&peer);
    office.start();
    let mut text = b"Subject: large\r\n\r\n".to_vec();
    while text.len() < 300_000 {
        text.extend_from_slice(b".a line that begins with a dot\r\n\r\n..\r\n");
    }
    let mail = MailParameters::plain("bob@office.test".parse::<ReversePath>().unwrap());
    let recipients = vec![plain("fred@hotmail.test")];
    office
        .send_envelope(Envelope { mail, recipients }, &text)
        .await;
    office.queue_empties().await;
    assert_eq!(peer.received()[0].text, text);
}
