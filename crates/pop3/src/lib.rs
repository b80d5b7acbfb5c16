//! POP3 as a value: the server session, without sockets, clock or store.
//!
//! Promises: bytes in, outputs out; memory bounded by [`Limits`] and the maildrop's listing;
//! every octet of a message is sent as the shell gave it, dot-stuffed and counted exactly.
//! Does not: open connections, verify passwords, read messages; it asks ([`Question`]).
//! Standards: RFC 1939, 2449 (CAPA), 2595 (STLS), 3206 (AUTH-RESP-CODE), 5034 (SASL),
//! 6856 (UTF8).

mod authorization;
mod capabilities;
mod command;
mod dot_stuffing;
mod facts;
mod limits;
mod line;
mod maildrop;
mod output;
mod reply;
mod retrieval;
mod sasl;
mod session;
mod state;
mod top;
mod transaction;
mod update;

pub use facts::{Facts, TlsState};
pub use limits::Limits;
pub use maildrop::{MaildropEntry, MessageNumber, octets_sent};
pub use output::{Answer, BodyFrom, Credentials, Mechanism, Notice, Output, Question, Refusal};
pub use session::Session;
