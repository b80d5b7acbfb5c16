//! Who holds a TCP port: from the kernel's socket table to the process.

use std::fs;
use std::path::Path;

/// The state LISTEN in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// A name for whoever listens on `port`, as exact as this process may know.
pub(crate) fn of_port(port: u16) -> String {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|path| listening_inodes(&fs::read_to_string(path).unwrap_or_default(), port))
        .collect();
    let holder = processes().find(|process| inodes.iter().any(|inode| holds(process, inode)));
    holder.map_or_else(|| "another program".to_owned(), |process| name(&process))
}

fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, state, _, _, _, _, _, inode, ..] = columns.as_slice() else {
                return None;
            };
            (*state == LISTEN && local.ends_with(&suffix)).then(|| (*inode).to_owned())
        })
        .collect()
}

fn processes() -> impl Iterator<Item = fs::DirEntry> {
    let entries = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .bytes()
            .all(|b| b.is_ascii_digit())
    })
}

fn holds(process: &fs::DirEntry, inode: &str) -> bool {
    let target = format!("socket:[{inode}]");
    let descriptors = fs::read_dir(process.path().join("fd"))
        .into_iter()
        .flatten();
    descriptors
        .filter_map(Result::ok)
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|link| link == Path::new(&target))
}

fn name(process: &fs::DirEntry) -> String {
    let command = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    format!(
        "{} (process {})",
        command.trim(),
        process.file_name().to_string_lossy()
    )
}
