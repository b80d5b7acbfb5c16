//! The operator's verbs over a store in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod audit;
mod names;
mod rig;
mod settings;
mod socket;
mod users;
