//! Listeners, TLS, limits and sign-in; drives the sessions of `smtp` and `pop3`.
//!
//! Promises: one task and one permit per connection; a panic ends its own session only; nothing
//! that went wrong inside is told to a peer, who hears sentences of a closed list.
//! Does not: decide (`policy`), keep anything (`contracts::Store`) or know a protocol's grammar.

#[cfg(test)]
extern crate self as server;

pub mod certificates;
mod counters;
mod drive;
mod listen;
#[cfg(test)]
#[path = "../tests/office/premises.rs"]
mod premises;
mod replies;
mod shared;
pub mod sign_in;
mod source;

pub use counters::MessageCounters;
pub use listen::{Permits, Service, StartError};
pub use shared::{ServerLimits, Shared};
