//! Listeners, permits, and the life of a service from its start to the end of its last session.
//!
//! Promises: a connection has a permit or is turned away; running out of descriptors makes a
//! listener pause, never spin; stopping closes the listener first.
//! Does not: bind ports; listeners come bound, from whoever may bind them.

mod accept;
mod caught;
mod connection;
mod permits;
mod service;

pub use permits::Permits;
pub use service::{Service, StartError};
