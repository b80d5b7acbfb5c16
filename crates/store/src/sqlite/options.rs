//! How a store is opened, and why it could not be.

use std::io;
use std::path::PathBuf;

use contracts::StoreError;

/// Whether commits wait for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is synced before it is answered.
    #[default]
    Full,
    /// Nothing is synced: for the test that proves that the crash tests can fail.
    NoneForTests,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; made, readable for its owner only, where it is missing.
    pub folder: PathBuf,
    /// Octets of bodies that may be in memory together; beyond it they go to files early.
    ///
    /// Default: 64 MiB, 256 bodies of the largest inline size.
    pub body_memory_bytes: u64,
    /// Whether commits wait for the disk.
    pub durability: Durability,
}

impl Options {
    /// The usual options for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            body_memory_bytes: 64 * 1024 * 1024,
            durability: Durability::Full,
        }
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another gateway works on this folder.
    #[error("the data folder {folder} is in use by process {pid}")]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, as it wrote itself down.
        pid: String,
    },
    /// The folder or a file in it cannot be used.
    #[error("{path}: {source}")]
    Folder {
        /// What cannot be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder was written by a newer version of this program.
    #[error(
        "{path} has schema {found}, this version knows schemas up to {known}: upgrade the program, or restore a backup made before"
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// The database does not open, or its schema cannot be brought up to date.
    #[error("{path}: {source}")]
    Database {
        /// The database.
        path: PathBuf,
        /// What `SQLite` said.
        source: StoreError,
    },
    /// The database does not promise what the store promises.
    #[error("{path}: {pragma} is {found}, not {wanted}; mail would not survive a power cut")]
    NotDurable {
        /// The database.
        path: PathBuf,
        /// The setting that was read back.
        pragma: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
}
