//! The commands as scripts and people meet them: arguments in, text and exit code out.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod asking;
mod ends;
mod examples;
mod office;
mod stories;
mod tables;
