//! The server's side of SMTP as a value: octets, answers and time in, outputs out.
//!
//! Promises: no I/O, no clock, no policy; what a session does depends only on what it was given,
//! and not on how the octets were cut.
//! Standards: RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 3848, 4954, 6152, 6409, 6531, 9422.

mod auth;
mod bdat;
mod commands;
mod content;
mod data;
mod ehlo;
mod facts;
mod limits;
mod mail;
mod outbox;
mod output;
mod rcpt;
mod replies;
mod session;
mod starttls;
mod state;

pub use facts::{AuthOffer, BareLf, Facts, Service, TlsState};
pub use limits::Limits;
pub use output::{Answer, Credentials, Discarded, Mechanism, Notice, Output, Question};
pub use session::Session;
