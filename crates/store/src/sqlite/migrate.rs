//! Brings a database from the schema it has to the one this version knows.
//!
//! Promises: all or nothing, in one transaction; a newer schema is refused in clear words.

use std::path::Path;

use rusqlite::Connection;

use super::{OpenError, failure};

/// The steps of `mail.db`; number N makes schema N out of N - 1.
pub(crate) const MAIL: &[&str] = &[include_str!("../../migrations/mail/0001_first.sql")];
/// The steps of `office.db`.
pub(crate) const OFFICE: &[&str] = &[include_str!("../../migrations/office/0001_first.sql")];

/// Runs the steps that are missing.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<(), OpenError> {
    let database = |failed| OpenError::Database {
        path: path.to_owned(),
        source: failure::sqlite("bring the schema up to date")(failed),
    };
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(database)?;
    let found: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(database)?;
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        return Ok(());
    }
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step).map_err(database)?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(database)?;
    transaction.commit().map_err(database)
}
