//! DNS behind the Resolver contract, by hickory.
//!
//! Promises: *does not exist* and *could not be learnt* are told apart; every question has a
//! deadline; nothing else in the project names hickory's types.
//! Does not: read the hosts file (mail never does) or guess names from a search list.
//! Standards: RFC 5321 §5.1, RFC 7505, RFC 2308.

mod answer;
mod resolver;

pub use resolver::{HickoryResolver, SetUpError};
