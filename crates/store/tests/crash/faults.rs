//! F-IOERR and F-SHORT: a disk that fails a sync, or is full, in the middle of everything.

use std::path::Path;

use store::sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use crate::order::{acknowledgements, broken_order};
use crate::trace::Trace;
use crate::workload::{Orders, examine};

fn orders(folder: &Path, body_bytes: usize) -> Orders {
    Orders {
        folder: folder.join("data"),
        first: 1,
        messages: 24,
        tasks: 3,
        body_bytes,
        durable: true,
    }
}

/// Runs a child with a fault; nothing is acknowledged that a good sync does not stand behind.
/// Returns how many messages were refused and whether the last one was taken.
async fn run_with(inject: &[&str], body_bytes: usize) -> (usize, bool) {
    let folder = TempDir::new().unwrap();
    let orders = orders(folder.path(), body_bytes);
    // The databases are there: a start syncs its folder, once, in the first thread. strace counts
    // the calls of each thread for itself.
    drop(SqliteStore::open(Options::new(&orders.folder)).unwrap());
    let trace = Trace::record(&orders, inject);
    let large = body_bytes > 256 * 1024;
    for (number, instant) in acknowledgements(&trace) {
        let broken = broken_order(&trace, number, instant, large);
        assert_eq!(broken, None, "{inject:?}");
    }
    let said = &trace.said;
    let found = examine(&orders.folder, &said.acknowledged, body_bytes).await;
    let found = found.unwrap_or_else(|wrong| panic!("{inject:?}: {wrong}"));
    let ghosts: Vec<&u64> = said.failed.intersection(&found).collect();
    assert!(
        ghosts.is_empty(),
        "{inject:?}: refused, and there: {ghosts:?}"
    );
    let last = said.acknowledged.contains(&orders.messages);
    (said.failed.len(), last)
}

#[tokio::test]
async fn no_message_is_acknowledged_after_a_failed_sync() {
    let mut refused = 0;
    let mut recovered = false;
    for nth in 1..=5 {
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
        let (failed, last) = run_with(&["-e", &inject], 4096).await;
        refused += failed;
        recovered |= failed > 0 && last;
    }
    assert!(refused > 0, "some sync must have failed for a message");
    assert!(recovered, "after one failure the store must go on");
}

#[tokio::test]
async fn no_large_message_is_acknowledged_after_a_failed_sync() {
    let mut refused = 0;
    for nth in 1..=4 {
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
        refused += run_with(&["-e", &inject], 400_000).await.0;
    }
    assert!(refused > 0, "some sync must have failed for a message");
}

#[tokio::test]
async fn a_disk_that_never_syncs_again_acknowledges_nothing_more() {
    let inject = "inject=fsync,fdatasync:error=EIO:when=3+";
    let (refused, last) = run_with(&["-e", inject], 4096).await;
    assert!(refused > 0);
    assert!(!last);
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let mut refused = 0;
    let mut recovered = false;
    for first in [8, 15, 30] {
        let folder = TempDir::new().unwrap();
        let orders = orders(folder.path(), 4096);
        drop(SqliteStore::open(Options::new(&orders.folder)).unwrap());
        // Only what goes to the log of the database fails; what the child says is heard.
        let log = orders.folder.join("mail.db-wal");
        let last = first + 6;
        let inject = format!("inject=write,pwrite64:error=ENOSPC:when={first}..{last}");
        let arguments = ["-P", log.to_str().unwrap(), "-e", &inject];
        let said = Trace::record(&orders, &arguments).said;
        let found = examine(&orders.folder, &said.acknowledged, 4096).await;
        let found = found.unwrap_or_else(|wrong| panic!("{inject}: {wrong}"));
        assert!(found.is_disjoint(&said.failed), "{inject}: {said:?}");
        refused += said.failed.len();
        recovered |= !said.failed.is_empty() && said.acknowledged.contains(&orders.messages);
    }
    assert!(refused > 0);
    assert!(recovered);
}
