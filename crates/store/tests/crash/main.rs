//! Crash tests: killed processes, power cuts rebuilt from traces, disks that fail.
//!
//! The process that dies is this test binary itself, started again to run `workload::run_child`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code; the child is told what to do by environment variables"
)]

mod disk;
mod faults;
mod killed;
mod order;
mod power_cut;
mod trace;
mod workload;
