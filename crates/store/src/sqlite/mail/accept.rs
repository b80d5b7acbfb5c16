//! The commit of a message.

use contracts::StoreError;
use rusqlite::{Connection, ErrorCode, params};

use super::history;
use super::incoming::{Body, Incoming, column};
use crate::sqlite::failure;

/// Inserts body, message, mailbox rows, queue entries and story.
pub(super) fn accept(connection: &Connection, incoming: &Incoming) -> Result<(), StoreError> {
    insert(connection, incoming).map_err(|failed| {
        if failed.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            failure::damaged("accept message", "its id was given before")
        } else {
            failure::sqlite("accept message")(failed)
        }
    })
}

fn insert(connection: &Connection, incoming: &Incoming) -> rusqlite::Result<()> {
    // A story of this id means that the id was given before, though its message may be gone.
    history::insert(connection, &incoming.story, history::IfKnown::Fail)?;
    if incoming.refs() == 0 {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO message
                 (id, refs, accepted_at, body_bytes, size_octets, mail, prefix, cuts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            incoming.id,
            i64::try_from(incoming.refs()).unwrap_or(i64::MAX),
            incoming.at,
            incoming.body_bytes,
            incoming.size_octets,
            incoming.mail,
            incoming.prefix,
            incoming.cuts,
        ])?;
    match &incoming.body {
        Body::Inline(body) => connection
            .prepare_cached("INSERT INTO body (message, content) VALUES (?1, ?2)")?
            .execute(params![incoming.id, body.octets()])?,
        Body::File(file) => connection
            .prepare_cached("INSERT INTO body_file (message, name) VALUES (?1, ?2)")?
            .execute(params![incoming.id, file.name()])?,
    };
    deliver(connection, incoming)?;
    enqueue(connection, incoming)
}

fn deliver(connection: &Connection, incoming: &Incoming) -> rusqlite::Result<()> {
    // RFC 1939 §7: the counter only grows, so that no unique id is given twice.
    let mut next_uid = connection.prepare_cached(
        "INSERT INTO mailbox (name, last_uid) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET last_uid = last_uid + 1
         RETURNING number, last_uid",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO maildrop (mailbox, uid, message, delivered_at, size_octets, prefix)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for delivery in &incoming.deliveries {
        let (mailbox, uid): (i64, i64) = next_uid.query_row([delivery.user.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let prefix_bytes = u64::try_from(delivery.prefix.len()).unwrap_or(u64::MAX);
        insert.execute(params![
            mailbox,
            uid,
            incoming.id,
            incoming.at,
            incoming.size_octets.saturating_add(column(prefix_bytes)),
            delivery.prefix,
        ])?;
    }
    Ok(())
}

fn enqueue(connection: &Connection, incoming: &Incoming) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO queue (message, recipient_no, destination, wakes_at, due_at, leased_until,
                            held, attempts, delay_noticed, last_reply, recipient)
         VALUES (?1, ?2, ?3, ?4, ?4, NULL, 0, 0, 0, NULL, ?5)",
    )?;
    for entry in &incoming.queue {
        insert.execute(params![
            incoming.id,
            entry.recipient_no,
            entry.destination,
            entry.due_at,
            entry.recipient,
        ])?;
    }
    Ok(())
}
