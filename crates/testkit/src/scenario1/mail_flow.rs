//! Mail out, mail in, mail between desks, and what happens to mail that cannot go.

use super::stage::Stage;
use super::subject::Subject;
use crate::net::Place;
use crate::peers::{Client, Message};
use crate::running::Outcome;
use crate::wait;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;

/// A message with a token to know it by and a body that is easily damaged.
fn letter(from: &str, to: &str, token: &str) -> String {
    format!("From: {from}\nTo: {to}\nSubject: {token}\nX-Token: {token}\n\n{BODY}")
}

const BODY: &str =
    "first line\n.dot first\n..two dots\n\nFrom here on\n  and trailing blank \nend\n";

fn is_intact(message: &str) -> bool {
    message.replace("\r\n", "\n").contains(BODY)
}

/// Bob writes with three programs, Fred gets all three and answers, Bob collects with four programs.
///
/// # Errors
/// When a step fails.
pub fn round_trip(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::TwoCards, |stage| {
        let desk = stage.client(&stage.office.desk)?;
        for name in ["swaks", "msmtp", "curl"] {
            let token = format!("out-by-{name}");
            let text = letter("bob@office.test", "fred@hotmail.test", &token);
            let message = Message {
                server: stage.doors().smtp_inside,
                from: "bob@office.test",
                to: &["fred@hotmail.test"],
                text: &text,
            };
            let sent = match name {
                "swaks" => desk.swaks(message, &[])?,
                "msmtp" => desk.msmtp(message)?,
                _ => desk.curl_send(message)?,
            };
            sent.succeeded().context(token)?;
        }
        for name in ["swaks", "msmtp", "curl"] {
            let message = stage.fred_has(&format!("X-Token: out-by-{name}"))?;
            ensure!(is_intact(&message), "changed on its way out:\n{message}");
        }
        let reply = letter("fred@hotmail.test", "bob@office.test", "the-answer");
        stage.fred_writes("bob@office.test", &reply)?;
        let came = stage.office_has(stage.bob(), "X-Token: the-answer")?;
        ensure!(is_intact(&came), "changed on its way in:\n{came}");
        ensure!(
            came.starts_with("Return-Path: <fred@hotmail.test>"),
            "final delivery adds the Return-Path:\n{came}"
        );
        collect_with_each_program(stage, &desk, "X-Token: the-answer")
    })
}

/// mpop, fetchmail, curl and Python's poplib see one and the same message; the last deletes it.
fn collect_with_each_program(stage: &Stage, desk: &Client<'_>, token: &str) -> Result<()> {
    let account = stage.doors().account(stage.bob());
    let collected = [
        ("mpop", desk.mpop(account)?),
        ("fetchmail", desk.fetchmail(account)?),
        ("curl", desk.curl_collect(account, 1)?),
        ("poplib", desk.poplib(account)?),
    ];
    for (name, outcome) in collected {
        let found = outcome.output.contains(token);
        outcome.clone().succeeded().context(name)?;
        ensure!(found, "{name} did not collect it:\n{}", outcome.output);
    }
    let again = desk.poplib(account)?.succeeded()?;
    ensure!(
        again.output.contains("collected 0"),
        "deleted mail came again:\n{}",
        again.output
    );
    Ok(())
}

/// An unknown local-part, and mail for elsewhere, are refused at RCPT and for good.
///
/// # Errors
/// When something is accepted, or refused in another way.
pub fn strangers_are_refused(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::TwoCards, |stage| {
        let stranger = stage.client(&stage.office.stranger)?;
        let attempt = |from, to: &str| {
            attempt(&stranger, stage.doors().smtp_outside, from, to).map(|got| (got, to.to_owned()))
        };
        let (unknown, _) = attempt("someone@elsewhere.test", "nobody@office.test")?;
        is_refused_at_rcpt(&unknown, "550", "5.1.1")?;
        for from in ["someone@elsewhere.test", "bob@office.test", ""] {
            let (relay, _) = attempt(from, "victim@hotmail.test")?;
            is_refused_for_good(&relay).with_context(|| format!("relay from <{from}>"))?;
        }
        let (known, to) = attempt("someone@elsewhere.test", "BOB@Office.Test")?;
        known.succeeded().context(to)?;
        let text = stage.office_has(stage.bob(), "X-Token: attempt")?;
        ensure!(is_intact(&text), "changed on its way in:\n{text}");
        Ok(())
    })
}

/// One message sent with swaks.
pub(super) fn attempt(
    client: &Client<'_>,
    server: SocketAddr,
    from: &str,
    to: &str,
) -> Result<Outcome> {
    let text = letter(from, to, "attempt");
    let message = Message {
        server,
        from,
        to: &[to],
        text: &text,
    };
    client.swaks(message, &[])
}

