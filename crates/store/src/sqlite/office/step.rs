//! The steps of `office.db`.

use contracts::StoreError;
use contracts::store::{AuditEntry, SettingsChange};
use policy::UserName;
use policy::facts::ServiceName;
use rusqlite::{Connection, params};

use crate::sqlite::answer::Answer;
use crate::sqlite::database::Step;
use crate::sqlite::failure;

/// One whole step.
pub(crate) enum OfficeStep {
    /// Saves settings on top of a revision.
    SaveSettings(u64, SettingsChange),
    /// Makes or replaces a user: name, record as JSON.
    PutUser(UserName, String, AuditEntry),
    /// Removes a user.
    RemoveUser(UserName, AuditEntry),
    /// Remembers whether a service is stopped.
    SetService(ServiceName, bool, AuditEntry),
}

impl Step for OfficeStep {
    fn perform(&self, connection: &Connection) -> Result<Answer, StoreError> {
        match self {
            Self::SaveSettings(expected, change) => {
                return save_settings(connection, *expected, change).map(Answer::from);
            }
            Self::PutUser(name, record, entry) => {
                put_user(connection, name, record).map_err(failure::sqlite("put user"))?;
                audit(connection, entry)?;
            }
            Self::RemoveUser(name, entry) => {
                remove_user(connection, name)?;
                audit(connection, entry)?;
            }
            Self::SetService(service, stopped, entry) => {
                set_service(connection, *service, *stopped)
                    .map_err(failure::sqlite("remember a service"))?;
                audit(connection, entry)?;
            }
        }
        Ok(Answer::default())
    }

    fn weight_bytes(&self) -> usize {
        match self {
            Self::SaveSettings(_, change) => change.toml.len(),
            Self::PutUser(_, record, _) => record.len(),
            Self::RemoveUser(..) | Self::SetService(..) => 200,
        }
    }
}

fn save_settings(
    connection: &Connection,
    expected: u64,
    change: &SettingsChange,
) -> Result<u64, StoreError> {
    let failed = failure::sqlite("save settings");
    let found: i64 = connection
        .query_row("SELECT coalesce(max(number), 0) FROM revision", [], |row| {
            row.get(0)
        })
        .map_err(&failed)?;
    let found = found.unsigned_abs();
    if found != expected {
        return Err(StoreError::Conflict { expected, found });
    }
    let number = found + 1;
    connection
        .execute(
            "INSERT INTO revision (number, at, operator, why, toml) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                number.cast_signed(),
                change.at.as_millis(),
                change.operator,
                change.why,
                change.toml
            ],
        )
        .map_err(failed)?;
    Ok(number)
}

fn put_user(connection: &Connection, name: &UserName, record: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO user (name, record) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        )?
        .execute(params![name.as_str(), record])
        .map(drop)
}

fn remove_user(connection: &Connection, name: &UserName) -> Result<(), StoreError> {
    let removed = connection
        .execute("DELETE FROM user WHERE name = ?1", [name.as_str()])
        .map_err(failure::sqlite("remove user"))?;
    if removed == 0 {
        return Err(StoreError::NotFound {
            what: format!("the user {name}"),
        });
    }
    Ok(())
}

fn set_service(
    connection: &Connection,
    service: ServiceName,
    stopped: bool,
) -> rusqlite::Result<()> {
    let sql = if stopped {
        "INSERT OR IGNORE INTO stopped_service (name) VALUES (?1)"
    } else {
        "DELETE FROM stopped_service WHERE name = ?1"
    };
    connection.execute(sql, [service.as_str()]).map(drop)
}

fn audit(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO audit (at, operator, action) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| {
            insert.execute(params![entry.at.as_millis(), entry.operator, entry.action])
        })
        .map(drop)
        .map_err(failure::sqlite("write the audit"))
}
