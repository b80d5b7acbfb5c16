//! A model of a disk: what a file system may have after a power cut at a point of a trace.
//!
//! Promises: a write counts as durable only when a sync of its file began after it had ended, and
//! ended before the point; a name only by a sync of its folder. Nothing more is granted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::trace::{Call, Timed, Trace};

/// One change of a file's content.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, octets: Arc<[u8]> },
    Length(u64),
}

#[derive(Clone, Debug)]
struct Written {
    ended: usize,
    change: Change,
}

/// One file, whatever its names.
#[derive(Clone, Debug, Default)]
struct FileModel {
    changes: Vec<Written>,
    /// How many of the changes are durable.
    durable: usize,
}

type Names = BTreeMap<PathBuf, usize>;

/// The disk while a trace runs over it.
pub(crate) struct Disk {
    root: PathBuf,
    files: Vec<FileModel>,
    names: Names,
    durable_names: Names,
    /// Changes of names since the last sync of each folder: when, and the names after it.
    folder_changes: Vec<(usize, PathBuf, Option<usize>)>,
    descriptors: BTreeMap<i64, PathBuf>,
    open_files: BTreeMap<i64, usize>,
    positions: BTreeMap<i64, u64>,
}

impl Disk {
    /// The disk as it is when everything that ended before line `point` has happened.
    pub(crate) fn at(trace: &Trace, root: &Path, point: usize) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            files: Vec::new(),
            names: Names::new(),
            durable_names: Names::new(),
            folder_changes: Vec::new(),
            descriptors: BTreeMap::new(),
            open_files: BTreeMap::new(),
            positions: BTreeMap::new(),
        };
        let passed = trace.calls.iter().filter(|timed| timed.ended < point);
        passed.for_each(|timed| disk.happen(timed));
        disk
    }

    fn happen(&mut self, timed: &Timed) {
        match &timed.call {
            Call::Open { path, descriptor } => self.open(timed.ended, path, *descriptor),
            Call::Seek {
                descriptor,
                position,
            } => {
                self.positions.insert(*descriptor, *position);
            }
            Call::Write {
                descriptor,
                offset,
                octets,
            } => self.write(timed.ended, *descriptor, *offset, octets),
            Call::Sync { descriptor } => self.sync(timed.began, *descriptor),
            Call::Truncate { descriptor, length } => {
                self.change(timed.ended, *descriptor, Change::Length(*length));
            }
            Call::Link { from, to } => {
                if let Some(file) = self.names.get(Path::new(from)).copied() {
                    self.name(timed.ended, Path::new(to), Some(file));
                }
            }
            Call::Unlink { path } => self.name(timed.ended, Path::new(path), None),
            Call::Rename { from, to } => {
                if let Some(file) = self.names.get(Path::new(from)).copied() {
                    self.name(timed.ended, Path::new(to), Some(file));
                    self.name(timed.ended, Path::new(from), None);
                }
            }
        }
    }

    fn open(&mut self, ended: usize, path: &str, descriptor: i64) {
        let path = PathBuf::from(path);
        self.open_files.remove(&descriptor);
        self.positions.insert(descriptor, 0);
        self.descriptors.insert(descriptor, path.clone());
        let is_folder = path == self.root || path == self.root.join("bodies");
        if is_folder || !path.starts_with(&self.root) {
            return;
        }
        let known = self.names.get(&path).copied();
        let file = known.unwrap_or_else(|| {
            self.files.push(FileModel::default());
            self.name(ended, &path, Some(self.files.len() - 1));
            self.files.len() - 1
        });
        self.open_files.insert(descriptor, file);
    }

    fn name(&mut self, ended: usize, path: &Path, file: Option<usize>) {
        if !path.starts_with(&self.root) {
            return;
        }
        match file {
            Some(file) => self.names.insert(path.to_owned(), file),
            None => self.names.remove(path),
        };
        self.folder_changes.push((ended, path.to_owned(), file));
    }

    fn write(&mut self, ended: usize, descriptor: i64, offset: Option<u64>, octets: &Arc<[u8]>) {
        let position = self.positions.entry(descriptor).or_default();
        let at = offset.unwrap_or(*position);
        if offset.is_none() {
            *position += octets.len() as u64;
        }
        let change = Change::Write {
            offset: at,
            octets: Arc::clone(octets),
        };
        self.change(ended, descriptor, change);
    }

    fn change(&mut self, ended: usize, descriptor: i64, change: Change) {
        let file = self.open_files.get(&descriptor).copied();
        if let Some(file) = file.and_then(|file| self.files.get_mut(file)) {
            file.changes.push(Written { ended, change });
        }
    }

    fn sync(&mut self, began: usize, descriptor: i64) {
        if let Some(file) = self.open_files.get(&descriptor).copied() {
            let file = self.files.get_mut(file).unwrap();
            let before = file.changes.iter().filter(|written| written.ended < began);
            file.durable = file.durable.max(before.count());
            return;
        }
        let Some(folder) = self.descriptors.get(&descriptor).cloned() else {
            return;
        };
        let changes = std::mem::take(&mut self.folder_changes);
        for (ended, path, file) in changes {
            if ended >= began || path.parent() != Some(&folder) {
                self.folder_changes.push((ended, path, file));
                continue;
            }
            match file {
                Some(file) => self.durable_names.insert(path, file),
                None => self.durable_names.remove(&path),
            };
        }
    }

    /// Writes what is left after a power cut into `target`. Of what was not synced, `keep` says
    /// of each change whether it survived all the same.
    pub(crate) fn rebuild(&self, target: &Path, mut keep: impl FnMut() -> bool) {
        std::fs::create_dir_all(target.join("bodies")).unwrap();
        let mut names = self.durable_names.clone();
        for (_, path, file) in &self.folder_changes {
            if keep() {
                match file {
                    Some(file) => names.insert(path.clone(), *file),
                    None => names.remove(path),
                };
            }
        }
        for (path, file) in names {
            let model = self.files.get(file).unwrap();
            let mut octets = Vec::new();
            for (index, written) in model.changes.iter().enumerate() {
                if index < model.durable || keep() {
                    apply(&mut octets, &written.change);
                }
            }
            // The shared memory of the log is made anew at every start.
            let name = path.strip_prefix(&self.root).unwrap();
            if !name.to_string_lossy().ends_with("-shm") {
                std::fs::write(target.join(name), octets).unwrap();
            }
        }
    }
}

fn apply(octets: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write {
            offset,
            octets: piece,
        } => {
            let start = usize::try_from(*offset).unwrap();
            let end = start + piece.len();
            if octets.len() < end {
                octets.resize(end, 0);
            }
            octets.get_mut(start..end).unwrap().copy_from_slice(piece);
        }
        Change::Length(length) => octets.resize(usize::try_from(*length).unwrap(), 0),
    }
}
