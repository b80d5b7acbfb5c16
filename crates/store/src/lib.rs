//! Where mail, history and the office are kept: the Store contract on `SQLite`.
//!
//! Promises: what was acknowledged survives a power cut at any instant; no step is ever half
//! visible. Does not: decide anything, or know protocols.

pub mod sqlite;
