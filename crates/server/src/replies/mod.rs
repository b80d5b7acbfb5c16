//! Decisions and outside failures as wire lines: the only place that writes them.
//!
//! Promises: a peer hears the sentence of `policy::public`, the id, and nothing else of a
//! decision; whatever went wrong outside is always *not now*, without details.
//! Does not: write a session's own replies about syntax and order (ring 0).
//! Standards: RFC 5321 §4.2, RFC 2034, RFC 2449 §8, RFC 3206, RFC 4954 §6.

mod pop3;
mod smtp;

pub(crate) use pop3::{
    line as pop3_line, maildrop_not_opened, not_verified as pop3_not_verified,
    refusal as pop3_refusal,
};
pub(crate) use smtp::{
    aborted, authenticate_failed, panicked, refused_connection, ruling, sign_in_refused, signed_in,
};
