//! F-PWR and F-SYNC-ORDER: states after a power cut, rebuilt from what a real run did.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use crate::disk::Disk;
use crate::order::{acknowledgements, broken_order};
use crate::trace::{Call, Trace};
use crate::workload::{Orders, examine};

/// States looked at per run.
const POINTS_MAX: usize = 16;

fn orders(folder: &Path, tasks: u64, body_bytes: usize, durable: bool) -> Orders {
    Orders {
        folder: folder.join("data"),
        first: 1,
        messages: if body_bytes > 100_000 { tasks + 2 } else { 40 },
        tasks,
        body_bytes,
        durable,
    }
}

/// Every acknowledgement and every end of a sync, thinned out evenly.
fn points(trace: &Trace) -> Vec<usize> {
    let acknowledged = acknowledgements(trace);
    let syncs = trace
        .calls
        .iter()
        .filter_map(|timed| matches!(timed.call, Call::Sync { .. }).then_some(timed.ended + 1));
    let mut points: Vec<usize> = acknowledged.values().copied().chain(syncs).collect();
    points.sort_unstable();
    points.dedup();
    let first = acknowledged.values().min().copied().unwrap_or(0);
    points.retain(|point| *point >= first);
    let step = points.len().div_ceil(POINTS_MAX).max(1);
    points.into_iter().step_by(step).collect()
}

/// Looks at every state; returns what is wrong.
async fn examine_states(trace: &Trace, orders: &Orders) -> Vec<String> {
    let acknowledged = acknowledgements(trace);
    let mut wrong = Vec::new();
    for (index, point) in points(trace).into_iter().enumerate() {
        let promised: BTreeSet<u64> = acknowledged
            .iter()
            .filter(|(_, instant)| **instant <= point)
            .map(|(number, _)| *number)
            .collect();
        let disk = Disk::at(trace, &orders.folder, point);
        // Everything unsynced lost; then some of it there, whatever its order.
        let mut seed = index as u64 + 1;
        let mut coin = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed & 1 == 1
        };
        let keepers: [&mut dyn FnMut() -> bool; 2] = [&mut || false, &mut coin];
        for keep in keepers {
            let target = TempDir::new().unwrap();
            disk.rebuild(target.path(), keep);
            let found = examine(target.path(), &promised, orders.body_bytes).await;
            if let Err(failed) = found {
                wrong.push(format!("at line {point}: {failed}"));
            }
        }
    }
    wrong
}

async fn everything_acknowledged_survives(tasks: u64, body_bytes: usize) {
    let folder = TempDir::new().unwrap();
    let orders = orders(folder.path(), tasks, body_bytes, true);
    let trace = Trace::record(&orders, &[]);
    assert!(trace.said.ended, "{:?}", trace.said);
    let acknowledged = acknowledgements(&trace);
    assert_eq!(acknowledged.len() as u64, orders.messages);
    let large = body_bytes > 256 * 1024;
    for (number, instant) in &acknowledged {
        assert_eq!(broken_order(&trace, *number, *instant, large), None);
    }
    let wrong = examine_states(&trace, &orders).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn small_messages_one_by_one() {
    everything_acknowledged_survives(1, 4096).await;
}

#[tokio::test]
async fn small_messages_eight_at_once() {
    everything_acknowledged_survives(8, 4096).await;
}

#[tokio::test]
async fn large_messages_one_by_one() {
    everything_acknowledged_survives(1, 1 << 20).await;
}

#[tokio::test]
async fn large_messages_eight_at_once() {
    everything_acknowledged_survives(8, 1 << 20).await;
}

/// The tests above can fail: without syncs they do.
#[tokio::test]
async fn a_store_that_does_not_sync_is_found_out() {
    for body_bytes in [4096, 1 << 20] {
        let folder = TempDir::new().unwrap();
        let orders = orders(folder.path(), 1, body_bytes, false);
        let trace = Trace::record(&orders, &[]);
        let large = body_bytes > 256 * 1024;
        let acknowledged = acknowledgements(&trace);
        assert!(!acknowledged.is_empty());
        let mut broken = acknowledged
            .iter()
            .filter_map(|(number, instant)| broken_order(&trace, *number, *instant, large));
        assert!(broken.next().is_some(), "the order must be found wrong");
        let wrong = examine_states(&trace, &orders).await;
        assert!(!wrong.is_empty(), "lost mail must be noticed");
    }
}
