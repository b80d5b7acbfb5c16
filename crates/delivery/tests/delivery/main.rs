//! Delivery against scripted peers over loopback.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod office;
mod sending;
mod tls;
