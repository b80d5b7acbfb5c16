//! The thread that does what no message waits for: checkpoints and the removal of body files.
//!
//! Promises: checkpoints stay off the path of mail; the log is bounded; when nothing is written
//! the log is folded in and its space given back.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use contracts::StoreError;
use rusqlite::Connection;

use super::body::BodyFolder;
use super::{Durability, connection, failure};

/// A checkpoint follows when about so much was written.
const CHECKPOINT_BYTES: usize = 8 * 1024 * 1024;
/// A log of so many pages (64 MiB) is begun anew, which makes writers wait a moment.
const LOG_PAGES_MAX: i64 = 16 * 1024;
/// A log larger than this is cut when nothing is written.
const IDLE_LOG_BYTES: u64 = 4 * 1024 * 1024;
/// Nothing written for so long means idle.
const IDLE_AFTER: Duration = Duration::from_secs(1);

/// Which database was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// `mail.db`.
    Mail,
    /// `office.db`.
    Office,
}

impl Which {
    /// The name of its writer thread.
    pub(crate) const fn thread_name(self) -> &'static str {
        match self {
            Self::Mail => "store-mail",
            Self::Office => "store-office",
        }
    }
}

#[derive(Default)]
struct Todo {
    /// Octets written to `mail.db` and `office.db` since the last checkpoint.
    written: [usize; 2],
    freed: Vec<String>,
    closing: bool,
}

/// What there is to do.
#[derive(Default)]
pub(crate) struct Chores {
    todo: Mutex<Todo>,
    changed: Condvar,
}

impl Chores {
    fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A group was committed.
    pub(crate) fn wrote(&self, which: Which, bytes: usize, mut freed: Vec<String>) {
        let mut todo = self.todo();
        let index = usize::from(which == Which::Office);
        let mut wake = !freed.is_empty();
        if let Some(written) = todo.written.get_mut(index) {
            // The first octet begins the watch for idleness.
            wake |= *written == 0 || *written + bytes >= CHECKPOINT_BYTES;
            *written += bytes.max(1);
        }
        todo.freed.append(&mut freed);
        drop(todo);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Sleeps until there is something to do.
    fn wait(&self) -> Round {
        let mut todo = self.todo();
        loop {
            let before = todo.written;
            let full = before.map(|written| written >= CHECKPOINT_BYTES);
            if todo.closing || full != [false, false] || !todo.freed.is_empty() {
                return todo.round(full, false);
            }
            if before == [0, 0] {
                todo = self
                    .changed
                    .wait(todo)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, timeout) = self
                .changed
                .wait_timeout(todo, IDLE_AFTER)
                .unwrap_or_else(PoisonError::into_inner);
            todo = woken;
            if timeout.timed_out() && todo.written == before {
                let idle = before.map(|written| written > 0);
                return todo.round(idle, true);
            }
        }
    }
}

impl Todo {
    fn round(&mut self, checkpoint: [bool; 2], idle: bool) -> Round {
        for (written, due) in self.written.iter_mut().zip(checkpoint) {
            if due {
                *written = 0;
            }
        }
        Round {
            checkpoint,
            idle,
            freed: std::mem::take(&mut self.freed),
            closing: self.closing,
        }
    }
}

struct Round {
    checkpoint: [bool; 2],
    idle: bool,
    freed: Vec<String>,
    closing: bool,
}

/// The thread.
pub(crate) struct Housekeeper {
    chores: Arc<Chores>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Housekeeper {
    /// Starts the thread for the two databases and the folder of bodies.
    pub(crate) fn start(
        databases: [PathBuf; 2],
        bodies: Arc<BodyFolder>,
        durability: Durability,
        chores: Arc<Chores>,
    ) -> io::Result<Self> {
        let for_thread = Arc::clone(&chores);
        let thread = thread::Builder::new()
            .name("store-chores".to_owned())
            .spawn(move || {
                let mut logs = databases.map(|path| Log {
                    path,
                    durability,
                    connection: None,
                });
                while keep_house(&for_thread, &mut logs, &bodies) {}
            })?;
        Ok(Self {
            chores,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Folds the logs in, and ends; to be called when the writers have ended.
    pub(crate) fn close(&self) {
        self.chores.todo().closing = true;
        self.chores.changed.notify_all();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the housekeeper of the store ended by a panic");
        }
    }
}

/// One round; false when it was the last.
fn keep_house(chores: &Chores, logs: &mut [Log; 2], bodies: &BodyFolder) -> bool {
    let round = chores.wait();
    for name in &round.freed {
        bodies.remove(name);
    }
    for (log, due) in logs.iter_mut().zip(round.checkpoint) {
        let result = match (round.closing, due) {
            (true, _) => log.checkpoint("TRUNCATE").map(drop),
            (false, true) => log.fold_in(round.idle),
            (false, false) => Ok(()),
        };
        if let Err(failed) = result {
            // The log keeps everything; the next round tries again.
            tracing::warn!(%failed, database = %log.path.display(), "checkpoint failed");
            log.connection = None;
        }
    }
    !round.closing
}

/// The write-ahead log of one database.
struct Log {
    path: PathBuf,
    durability: Durability,
    connection: Option<Connection>,
}

impl Log {
    fn fold_in(&mut self, idle: bool) -> Result<(), StoreError> {
        let pages = self.checkpoint("PASSIVE")?;
        if idle {
            if log_bytes(&self.path) > IDLE_LOG_BYTES {
                self.checkpoint("TRUNCATE")?;
            }
        } else if pages > LOG_PAGES_MAX {
            self.checkpoint("RESTART")?;
        }
        Ok(())
    }

    /// Runs a checkpoint and returns the pages in the log.
    fn checkpoint(&mut self, kind: &str) -> Result<i64, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open_writer(&self.path, self.durability)?,
        };
        let connection = self.connection.insert(connection);
        connection
            .query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |row| {
                row.get(1)
            })
            .map_err(failure::sqlite("checkpoint"))
    }
}

fn log_bytes(database: &Path) -> u64 {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).map_or(0, |metadata| metadata.len())
}
