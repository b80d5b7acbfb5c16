//! The synchronous core of a database: takes a group of steps and commits them together.
//!
//! Promises: a step that fails leaves the others alone; when the commit fails, nobody hears Ok and
//! nothing is believed of the disk until a fresh connection has written and synced again.

use std::path::PathBuf;

use contracts::StoreError;
use rusqlite::Connection;

use super::answer::Answer;
use super::{Durability, connection, failure};

/// One whole step of a database.
pub(crate) trait Step: Send + 'static {
    /// Does the step within the open transaction.
    fn perform(&self, connection: &Connection) -> Result<Answer, StoreError>;

    /// Octets that it writes, about.
    fn weight_bytes(&self) -> usize;

    /// Told once the commit stands, or may stand.
    fn committed(&self) {}
}

/// What came of a group.
pub(crate) struct Applied {
    /// One answer per step.
    pub(crate) answers: Vec<Result<Answer, StoreError>>,
    /// The commit failed: after a crash its steps may be there, though nobody was told.
    pub(crate) uncertain: bool,
}

/// One database and its connection.
pub(crate) struct Database {
    path: PathBuf,
    durability: Durability,
    connection: Option<Connection>,
    /// Keeps the index of the log in memory while the connection is replaced: a new start would
    /// read the log, and believe in a commit that failed.
    _anchor: Connection,
    distrusted: bool,
}

impl Database {
    /// Takes over a connection that was migrated and checked.
    pub(crate) fn new(
        path: PathBuf,
        durability: Durability,
        connection: Connection,
    ) -> Result<Self, StoreError> {
        let anchor = connection::open_reader(&path)?;
        // A first read attaches it to the log.
        let read = anchor.query_row("SELECT count(*) FROM number", [], |_| Ok(()));
        read.map_err(failure::sqlite("open database"))?;
        Ok(Self {
            path,
            durability,
            connection: Some(connection),
            _anchor: anchor,
            distrusted: false,
        })
    }

    /// Performs the steps and commits them together.
    pub(crate) fn apply<S: Step>(&mut self, steps: &[S]) -> Applied {
        let mut uncertain = false;
        let answers = self.group(steps, &mut uncertain);
        Applied {
            answers: answers.unwrap_or_else(|failed| {
                let all = steps.iter().map(|_| Err(failed.clone()));
                all.collect()
            }),
            uncertain,
        }
    }

    fn group<S: Step>(
        &mut self,
        steps: &[S],
        uncertain: &mut bool,
    ) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
        let connection = self.trusted()?;
        let committed = run(&connection, "BEGIN IMMEDIATE", "begin a commit")
            .and_then(|()| perform_all(&connection, steps))
            .and_then(|answers| {
                *uncertain = true;
                run(&connection, "COMMIT", "commit")?;
                *uncertain = false;
                Ok(answers)
            });
        if committed.is_ok() {
            self.connection = Some(connection);
        } else {
            self.distrusted = true;
            leave(&connection);
        }
        committed
    }

    /// The connection. After a failure, a fresh one that has just written and synced a row of its
    /// own: never "sync again and hope", since a failed sync may have forgotten what was written;
    /// and what the failed commit left in the log is overwritten by it.
    fn trusted(&mut self) -> Result<Connection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open_writer(&self.path, self.durability)?,
        };
        if self.distrusted {
            let proof = "BEGIN IMMEDIATE;
                 INSERT INTO number (name, value) VALUES ('proof', 1)
                     ON CONFLICT (name) DO UPDATE SET value = value + 1;
                 COMMIT;";
            if let Err(failed) = connection.execute_batch(proof) {
                leave(&connection);
                return Err(failure::sqlite("write again after a failure")(failed));
            }
            self.distrusted = false;
        }
        Ok(connection)
    }
}

/// Leaves the transaction of a connection that is about to be dropped.
fn leave(connection: &Connection) {
    if !connection.is_autocommit() {
        // Its failure changes nothing: the transaction goes with the connection.
        drop(connection.execute_batch("ROLLBACK"));
    }
}

/// Performs each step behind a savepoint. An error here means that the whole transaction is gone.
fn perform_all<S: Step>(
    connection: &Connection,
    steps: &[S],
) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
    let mut answers = Vec::with_capacity(steps.len());
    for step in steps {
        run(connection, "SAVEPOINT step", "begin a step")?;
        let answer = step.perform(connection);
        if let Err(failed) = &answer {
            // SQLite gives up the transaction by itself when the disk fails it.
            if connection.is_autocommit() {
                return Err(failed.clone());
            }
            run(connection, "ROLLBACK TO step", "undo a step")?;
        }
        run(connection, "RELEASE step", "end a step")?;
        answers.push(answer);
    }
    Ok(answers)
}

fn run(connection: &Connection, sql: &str, attempted: &'static str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(failure::sqlite(attempted))
}
