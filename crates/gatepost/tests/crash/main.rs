//! What was acknowledged is there after any crash, and every acknowledgement comes after its sync.
//!
//! F-KILL, F-SYNC-ORDER and F-IOERR on the real program. `kill -9` notices no missing sync, so the
//! order of system calls is looked at too (strace is needed); crash states rebuilt from a trace
//! are the store's own tests. `GATEPOST_CRASH_ROUNDS=200` makes the long run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "../program/mod.rs"]
mod program;

mod kill;
mod ledger;
mod letter;
mod load;
mod order;
mod sink;
mod sync_order;
mod trace;
mod traced;
