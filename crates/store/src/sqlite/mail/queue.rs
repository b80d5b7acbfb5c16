//! The queue: leases, records, operators' actions.

use contracts::StoreError;
use contracts::store::{
    QueueAction, QueueEntry, QueueFilter, QueueState, RecipientResult, ResultEnd,
};
use mail::{Recipient, Timestamp, TransactionId};
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use super::incoming::{Incoming, NewEntry, id_column, json};
use super::{accept, history, maildrop};
use crate::sqlite::answer::Answer;
use crate::sqlite::failure;

/// A lease to be taken.
pub(crate) struct Claim {
    pub(crate) now: Timestamp,
    pub(crate) lease_until: Timestamp,
    pub(crate) limit: usize,
    /// Destinations to leave alone, as a JSON array.
    pub(crate) skip: String,
}

impl Claim {
    /// A claim that leaves the destinations in `skip` alone.
    pub(crate) fn new(
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
        skip: &[String],
    ) -> Result<Self, StoreError> {
        Ok(Self {
            now,
            lease_until,
            limit,
            skip: json(&skip)?,
        })
    }
}

/// An attempt, ready to record.
pub(crate) struct Attempt {
    pub(crate) id: TransactionId,
    pub(crate) results: Vec<RecipientResult>,
    pub(crate) reports: Vec<Incoming>,
    pub(crate) story: Vec<NewEntry>,
}

impl Attempt {
    pub(super) fn weight_bytes(&self) -> usize {
        let reports: usize = self.reports.iter().map(Incoming::weight_bytes).sum();
        let story: usize = self.story.iter().map(NewEntry::weight_bytes).sum();
        reports + story + 200 * self.results.len()
    }
}

/// An operator's action.
pub(crate) struct Change {
    pub(crate) filter: QueueFilter,
    pub(crate) action: QueueAction,
    pub(crate) operator: String,
    pub(crate) at: Timestamp,
}

/// Leases what is due. An entry that does not read back is held, and logged: it must not stop the
/// others.
pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<Answer, StoreError> {
    let failed = failure::sqlite("claim queue entries");
    let mut entries = Vec::new();
    for (message, recipient_no) in due(connection, claim).map_err(&failed)? {
        lease(connection, message, recipient_no, claim.lease_until).map_err(&failed)?;
        let sql = format!("{SHOWN} WHERE q.message = ?1 AND q.recipient_no = ?2");
        let shown = connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement.query_row(params![message, recipient_no], |row| Ok(entry(row)))
            })
            .map_err(&failed)?;
        match shown {
            Ok(entry) => entries.push(entry),
            Err(unreadable) => {
                tracing::error!(%unreadable, message, recipient_no, "a queue entry was set aside");
                set_aside(connection, message, recipient_no).map_err(&failed)?;
            }
        }
    }
    Ok(Answer {
        entries,
        ..Answer::default()
    })
}

fn due(connection: &Connection, claim: &Claim) -> rusqlite::Result<Vec<(i64, u32)>> {
    connection
        .prepare_cached(
            "SELECT message, recipient_no FROM queue
             WHERE wakes_at <= ?1
               AND destination NOT IN (SELECT value FROM json_each(?2))
             ORDER BY wakes_at LIMIT ?3",
        )?
        .query_map(
            params![
                claim.now.as_millis(),
                claim.skip,
                i64::try_from(claim.limit).unwrap_or(i64::MAX)
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect()
}

fn lease(
    connection: &Connection,
    message: i64,
    recipient_no: u32,
    until: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE queue SET leased_until = ?3, wakes_at = ?3
             WHERE message = ?1 AND recipient_no = ?2",
        )?
        .execute(params![message, recipient_no, until.as_millis()])
        .map(drop)
}

fn set_aside(connection: &Connection, message: i64, recipient_no: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE queue SET leased_until = NULL, wakes_at = NULL, held = 1,
                              last_reply = 'what is stored of this entry is damaged'
             WHERE message = ?1 AND recipient_no = ?2",
        )?
        .execute(params![message, recipient_no])
        .map(drop)
}

const SHOWN: &str = "SELECT q.message, q.recipient_no, q.destination, q.due_at,
        q.leased_until IS NOT NULL, q.held, q.attempts, q.delay_noticed, q.last_reply,
        q.recipient, m.mail, m.size_octets, m.accepted_at
    FROM queue q LEFT JOIN message m ON m.id = q.message";

