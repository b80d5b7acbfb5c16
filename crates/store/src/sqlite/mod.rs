//! The embedded store: `mail.db`, `office.db` and `bodies/` in one locked folder.
//!
//! Promises: one writer thread per database commits whatever waits, together, and answers only
//! when it is durable (WAL, synchronous FULL, read back at start); readers never wait for it.

mod answer;
mod body;
mod connection;
mod database;
mod failure;
mod folder;
mod housekeeper;
mod mail;
mod migrate;
mod office;
mod options;
mod readers;
mod store;
mod writer;

pub use options::{Durability, OpenError, Options};
pub use store::SqliteStore;
