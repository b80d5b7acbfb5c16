//! Reports of what could not be delivered, or was, as RFC 3461 lets a sender ask.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::wait;

use crate::dialogue::Dialogue;
use crate::trial::{Trial, play};

/// One message from a desk, with the parameters of the DSN extension, by hand.
fn send(trial: &Trial<'_>, from: &str, to: &str, notify: &str) -> Result<()> {
    let mut session = Dialogue::open(&trial.stage.office.desk, trial.inside(25))?;
    session.reply()?;
    let offered = session.say("EHLO desk.invalid", "250")?;
    ensure!(offered.contains("DSN"), "{offered}");
    session.say(
        &format!("MAIL FROM:<{from}> RET=HDRS ENVID=QQ314159"),
        "250 ",
    )?;
    let parameters = format!("NOTIFY={notify} ORCPT=rfc822;{to}");
    session.say(&format!("RCPT TO:<{to}> {parameters}"), "250 ")?;
    session.say("DATA", "354 ")?;
    let text = format!("Subject: to {to}\r\nX-Kept: yes\r\n\r\nunseen body\r\n.");
    session.say(&text, "250 2.0.0")?;
    session.say("QUIT", "221 ")?;
    Ok(())
}

/// Waits until nothing is left to be sent.
fn settled(trial: &Trial<'_>) -> Result<()> {
    wait::until("an empty queue", wait::PATIENCE, || {
        let list = trial.operator.operate(&["queue", "list"], "").ok()?;
        list.contains("Nothing waits").then_some(())
    })
}

#[test]
fn refused_mail_is_reported_once_and_in_their_words() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let (bob, to) = (trial.stage.bob(), "nobody@hotmail.test");
        send(trial, "bob@office.test", to, "SUCCESS,FAILURE")?;
        let report = trial.has(bob, "Action: failed")?;
        for words in [
            "Return-Path: <>",
            "multipart/report",
            "report-type=delivery-status",
            "Original-Envelope-Id: QQ314159",
            "Original-Recipient: rfc822; nobody@hotmail.test",
            "Final-Recipient: rfc822; nobody@hotmail.test",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 <nobody@hotmail.test>",
            "Recipient address rejected: User\n unknown in virtual mailbox table",
            "Remote-MTA: dns; mx.hotmail.test",
            "X-Kept: yes",
        ] {
            ensure!(report.contains(words), "no {words} in\n{report}");
        }
        // RFC 3461 §4.3: RET=HDRS leaves the body out.
        ensure!(!report.contains("unseen body"), "{report}");
        send(trial, "bob@office.test", to, "NEVER")?;
        // RFC 5321 §6.1: what came with the null reverse-path is never reported to anybody.
        send(trial, "", to, "FAILURE")?;
        settled(trial)?;
        ensure!(trial.count(bob, "Action: failed")? == 1, "more than one");
        ensure!(trial.count(trial.stage.alice(), "")? == 0, "to Alice?");
        Ok(())
    })
}

#[test]
fn success_is_reported_where_asked_for() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let bob = trial.stage.bob();
        // In the house the gateway itself is the last hop.
        send(trial, "bob@office.test", "alice@office.test", "SUCCESS")?;
        let report = trial.has(bob, "Final-Recipient: rfc822; alice@office.test")?;
        ensure!(report.contains("Action: delivered"), "{report}");
        // Fred's Postfix knows DSN, so the wish is handed on, and its own report comes back.
        send(trial, "bob@office.test", "fred@hotmail.test", "SUCCESS")?;
        let report = trial
            .has(bob, "Original-Recipient: rfc822;fred@hotmail.test")
            .context("Fred's site")?;
        ensure!(
            report.contains("Reporting-MTA: dns; mx.hotmail.test"),
            "{report}"
        );
        // To Postfix its own mailboxes are a relay behind it.
        ensure!(report.contains("Action: relayed"), "{report}");
        settled(trial)?;
        ensure!(trial.count(bob, "fred@hotmail.test")? == 1, "twice");
        Ok(())
    })
}
