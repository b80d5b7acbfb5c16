//! Connections that read, kept warm between reads.
//!
//! Promises: a read never waits for the writer; it runs in the task that asks, because handing it
//! to another thread cost 40 % (ADR 2).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use contracts::StoreError;
use rusqlite::Connection;

use super::connection;

/// Idle connections beyond these are closed.
const IDLE_MAX: usize = 8;

/// A pool of reading connections; the one used last is taken first.
pub(crate) struct Readers {
    path: PathBuf,
    /// `None` once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    /// An empty pool.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    /// Reads with a connection of the pool.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.as_mut().ok_or(StoreError::Closing)?.pop()
        };
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.path)?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that failed is not kept.
        if let Some(idle) = idle.as_mut()
            && idle.len() < IDLE_MAX
            && matches!(result, Ok(_) | Err(StoreError::NotFound { .. }))
        {
            idle.push(connection);
        }
        result
    }

    /// Closes the idle connections; further reads hear `Closing`.
    pub(crate) fn close(&self) {
        drop(
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}
