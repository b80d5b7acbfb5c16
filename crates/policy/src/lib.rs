//! What the gateway decides, as pure functions of settings, directory, facts and time.
//!
//! Promises: no clock, no I/O, no async; every decision names the setting, rule or fact behind it.
//! A function that lacks a fact says which one; `intake` learns it and asks again.

mod address_book;
pub mod connection;
mod decision;
mod dns_records;
#[cfg(test)]
mod examples;
pub mod facts;
mod identity;
pub mod message;
#[cfg(test)]
mod office;
pub mod public;
pub mod recipient;
pub mod relay;
pub mod retry;
pub mod route;
pub mod scenario;
pub mod sender;
mod sentence;
mod service;
pub mod settings;
pub mod sheet;
pub mod trust;
mod user_name;

pub use decision::{Because, Decision, Direction, Outcome};
pub use dns_records::{RecordKind, RecordState, WantedRecord, dns_wanted};
pub use user_name::{UserName, UserNameSyntax};
