//! Sending out: claims what is due in the queue, finds the hosts, speaks to them, records results.
//!
//! Promises: a result and the reports it causes are one step of the store; a destination that is
//! down or slow holds up nobody else; stopping finishes what is in flight and gives back the rest.
//! Does not: decide where mail goes or when it is tried again (`policy`), or write to the queue
//! by itself (`contracts::Store`).

mod attempt;
mod board;
mod connection;
mod dialer;
mod group;
mod homecoming;
mod hosts;
mod limits;
mod message;
mod opening;
mod ourselves;
mod phase;
mod random;
mod reports;
mod runner;
mod settle;
mod tls;
mod verdict;
mod why;
mod worker;

pub use dialer::{DialError, Dialer, Stream, TcpDialer};
pub use limits::Limits;
pub use opening::{NoSecrets, Secrets};
pub use ourselves::Ourselves;
pub use random::{Random, SystemRandom};
pub use runner::{Parts, Runner};
pub use tls::{Tls, TlsError};
