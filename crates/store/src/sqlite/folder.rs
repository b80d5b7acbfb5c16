//! The data folder: private to its owner, and of one process at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::OpenError;

/// Holds the folder; dropping it gives the folder free.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

/// Makes a folder that only its owner may enter, where it is missing.
pub(crate) fn make(path: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed(path))
}

/// Makes the entries of a folder durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes an empty file that only its owner may read, where it is missing. `SQLite` gives the files
/// beside a database the mode of the database.
pub(crate) fn touch(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(failed(path))
}

/// Takes the folder for this process.
pub(crate) fn lock(folder: &Path) -> Result<FolderLock, OpenError> {
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed(&path))?;
    if let Err(refused) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if refused != rustix::io::Errno::WOULDBLOCK {
            return Err(failed(&path)(refused.into()));
        }
        let mut pid = String::new();
        file.read_to_string(&mut pid).map_err(failed(&path))?;
        return Err(OpenError::InUse {
            folder: folder.to_owned(),
            pid: pid.trim().to_owned(),
        });
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(failed(&path))?;
    Ok(FolderLock { _file: file })
}

/// An error that names the path.
pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Folder {
        path: path.to_owned(),
        source,
    }
}
