//! F-SYNC-ORDER: the order of writes, syncs, names and acknowledgements, per message.

use std::collections::BTreeMap;

use memchr::memmem;

use crate::trace::{Call, Timed, Trace};
use crate::workload::marker;

/// The instant at which each message was acknowledged.
pub(crate) fn acknowledgements(trace: &Trace) -> BTreeMap<u64, usize> {
    let mut instants = BTreeMap::new();
    for timed in &trace.calls {
        if let Call::Write {
            descriptor: 1,
            octets,
            ..
        } = &timed.call
            && let Some(rest) = String::from_utf8_lossy(octets).trim().strip_prefix("ok ")
        {
            instants.insert(rest.parse().unwrap(), timed.began);
        }
    }
    instants
}

/// Calls with the path that their descriptor had at the time.
struct Walk<'a> {
    calls: Vec<(&'a Timed, String)>,
}

impl<'a> Walk<'a> {
    fn new(trace: &'a Trace) -> Self {
        let mut paths: BTreeMap<i64, String> = BTreeMap::new();
        let mut calls = Vec::new();
        for timed in &trace.calls {
            let path = match &timed.call {
                Call::Open { path, descriptor } => {
                    paths.insert(*descriptor, path.clone());
                    path.clone()
                }
                Call::Seek { descriptor, .. }
                | Call::Write { descriptor, .. }
                | Call::Sync { descriptor }
                | Call::Truncate { descriptor, .. } => {
                    paths.get(descriptor).cloned().unwrap_or_default()
                }
                Call::Link { from, .. } | Call::Rename { from, .. } => from.clone(),
                Call::Unlink { path } => path.clone(),
            };
            calls.push((timed, path));
        }
        Self { calls }
    }

    /// When the first write of `needle` to a path with `part` had ended, and the path. Later ones
    /// are other messages on the same page.
    fn written(&self, part: &str, needle: &[u8], before: usize) -> Option<(usize, String)> {
        let mut writes = self.calls.iter().filter(|(timed, path)| {
            let holds = matches!(&timed.call,
                Call::Write { octets, .. } if memmem::find(octets, needle).is_some());
            holds && path.contains(part) && timed.ended < before
        });
        writes
            .next()
            .map(|(timed, path)| (timed.ended, path.clone()))
    }

    /// When the first sync of `path` that began after `since` had ended.
    fn synced(&self, path: &str, since: usize) -> Option<usize> {
        let mut calls = self.calls.iter();
        calls
            .find(|(timed, of)| {
                matches!(timed.call, Call::Sync { .. }) && of == path && timed.began > since
            })
            .map(|(timed, _)| timed.ended)
    }

    /// When the first link from `path` after `since` had ended, and the new name.
    fn linked(&self, path: &str, since: usize) -> Option<(usize, String)> {
        self.calls.iter().find_map(|(timed, _)| {
            if let Call::Link { from, to } = &timed.call
                && from == path
                && timed.began > since
            {
                return Some((timed.ended, to.clone()));
            }
            None
        })
    }
}

/// What is wrong with the order of one message; nothing, if it is right.
pub(crate) fn broken_order(
    trace: &Trace,
    number: u64,
    acknowledged: usize,
    large: bool,
) -> Option<String> {
    let walk = Walk::new(trace);
    let marker = marker(number);
    let (needle, since) = if large {
        match large_body(&walk, marker.as_bytes(), acknowledged) {
            Ok(named) => named,
            Err(wrong) => return Some(format!("message {number}: {wrong}")),
        }
    } else {
        (marker.into_bytes(), 0)
    };
    let Some((written, log)) = walk.written("mail.db-wal", &needle, acknowledged) else {
        return Some(format!("message {number}: acknowledged, not in the log"));
    };
    if written < since {
        return Some(format!("message {number}: named before it was durable"));
    }
    match walk.synced(&log, written) {
        Some(synced) if synced < acknowledged => None,
        _ => Some(format!(
            "message {number}: acknowledged before the log was synced"
        )),
    }
}

/// Body written, synced, linked, folder synced: the final name, and when it was durable.
fn large_body(
    walk: &Walk<'_>,
    marker: &[u8],
    acknowledged: usize,
) -> Result<(Vec<u8>, usize), &'static str> {
    let (written, file) = walk
        .written("/bodies/", marker, acknowledged)
        .ok_or("its body was not written")?;
    let synced = walk
        .synced(&file, written)
        .ok_or("its body was not synced")?;
    let (linked, name) = walk
        .linked(&file, synced)
        .ok_or("its file was not linked after its sync")?;
    let (folder, name) = name.rsplit_once('/').ok_or("its name has no folder")?;
    let durable = walk
        .synced(folder, linked)
        .ok_or("the folder was not synced after the link")?;
    Ok((name.as_bytes().to_vec(), durable))
}
