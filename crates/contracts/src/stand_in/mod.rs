//! Stand-ins in memory for what lies outside, for tests and simulations.
//!
//! Promises: they pass the same conformance suites as the real ones.

mod memory_store;
mod state;
mod state_history;
mod state_queue;
mod steps;

pub use memory_store::{Fault, MemoryStore};
