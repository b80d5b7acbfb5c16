//! The services over real loopback sockets: what a client hears, and what is kept.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod client;
mod office;
mod pop3;
mod premises;
mod sign_in;
mod smtp;
mod stopping;
