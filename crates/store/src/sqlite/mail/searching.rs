//! The history as it is read.

use std::collections::BTreeSet;

use contracts::store::HistoryQuery;
use contracts::{Event, StoreError, Story, StoryEntry, StoryHead};
use mail::{Timestamp, TransactionId};
use rusqlite::{Connection, OptionalExtension, params};

use super::incoming::id_column;
use crate::sqlite::failure;

/// Heads that fit, newest first. One that does not read back is left out, and logged.
pub(crate) fn search(
    connection: &Connection,
    query: &HistoryQuery,
) -> Result<Vec<StoryHead>, StoreError> {
    let read = || -> rusqlite::Result<Vec<StoryHead>> {
        let mut statement = connection.prepare_cached(
            "SELECT head FROM story
             WHERE began_at BETWEEN ?1 AND ?2 AND (?3 IS NULL OR accepted = ?3)
             ORDER BY id DESC",
        )?;
        let since = query.since.map_or(i64::MIN, Timestamp::as_millis);
        let until = query.until.map_or(i64::MAX, Timestamp::as_millis);
        let mut rows = statement.query(params![since, until, query.accepted])?;
        let mut heads = Vec::new();
        while heads.len() < query.limit_or_default() {
            let Some(row) = rows.next()? else {
                break;
            };
            let head = row.get_ref(0)?.as_blob()?;
            match serde_json::from_slice::<StoryHead>(head) {
                Ok(head) if query.fits(&head) => heads.push(head),
                Ok(_) => {}
                Err(unreadable) => tracing::error!(%unreadable, "a story was left out"),
            }
        }
        Ok(heads)
    };
    read().map_err(failure::sqlite("search the history"))
}

/// One story, whole.
pub(crate) fn story(connection: &Connection, id: TransactionId) -> Result<Story, StoreError> {
    let failed = failure::sqlite("read a story");
    let damaged = |failed| failure::damaged("read a story", failed);
    let row: Option<(Vec<u8>, Vec<u8>)> = connection
        .prepare_cached("SELECT head, entries FROM story WHERE id = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([id_column(id)], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(&failed)?;
    let (head, entries) = row.ok_or_else(|| StoreError::NotFound {
        what: format!("the story {id}"),
    })?;
    let first: Vec<(Timestamp, Event)> = serde_json::from_slice(&entries).map_err(damaged)?;
    let entry = |(at, event)| StoryEntry { id, at, event };
    let mut entries: Vec<StoryEntry> = first.into_iter().map(entry).collect();
    for (at, event) in added(connection, id).map_err(&failed)? {
        let event = serde_json::from_slice(&event).map_err(damaged)?;
        entries.push(entry((Timestamp::from_millis(at), event)));
    }
    Ok(Story {
        head: serde_json::from_slice(&head).map_err(damaged)?,
        entries,
    })
}

fn added(connection: &Connection, id: TransactionId) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
    connection
        .prepare_cached("SELECT at, event FROM story_entry WHERE story = ?1 ORDER BY number")?
        .query_map([id_column(id)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The stories that are too old or above their budgets, oldest first, except of queued mail.
pub(crate) fn surplus(
    connection: &Connection,
    before: Timestamp,
    bytes_max: u64,
    refusals_bytes_max: u64,
) -> Result<Vec<i64>, StoreError> {
    let read = || -> rusqlite::Result<Vec<i64>> {
        let queued: BTreeSet<i64> = connection
            .prepare("SELECT DISTINCT message FROM queue")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut statement = connection.prepare(
            "SELECT s.id, s.began_at, s.accepted,
                    s.weight_bytes + coalesce(
                        (SELECT sum(length(event) + 30) FROM story_entry WHERE story = s.id), 0)
             FROM story s ORDER BY s.id DESC",
        )?;
        let mut rows = statement.query([])?;
        let mut gone = Vec::new();
        let (mut messages, mut refusals) = (0u64, 0u64);
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            let weight = row.get::<_, i64>(3)?.unsigned_abs();
            let (used, budget) = if row.get(2)? {
                (&mut messages, bytes_max)
            } else {
                (&mut refusals, refusals_bytes_max)
            };
            *used = used.saturating_add(weight);
            let surplus = row.get::<_, i64>(1)? < before.as_millis() || *used > budget;
            if surplus && !queued.contains(&id) {
                gone.push(id);
            }
        }
        gone.reverse();
        Ok(gone)
    };
    read().map_err(failure::sqlite("trim the history"))
}

/// The greatest id there is or was.
pub(crate) fn last_id(connection: &Connection) -> Result<Option<TransactionId>, StoreError> {
    let greatest: rusqlite::Result<Option<i64>> = connection.query_row(
        "SELECT max(id) FROM (SELECT max(id) AS id FROM story
                    UNION ALL SELECT max(id) FROM message
                    UNION ALL SELECT value FROM number WHERE name = 'last_id')",
        [],
        |row| row.get(0),
    );
    greatest
        .map(|id| id.map(|id| TransactionId::from_number(id.unsigned_abs())))
        .map_err(failure::sqlite("read the last id"))
}
