//! Connections to one database: one that writes, one that checkpoints, several that read.

use std::path::Path;
use std::time::Duration;

use contracts::StoreError;
use rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
use rusqlite::{Connection, OpenFlags};

use super::failure;
use super::{Durability, OpenError};

/// The writer waits at most so long for a checkpoint that holds the log.
const WRITER_WAITS: Duration = Duration::from_secs(20);
/// Readers wait only while the log is being recovered.
const READER_WAITS: Duration = Duration::from_secs(5);

/// A connection that may write.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    open_and_set(path, durability).map_err(failure::sqlite("open database"))
}

fn open_and_set(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(WRITER_WAITS)?;
    // Else a statement is compiled anew for each new value: seven times the cost of the reading.
    connection.set_db_config(SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::NoneForTests => "OFF",
    };
    // 4 KiB pages: a body of 4 KiB takes one overflow page and little else. Checkpoints belong to
    // the housekeeper. Savepoints are kept in memory, and pages are written at commit only.
    connection.execute_batch(&format!(
        "PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;
         PRAGMA cache_size = -4096;
         PRAGMA cache_spill = OFF;"
    ))?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(READER_WAITS)?;
        connection.set_db_config(SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(
            "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -1024;",
        )?;
        Ok(connection)
    };
    open().map_err(failure::sqlite("open database"))
}

/// Reads back what durability rests on.
pub(crate) fn check_durable(
    connection: &Connection,
    path: &Path,
    durability: Durability,
) -> Result<(), OpenError> {
    if durability == Durability::NoneForTests {
        return Ok(());
    }
    let mode = pragma::<String>(connection, path, "journal_mode")?;
    let synchronous = pragma::<i64>(connection, path, "synchronous")?.to_string();
    for (pragma, found, wanted) in [
        ("journal_mode", mode, "wal"),
        ("synchronous", synchronous, "2"),
    ] {
        if found != wanted {
            return Err(OpenError::NotDurable {
                path: path.to_owned(),
                pragma,
                found,
                wanted,
            });
        }
    }
    Ok(())
}

fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    path: &Path,
    name: &str,
) -> Result<T, OpenError> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(|failed| OpenError::Database {
            path: path.to_owned(),
            source: failure::sqlite("read settings of the database")(failed),
        })
}