/// The entry in a row of `SHOWN`.
fn entry(row: &Row<'_>) -> Result<QueueEntry, StoreError> {
    let failed = failure::sqlite("read queue entry");
    let damaged = |failed| failure::damaged("read queue entry", failed);
    let recipient: String = row.get(9).map_err(&failed)?;
    let recipient: Recipient = serde_json::from_str(&recipient).map_err(damaged)?;
    let mail: String = row.get(10).map_err(&failed)?;
    let mail = serde_json::from_str(&mail).map_err(damaged)?;
    let read = || {
        let state = match (row.get(5)?, row.get(4)?) {
            (true, _) => QueueState::Held,
            (false, true) => QueueState::Leased,
            (false, false) => QueueState::Waiting,
        };
        Ok(QueueEntry {
            id: TransactionId::from_number(row.get::<_, i64>(0)?.unsigned_abs()),
            recipient_no: row.get(1)?,
            recipient,
            mail,
            size_bytes: row.get::<_, i64>(11)?.unsigned_abs(),
            destination: row.get(2)?,
            state,
            queued_at: Timestamp::from_millis(row.get(12)?),
            due_at: Timestamp::from_millis(row.get(3)?),
            attempts: row.get(6)?,
            last_reply: row.get(8)?,
            delay_noticed: row.get(7)?,
        })
    };
    read().map_err(failed)
}

/// Gives leases back.
pub(super) fn release(connection: &Connection, entries: &[(i64, u32)]) -> Result<(), StoreError> {
    let release = || -> rusqlite::Result<()> {
        let mut update = connection.prepare_cached(
            "UPDATE queue SET leased_until = NULL,
                              wakes_at = CASE WHEN held THEN NULL ELSE due_at END
             WHERE message = ?1 AND recipient_no = ?2",
        )?;
        for (message, recipient_no) in entries {
            update.execute(params![message, recipient_no])?;
        }
        Ok(())
    };
    release().map_err(failure::sqlite("release claims"))
}

/// Records results, reports and story; returns the body files that are free now.
pub(super) fn record(
    connection: &Connection,
    attempt: &Attempt,
) -> Result<Vec<String>, StoreError> {
    let failed = failure::sqlite("record attempt");
    let mut done = 0;
    for result in &attempt.results {
        done += record_result(connection, attempt.id, result).map_err(&failed)?;
    }
    for report in &attempt.reports {
        accept::accept(connection, report)?;
    }
    history::add(connection, &attempt.story)?;
    if done == 0 {
        return Ok(Vec::new());
    }
    let freed = maildrop::release(connection, id_column(attempt.id), done);
    freed.map(|name| name.into_iter().collect()).map_err(failed)
}

/// Records one result; returns how many entries left the queue by it.
fn record_result(
    connection: &Connection,
    id: TransactionId,
    result: &RecipientResult,
) -> rusqlite::Result<usize> {
    let key = (id_column(id), result.recipient_no);
    match &result.end {
        ResultEnd::Done => connection
            .prepare_cached("DELETE FROM queue WHERE message = ?1 AND recipient_no = ?2")?
            .execute(params![key.0, key.1]),
        ResultEnd::Again {
            due_at,
            delay_noticed,
        } => connection
            .prepare_cached(
                "UPDATE queue SET leased_until = NULL, due_at = ?3,
                     wakes_at = CASE WHEN held THEN NULL ELSE ?3 END,
                     attempts = attempts + ?4, delay_noticed = delay_noticed OR ?5,
                     last_reply = coalesce(?6, last_reply)
                 WHERE message = ?1 AND recipient_no = ?2",
            )?
            .execute(params![
                key.0,
                key.1,
                due_at.as_millis(),
                u32::from(result.counts),
                delay_noticed,
                result.last_reply,
            ])
            .map(|_| 0),
    }
}

/// The earliest instant at which an entry may be claimed.
pub(crate) fn earliest_due(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let earliest: rusqlite::Result<Option<i64>> = connection
        .prepare_cached("SELECT min(wakes_at) FROM queue WHERE wakes_at IS NOT NULL")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
    earliest
        .map(|millis| millis.map(Timestamp::from_millis))
        .map_err(failure::sqlite("read the queue"))
}

/// A filter as a condition on `q`, and its parameters.
fn condition(filter: &QueueFilter) -> (String, Vec<Value>) {
    let mut sql = "true".to_owned();
    let mut values = Vec::new();
    if let Some(id) = filter.id {
        sql.push_str(" AND q.message = ?");
        values.push(Value::from(id_column(id)));
    }
    if let Some(destination) = &filter.destination {
        sql.push_str(" AND q.destination = ?");
        values.push(Value::from(destination.clone()));
    }
    sql.push_str(match filter.state {
        None => "",
        Some(QueueState::Held) => " AND q.held",
        Some(QueueState::Leased) => " AND NOT q.held AND q.leased_until IS NOT NULL",
        Some(QueueState::Waiting) => " AND NOT q.held AND q.leased_until IS NULL",
    });
    (sql, values)
}

