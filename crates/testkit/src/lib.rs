//! What tests of the other crates stand on: a scripted SMTP peer, and for end-to-end tests network
//! namespaces, real third-party servers and clients, and the scenarios themselves.
//!
//! Promises: nothing is shared between two tests (ports, folders, namespaces, addresses); whatever a
//! test started is ended when its value is dropped, also when the test failed; nothing is waited for
//! blindly. What needs root or `target/peers` fails without them, it is never skipped.
//! Does not: belong into any product crate's normal dependencies.

pub mod net;
pub mod peers;
pub mod ports;
pub mod running;
pub mod scenario1;
pub mod scripted_smtp;
pub mod wait;

pub use scripted_smtp::ScriptedSmtp;
