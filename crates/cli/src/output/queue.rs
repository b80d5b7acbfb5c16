//! The queue.

use std::io;

use contracts::store::{QueueEntry, QueueState};
use mail::ReversePath;

use super::page::{Page, count, size};
use super::table::Table;
use super::time::{distance, minute, with_distance};

/// The reverse-path as mail writes it.
pub(super) fn sender(path: &ReversePath) -> String {
    match path {
        ReversePath::Null => "<>".to_owned(),
        ReversePath::Address(address) => address.to_string(),
    }
}

pub(super) fn list(page: &mut Page<'_>, entries: &[QueueEntry]) -> io::Result<()> {
    let columns = [
        "ID",
        "QUEUED (UTC)",
        "FROM",
        "TO",
        ">SIZE",
        ">TRIES",
        "NEXT TRY",
        "HEARD LAST",
    ];
    let mut table = Table::new(&columns);
    for entry in entries {
        let next = match entry.state {
            QueueState::Waiting => distance(entry.due_at, page.now),
            QueueState::Leased => "under way".to_owned(),
            QueueState::Held => "held".to_owned(),
        };
        table.row([
            entry.id.to_string(),
            minute(entry.queued_at),
            sender(&entry.mail.reverse_path),
            entry.recipient.path.to_string(),
            size(entry.size_bytes),
            entry.attempts.to_string(),
            next,
            entry.last_reply.clone().unwrap_or_default(),
        ]);
    }
    page.table(&table, "Nothing waits.")
}

pub(super) fn whole(page: &mut Page<'_>, entries: &[QueueEntry]) -> io::Result<()> {
    let Some(first) = entries.first() else {
        return page.line("Nothing waits.");
    };
    page.line(format!("Message {}", first.id))?;
    page.gap()?;
    page.field("queued", with_distance(first.queued_at, page.now))?;
    page.field("from", sender(&first.mail.reverse_path))?;
    page.field("size", size(first.size_bytes))?;
    page.field(
        "waits for",
        count(entries.len() as u64, "recipient", "recipients"),
    )?;
    for entry in entries {
        page.gap()?;
        page.field("to", entry.recipient.path.to_string())?;
        page.field("destination", &entry.destination)?;
        page.field(
            "next try",
            match entry.state {
                QueueState::Waiting => with_distance(entry.due_at, page.now),
                QueueState::Leased => "under way".to_owned(),
                QueueState::Held => "held; `gatepost queue release` lets it go".to_owned(),
            },
        )?;
        page.field("tries", entry.attempts.to_string())?;
        if let Some(reply) = &entry.last_reply {
            page.field("heard last", reply)?;
        }
        if entry.delay_noticed {
            page.field("sender", "was told of the delay")?;
        }
    }
    page.gap()?;
    page.line(format!(
        "The whole story: gatepost history show {}",
        first.id
    ))
}
