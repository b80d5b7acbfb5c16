//! The machine's network as the gateway sees it.
//!
//! Promises: what is read is what the kernel says now, at most five seconds old.
//! Does not: change anything; redirects, NAT and port security come with their issue.

mod interfaces;
mod routes;

pub use interfaces::SystemInterfaces;