fn limit(filter: &QueueFilter) -> i64 {
    let limit = filter.limit.unwrap_or(usize::MAX);
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The entries that fit. One that does not read back is left out, and logged.
pub(crate) fn list(
    connection: &Connection,
    filter: &QueueFilter,
) -> Result<Vec<QueueEntry>, StoreError> {
    let (condition, mut values) = condition(filter);
    values.push(Value::from(limit(filter)));
    // Ids grow with time, whatever the clock does: oldest first.
    let sql = format!("{SHOWN} WHERE {condition} ORDER BY q.message, q.recipient_no LIMIT ?");
    let read = || -> rusqlite::Result<Vec<QueueEntry>> {
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            match entry(row) {
                Ok(entry) => entries.push(entry),
                Err(unreadable) => tracing::error!(%unreadable, "a queue entry was left out"),
            }
        }
        Ok(entries)
    };
    read().map_err(failure::sqlite("read the queue"))
}

/// An operator's action, with its entries in the stories.
pub(super) fn change(connection: &Connection, change: &Change) -> Result<Answer, StoreError> {
    let failed = failure::sqlite("change the queue");
    let mut answer = Answer::default();
    for (message, recipient_no, recipient) in chosen(connection, change).map_err(&failed)? {
        let freed = change_entry(connection, change, message, recipient_no).map_err(&failed)?;
        answer.freed.extend(freed);
        answer.number += 1;
        match serde_json::from_str::<Recipient>(&recipient) {
            Ok(recipient) => {
                let event = change.action.event(&change.operator, recipient.path);
                let entry = NewEntry {
                    story: message,
                    at: change.at.as_millis(),
                    event: json(&event)?,
                };
                history::add(connection, &[entry])?;
            }
            Err(unreadable) => {
                tracing::error!(%unreadable, message, recipient_no, "a recipient is damaged");
            }
        }
    }
    Ok(answer)
}

fn chosen(connection: &Connection, change: &Change) -> rusqlite::Result<Vec<(i64, u32, String)>> {
    let (mut sql, mut values) = condition(&change.filter);
    sql.push_str(match change.action {
        QueueAction::Retry | QueueAction::Hold => " AND NOT q.held",
        QueueAction::Release => " AND q.held",
        QueueAction::Delete => "",
    });
    if matches!(change.action, QueueAction::Retry | QueueAction::Delete) {
        // What is being tried at this moment is left alone.
        sql.push_str(" AND coalesce(q.leased_until <= ?, true)");
        values.push(Value::from(change.at.as_millis()));
    }
    values.push(Value::from(limit(&change.filter)));
    let sql = format!(
        "SELECT q.message, q.recipient_no, q.recipient FROM queue q WHERE {sql}
         ORDER BY q.message, q.recipient_no LIMIT ?"
    );
    connection
        .prepare(&sql)?
        .query_map(params_from_iter(values), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect()
}

fn change_entry(
    connection: &Connection,
    change: &Change,
    message: i64,
    recipient_no: u32,
) -> rusqlite::Result<Option<String>> {
    let sql = match change.action {
        QueueAction::Retry => {
            "UPDATE queue SET leased_until = NULL, due_at = ?3, wakes_at = ?3
             WHERE message = ?1 AND recipient_no = ?2"
        }
        QueueAction::Hold => {
            "UPDATE queue SET held = 1, wakes_at = NULL
             WHERE message = ?1 AND recipient_no = ?2 AND ?3 IS NOT NULL"
        }
        QueueAction::Release => {
            "UPDATE queue SET held = 0, due_at = ?3, wakes_at = coalesce(leased_until, ?3)
             WHERE message = ?1 AND recipient_no = ?2"
        }
        QueueAction::Delete => {
            "DELETE FROM queue WHERE message = ?1 AND recipient_no = ?2 AND ?3 IS NOT NULL"
        }
    };
    connection.prepare_cached(sql)?.execute(params![
        message,
        recipient_no,
        change.at.as_millis()
    ])?;
    match change.action {
        QueueAction::Delete => maildrop::release(connection, message, 1),
        QueueAction::Retry | QueueAction::Hold | QueueAction::Release => Ok(None),
    }
}