/// swaks ends with 24 when all recipients were refused.
fn is_refused_at_rcpt(outcome: &Outcome, code: &str, enhanced: &str) -> Result<()> {
    let wanted = format!("<** {code} {enhanced}");
    ensure!(
        outcome.code == 24 && outcome.output.contains(&wanted),
        "not refused at RCPT with {code} {enhanced}:\n{}",
        outcome.output
    );
    Ok(())
}

/// Refused at MAIL or RCPT by a 5xx: the sender must not come again.
pub(super) fn is_refused_for_good(outcome: &Outcome) -> Result<()> {
    ensure!(
        [23, 24].contains(&outcome.code) && outcome.output.contains("<** 5"),
        "not refused for good:\n{}",
        outcome.output
    );
    Ok(())
}

/// Bob writes to Alice while the cable to the provider is out.
///
/// # Errors
/// When the message does not arrive, or the gateway tried to reach the Internet for it.
pub fn local_mail_needs_no_internet(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::TwoCards, |stage| {
        stage.office.count_outbound()?;
        stage.office.set_outside_link(false)?;
        let desk = stage.client(&stage.office.desk)?;
        let server = stage.doors().smtp_inside;
        let sent = attempt(&desk, server, "bob@office.test", "alice@office.test")?;
        sent.succeeded()?;
        let account = stage.doors().account(stage.alice());
        wait::until("Alice's mail", wait::PATIENCE, || {
            let got = desk.curl_collect(account, 1).ok()?;
            got.output.contains("X-Token: attempt").then_some(())
        })?;
        let got = desk.poplib(account)?.succeeded()?;
        ensure!(got.output.contains("X-Token: attempt"), "{}", got.output);
        let opened = stage.office.outbound_connections()?;
        ensure!(
            opened == 0,
            "{opened} connections to the Internet were opened"
        );
        // The counter is only worth something if it counts.
        let outside = SocketAddr::new(stage.office.stranger.address, 25);
        let answered = stage.office.gateway.namespace.connect(outside).is_ok();
        ensure!(!answered, "the cable was not out");
        let opened = stage.office.outbound_connections()?;
        ensure!(opened > 0, "the counter saw no attempt of our own");
        Ok(())
    })
}

/// Bob writes to Fred while the cable is out: taken at once, delivered when the cable is back.
///
/// # Errors
/// When the message is refused, lost or delivered twice.
pub fn mail_waits_while_the_internet_is_away(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::TwoCards, |stage| {
        stage.office.count_outbound()?;
        stage.office.set_outside_link(false)?;
        let desk = stage.client(&stage.office.desk)?;
        let server = stage.doors().smtp_inside;
        let sent = attempt(&desk, server, "bob@office.test", "fred@hotmail.test")?;
        sent.succeeded()?;
        wait::until("a first attempt", wait::PATIENCE, || {
            let packets = stage.office.outbound_packets().ok()?;
            (packets > 0).then_some(())
        })?;
        stage.office.set_outside_link(true)?;
        wait::until("the waiting mail at Fred's", 2 * wait::PATIENCE, || {
            stage.gateway.retry_now().ok()?;
            let arrived = !stage.mailboxes.messages("fred").is_empty();
            arrived.then_some(())
        })?;
        let arrived = stage.mailboxes.messages("fred");
        ensure!(arrived.len() == 1, "{} copies arrived", arrived.len());
        Ok(())
    })
}

/// Destinations as the wild has them: some reach Fred, the others come back to Bob with a reason.
///
/// # Errors
/// When a message vanishes.
pub fn odd_destinations(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::TwoCards, |stage| {
        let desk = stage.client(&stage.office.desk)?;
        let send = |to: &str| {
            let text = letter("bob@office.test", to, to);
            let message = Message {
                server: stage.doors().smtp_inside,
                from: "bob@office.test",
                to: &[to],
                text: &text,
            };
            desk.swaks(message, &[])
        };
        let reachable = ["fred@aonly.test", "fred@alias.test", "fred@dual.test"];
        let failing = ["x@null.test", "x@nosuch.test", "nobody@hotmail.test"];
        for to in reachable {
            send(to)?.succeeded().context(to)?;
        }
        for to in failing {
            let answer = send(to)?;
            if is_refused_for_good(&answer).is_ok() {
                continue;
            }
            answer.succeeded().context(to)?;
            let notice =
                stage.office_has(stage.bob(), &format!("Final-Recipient: rfc822; {to}"))?;
            ensure!(
                notice.contains("Action: failed") && notice.contains("Status: 5."),
                "a notice that says too little:\n{notice}"
            );
        }
        for to in reachable {
            stage.fred_has(&format!("X-Token: {to}"))?;
        }
        Ok(())
    })
}
