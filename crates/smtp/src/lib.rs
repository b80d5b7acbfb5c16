//! SMTP as values: the grammar of commands and replies, and sessions without I/O.
//!
//! Promises: pure (no socket, no clock, no policy), bounded memory, no panic on any octets.
//! Does not: decide who may send what to whom; that is asked of the shell.
//! Standards: RFC 5321 and its extensions; each file names its own.

mod arguments;
pub mod client;
mod command;
mod path;
mod reply;
mod reply_reader;
pub mod server;
pub mod xtext;

pub use arguments::{ArgumentSyntax, parse_mail, parse_rcpt};
pub use command::{Command, CommandSyntax, LINE_BYTES_MAX, Verb, line_text};
pub use reply::{Reply, ReplyClass, ReplyCode};
pub use reply_reader::{PeerReply, ReplyReader, ReplySyntax};
