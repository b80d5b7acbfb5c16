//! The client's side of SMTP as a value: octets, answers and time in, outputs out.
//!
//! Promises: no I/O, no clock, no policy; bounded memory whatever the server says; every recipient
//! of a transaction comes to exactly one fate; content leaves with dots doubled and one final dot.
//! Does not: look up hosts, try again, or decide what a refusal means for the sender.
//! Standards: RFC 5321, 1870, 2034, 2920, 3207, 3461, 4954, 6152, 6531, 9422.

mod commands;
mod dot_stuffing;
mod exchange;
mod extensions;
mod facts;
mod output;
mod session;
mod sign_in;
mod state;

pub use extensions::Extensions;
pub use facts::{Credentials, Facts, Limits, TlsUse};
pub use output::{
    Answer, Failure, Fate, Lack, Notice, Output, Question, Stage, Transaction, Trouble,
};
pub use session::Session;
