//! The office as it is read.

use contracts::store::{AuditEntry, Revision, RevisionHead};
use contracts::{StoreError, UserRecord};
use mail::Timestamp;
use policy::UserName;
use policy::facts::ServiceName;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::sqlite::failure;

fn head(row: &Row<'_>) -> rusqlite::Result<RevisionHead> {
    Ok(RevisionHead {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        at: Timestamp::from_millis(row.get(1)?),
        operator: row.get(2)?,
        why: row.get(3)?,
    })
}

fn whole(row: &Row<'_>) -> rusqlite::Result<Revision> {
    Ok(Revision {
        head: head(row)?,
        toml: row.get(4)?,
    })
}

/// The revision in force.
pub(crate) fn settings(connection: &Connection) -> Result<Option<Revision>, StoreError> {
    connection
        .query_row(
            "SELECT number, at, operator, why, toml FROM revision ORDER BY number DESC LIMIT 1",
            [],
            whole,
        )
        .optional()
        .map_err(failure::sqlite("read settings"))
}

/// All revisions, newest first.
pub(crate) fn revisions(connection: &Connection) -> Result<Vec<RevisionHead>, StoreError> {
    let read = || -> rusqlite::Result<Vec<RevisionHead>> {
        connection
            .prepare("SELECT number, at, operator, why FROM revision ORDER BY number DESC")?
            .query_map([], head)?
            .collect()
    };
    read().map_err(failure::sqlite("read revisions"))
}

/// One revision.
pub(crate) fn revision(connection: &Connection, number: u64) -> Result<Revision, StoreError> {
    let found = connection
        .query_row(
            "SELECT number, at, operator, why, toml FROM revision WHERE number = ?1",
            [i64::try_from(number).unwrap_or(i64::MAX)],
            whole,
        )
        .optional()
        .map_err(failure::sqlite("read a revision"))?;
    found.ok_or_else(|| StoreError::NotFound {
        what: format!("revision {number}"),
    })
}

fn record(text: &str) -> Result<UserRecord, StoreError> {
    serde_json::from_str(text).map_err(|failed| failure::damaged("read user", failed))
}

/// All users, by name. One that does not read back is left out, and logged: the others go on.
pub(crate) fn users(connection: &Connection) -> Result<Vec<UserRecord>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare_cached("SELECT record FROM user ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let records = read().map_err(failure::sqlite("read users"))?;
    let mut users = Vec::with_capacity(records.len());
    for text in records {
        match record(&text) {
            Ok(user) => users.push(user),
            Err(unreadable) => tracing::error!(%unreadable, "a user was left out"),
        }
    }
    Ok(users)
}

/// One user.
pub(crate) fn user(
    connection: &Connection,
    name: &UserName,
) -> Result<Option<UserRecord>, StoreError> {
    let text: Option<String> = connection
        .prepare_cached("SELECT record FROM user WHERE name = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([name.as_str()], |row| row.get(0))
                .optional()
        })
        .map_err(failure::sqlite("read user"))?;
    text.as_deref().map(record).transpose()
}

/// Services that were told to stop.
pub(crate) fn stopped_services(connection: &Connection) -> Result<Vec<ServiceName>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare("SELECT name FROM stopped_service ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let names = read().map_err(failure::sqlite("read stopped services"))?;
    let known = ServiceName::ALL.into_iter();
    Ok(known
        .filter(|service| names.iter().any(|name| name == service.as_str()))
        .collect())
}

/// The latest audit entries, newest first.
pub(crate) fn audit(connection: &Connection, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
    let read = || -> rusqlite::Result<Vec<AuditEntry>> {
        connection
            .prepare("SELECT at, operator, action FROM audit ORDER BY number DESC LIMIT ?1")?
            .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(AuditEntry {
                    at: Timestamp::from_millis(row.get(0)?),
                    operator: row.get(1)?,
                    action: row.get(2)?,
                })
            })?
            .collect()
    };
    read().map_err(failure::sqlite("read the audit"))
}
