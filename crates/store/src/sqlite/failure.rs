//! Failures of `SQLite` and of the file system in the words of the contract.

use std::io;

use contracts::StoreError;
use rusqlite::ErrorCode;

/// What `SQLite` could not do while it `attempted` something.
pub(crate) fn sqlite(attempted: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |failed| {
        let failure = failed.to_string();
        match failed.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { attempted },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { attempted, failure }
            }
            Some(_) => StoreError::Io { attempted, failure },
            // Not from SQLite: a column that does not hold what we wrote there.
            None => StoreError::Damaged { attempted, failure },
        }
    }
}

/// What the file system could not do while it `attempted` something.
pub(crate) fn io(attempted: &'static str) -> impl Fn(io::Error) -> StoreError {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    move |failed| {
        if matches!(failed.kind(), StorageFull | QuotaExceeded) {
            return StoreError::Full { attempted };
        }
        StoreError::Io {
            attempted,
            failure: failed.to_string(),
        }
    }
}

/// What is stored does not read as what we write there.
pub(crate) fn damaged(attempted: &'static str, failure: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        attempted,
        failure: failure.to_string(),
    }
}
