//! One connection: octets in, what the session says out, time, and the end of the service.
//!
//! Promises: a question that memory can answer is answered without a task switch; replies that
//! were gathered leave before a question has to wait; no buffer is held while nothing comes.
//! Does not: know a protocol (`smtp`, `pop3`) or accept connections (`listen`).
//! Standards: RFC 2920 §3.2.

mod alarm;
mod conversation;
mod pop3;
mod pop3_desk;
mod sign_in_desk;
mod smtp;
mod smtp_desk;
#[cfg(test)]
mod tests;
mod turn;
mod wire;

pub(crate) use conversation::{Circumstances, Phase, drive};
pub(crate) use pop3::Pop3Talk;
pub(crate) use smtp::SmtpTalk;
pub(crate) use wire::{Patience, Wire};
