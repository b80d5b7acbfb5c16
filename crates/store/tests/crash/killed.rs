//! F-KILL: kill -9 at random moments, again and again on the same folder.

use std::collections::BTreeSet;

use tempfile::TempDir;

use crate::workload::{Orders, Said, examine};

const ROUNDS: u64 = 20;

/// Numbers that look random and are the same every time.
fn scattered(seed: u64) -> u64 {
    let bits = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (bits ^ (bits >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
}

async fn kill_rounds(body_bytes: usize, acknowledged_max: u64) {
    let folder = TempDir::new().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut started = BTreeSet::new();
    for round in 0..ROUNDS {
        let orders = Orders {
            folder: folder.path().join("data"),
            first: 1 + round * 1_000_000,
            messages: 1_000_000,
            tasks: 1 + round % 8,
            body_bytes,
            durable: true,
        };
        let kill_after = usize::try_from(scattered(round) % acknowledged_max).unwrap();
        let mut child = orders.start(&[]);
        let said = Said::of(&mut child, Some(kill_after));
        assert!(said.failed.is_empty(), "round {round}: {said:?}");
        let last = said.acknowledged.last().copied();
        let last = last.unwrap_or(orders.first);
        started.extend(orders.first..last + 2 * orders.tasks);
        acknowledged.extend(said.acknowledged);
        let found = examine(&orders.folder, &acknowledged, body_bytes).await;
        let found = found.unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
        assert!(found.is_subset(&started), "round {round}: a ghost");
    }
    assert!(acknowledged.len() > 20);
}

#[tokio::test]
async fn small_messages_survive_kill_9() {
    kill_rounds(4096, 150).await;
}

#[tokio::test]
async fn large_messages_survive_kill_9() {
    kill_rounds(400_000, 12).await;
}
