//! Large bodies as files: written, synced, linked, the folder synced, and only then named.
//!
//! Promises: a final name is never written to again; a file that no commit named is removed, at
//! the latest at the next start.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use contracts::StoreError;
use tokio::sync::Semaphore;

use crate::sqlite::{Durability, failure, folder};

/// Threads that write body files at the same time.
const WRITERS_MAX: usize = 8;
const UNFINISHED: &str = "unfinished-";

/// The folder of body files.
#[derive(Debug)]
pub(crate) struct BodyFolder {
    path: PathBuf,
    durability: Durability,
    /// Tells the names of this run from those of others.
    run: u64,
    next: AtomicU64,
    folder_sync: FolderSync,
    pub(super) writers: Semaphore,
}

impl BodyFolder {
    /// Uses a folder that exists.
    ///
    /// # Errors
    /// When there is no randomness for names.
    pub(crate) fn new(path: PathBuf, durability: Durability) -> io::Result<Arc<Self>> {
        let mut run = [0; 8];
        getrandom::fill(&mut run).map_err(io::Error::other)?;
        Ok(Arc::new(Self {
            path,
            durability,
            run: u64::from_le_bytes(run),
            next: AtomicU64::new(0),
            folder_sync: FolderSync::default(),
            writers: Semaphore::new(WRITERS_MAX),
        }))
    }

    /// Removes every file whose name is not in `named`; returns how many.
    pub(crate) fn sweep(&self, named: &BTreeSet<String>) -> io::Result<u64> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let known = entry
                .file_name()
                .to_str()
                .is_some_and(|name| named.contains(name));
            if !known {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes a file that no message refers to any more.
    pub(crate) fn remove(&self, name: &str) {
        if let Err(failed) = fs::remove_file(self.path.join(name)) {
            // The next start sweeps it.
            tracing::warn!(%failed, name, "a body file could not be removed");
        }
    }

    /// Reads ranges of a body file, one after the other, into `octets`.
    pub(crate) fn read(
        &self,
        name: &str,
        ranges: &[Range<u64>],
        octets: &mut Vec<u8>,
    ) -> io::Result<()> {
        let file = File::open(self.path.join(name))?;
        for range in ranges {
            let start = octets.len();
            let bytes = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
            octets.resize(start + bytes, 0);
            let piece = octets.get_mut(start..).unwrap_or_default();
            file.read_exact_at(piece, range.start)?;
        }
        Ok(())
    }

    /// Begins a file under a temporary name.
    pub(super) fn begin(self: &Arc<Self>) -> Result<UnfinishedFile, StoreError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:016x}-{number:x}", self.run);
        let path = self.path.join(format!("{UNFINISHED}{name}"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failure::io("begin a body file"))?;
        Ok(UnfinishedFile {
            file,
            path,
            name,
            folder: Arc::clone(self),
        })
    }
}

/// A body file that is being written; dropping it removes it.
#[derive(Debug)]
pub(super) struct UnfinishedFile {
    file: File,
    path: PathBuf,
    name: String,
    folder: Arc<BodyFolder>,
}

impl UnfinishedFile {
    /// Adds octets.
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(octets)
            .map_err(failure::io("write a body file"))
    }

    /// Makes the file durable under its final name.
    pub(super) fn finish(self) -> Result<FileBody, StoreError> {
        let syncs = self.folder.durability == Durability::Full;
        if syncs {
            self.file
                .sync_data()
                .map_err(failure::io("sync a body file"))?;
        }
        let link = || {
            fs::hard_link(&self.path, self.folder.path.join(&self.name))?;
            fs::remove_file(&self.path)
        };
        link().map_err(failure::io("name a body file"))?;
        let body = FileBody {
            name: self.name.clone(),
            folder: Arc::clone(&self.folder),
            committed: AtomicBool::new(false),
        };
        if syncs {
            self.folder
                .folder_sync
                .sync(&self.folder.path)
                .map_err(failure::io("sync the folder of bodies"))?;
        }
        Ok(body)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        // After `finish` it is gone already; otherwise the next start sweeps what stays.
        drop(fs::remove_file(&self.path));
    }
}

/// A durable body file; dropping it removes the file unless a commit named it.
#[derive(Debug)]
pub(crate) struct FileBody {
    name: String,
    folder: Arc<BodyFolder>,
    committed: AtomicBool,
}

impl FileBody {
    /// Its name within the folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The commit that names it stands, or may stand.
    pub(crate) fn committed(&self) {
        self.committed.store(true, Ordering::Release);
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        if !self.committed.load(Ordering::Acquire) {
            self.folder.remove(&self.name);
        }
    }
}

/// Syncs the folder once for everybody who waits for it.
#[derive(Debug, Default)]
struct FolderSync {
    asked: AtomicU64,
    /// The greatest ask that a sync has covered.
    covered: Mutex<u64>,
}

impl FolderSync {
    /// Returns when a sync has ended that began after this call.
    fn sync(&self, path: &Path) -> io::Result<()> {
        let ticket = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        if *covered >= ticket {
            return Ok(());
        }
        let covers = self.asked.load(Ordering::Acquire);
        folder::sync(path)?;
        *covered = covers;
        Ok(())
    }
}
