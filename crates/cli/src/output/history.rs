//! Stories: a list of them, and one told whole, a line an event with its reason below it.

use std::io;

use contracts::{Abort, AttemptOutcome, Event, Story, StoryHead, Terminal};
use policy::{Decision, Outcome};

use super::office::list;
use super::page::{Page, size};
use super::queue::sender;
use super::table::Table;
use super::time::{distance, minute, second, with_distance};

pub(super) fn heads(page: &mut Page<'_>, heads: &[StoryHead]) -> io::Result<()> {
    let columns = ["ID", "WHEN (UTC)", "", "FROM", "TO", ">SIZE", "SUBJECT"];
    let mut table = Table::new(&columns);
    for head in heads {
        let accepted = if head.accepted { "accepted" } else { "refused" };
        table.row([
            head.id.to_string(),
            minute(head.at),
            accepted.to_owned(),
            head.sender.clone(),
            recipients(&head.recipients),
            if head.size_bytes == 0 {
                String::new()
            } else {
                size(head.size_bytes)
            },
            head.subject.clone().unwrap_or_default(),
        ]);
    }
    page.table(
        &table,
        "No message fits. Every message that comes leaves its story here.",
    )
}

fn recipients(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first}, {second}"),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

pub(super) fn story(page: &mut Page<'_>, story: &Story) -> io::Result<()> {
    let head = &story.head;
    page.line(format!("Message {}", head.id))?;
    page.gap()?;
    page.field("came", with_distance(head.at, page.now))?;
    page.field("from", &head.sender)?;
    page.field("to", list(&head.recipients))?;
    if let Some(subject) = &head.subject {
        page.field("subject", subject)?;
    }
    if head.size_bytes > 0 {
        page.field("size", size(head.size_bytes))?;
    }
    match &head.connection {
        None => page.field("peer", "none; this gateway wrote it")?,
        Some(connection) => {
            let peer = connection.peer;
            let service = connection.service.label();
            page.field("peer", format!("{peer} by {service}"))?;
            page.field("trust", super::explanation::standing(&connection.standing))?;
            if let Some(name) = &connection.greeting_name {
                page.field("greeted as", name)?;
            }
            if let Some(tls) = &connection.tls {
                page.field("TLS", format!("{} ({})", tls.version, tls.cipher))?;
            }
            if let Some(user) = &connection.user {
                page.field("signed in", user.as_str())?;
            }
        }
    }
    page.gap()?;
    for entry in &story.entries {
        let told = told(page, &entry.event);
        page.line(format!("{}  {}", second(entry.at), told))?;
        if let Some(decision) = decision(&entry.event) {
            page.line(format!("{:19}  because {}", "", decision.because))?;
        }
    }
    Ok(())
}

const fn decision(event: &Event) -> Option<&Decision> {
    match event {
        Event::SenderDecided { decision, .. }
        | Event::RecipientDecided { decision, .. }
        | Event::MessageDecided { decision, .. }
        | Event::Queued { decision, .. }
        | Event::Attempted { decision, .. }
        | Event::Ended { decision, .. } => Some(decision),
        Event::Aborted { .. } | Event::DelayNoticed { .. } | Event::Operated { .. } => None,
    }
}

fn told(page: &Page<'_>, event: &Event) -> String {
    match event {
        Event::SenderDecided { mail, decision } => {
            let from = sender(&mail.reverse_path);
            format!("sender {from} {}", answered(decision))
        }
        Event::RecipientDecided {
            recipient,
            decision,
        } => format!("recipient {} {}", recipient.path, answered(decision)),
        Event::MessageDecided {
            size_bytes,
            message_id,
            decision,
            ..
        } => {
            let named = message_id.as_ref().map(|id| format!(", Message-ID {id}"));
            let named = named.unwrap_or_default();
            format!(
                "message of {}{named} {}",
                size(*size_bytes),
                answered(decision)
            )
        }
        Event::Aborted { abort } => format!("ended without a message: {}", aborted(abort)),
        Event::Queued { recipient, .. } => format!("{recipient}: queued"),
        Event::Attempted {
            recipient,
            host,
            address,
            tls,
            result,
            ..
        } => {
            let at = address.map(|address| format!(" ({address})"));
            let tls = tls.as_ref().map(|version| format!(", {version}"));
            let (at, tls) = (at.unwrap_or_default(), tls.unwrap_or_default());
            format!(
                "{recipient}: tried {host}{at}{tls}: {}",
                tried(page, result)
            )
        }
        Event::DelayNoticed { recipient, report } => {
            format!("{recipient}: the sender was told of the delay, by {report}")
        }
        Event::Ended {
            recipient,
            terminal,
            ..
        } => format!("{recipient}: {}", ended(terminal)),
        Event::Operated {
            operator,
            action,
            recipient,
        } => format!("{recipient}: {action} by {operator}"),
    }
}

/// The outcome in words, then what the peer heard in the protocol's.
fn answered(decision: &Decision) -> String {
    let reply = policy::public::reply(decision);
    format!(
        "{}   {} {}",
        outcome(decision.outcome),
        reply.code,
        reply.status()
    )
}

/// The outcome in words.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accept => "accepted",
        Outcome::Refuse => "refused",
        Outcome::Defer => "put off",
    }
}

fn aborted(abort: &Abort) -> String {
    match abort {
        Abort::Reset => "the client began anew".to_owned(),
        Abort::ClientLeft => "the client left".to_owned(),
        Abort::SessionEnded { reply } => format!("the session was ended with: {reply}"),
        Abort::BadContent { reply } => format!("the content was refused with: {reply}"),
    }
}

fn tried(page: &Page<'_>, result: &AttemptOutcome) -> String {
    match result {
        AttemptOutcome::Delivered => "delivered".to_owned(),
        AttemptOutcome::Failed => "failed for good".to_owned(),
        AttemptOutcome::Deferred { next_at } => format!(
            "put off, next try {}, {}",
            minute(*next_at),
            distance(*next_at, page.now)
        ),
    }
}

fn ended(terminal: &Terminal) -> String {
    match terminal {
        Terminal::InMailbox { users } => format!("in the mailbox of {}", list(users)),
        Terminal::Relayed => "handed on".to_owned(),
        Terminal::Bounced {
            report: Some(report),
        } => format!("failed, the sender was told, by {report}"),
        Terminal::Bounced { report: None } => "failed, nobody to tell".to_owned(),
        Terminal::Deleted { operator } => format!("deleted by {operator}"),
    }
}
