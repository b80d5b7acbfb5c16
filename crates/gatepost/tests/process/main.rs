//! The program as a process: signals, ports, the operator's commands, and what outlives a restart.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../program/mod.rs"]
mod program;

mod certificate;
mod commands;
mod office;
mod queue;
mod services;
mod stopping;
