//! The servers that are compared, behind one face.
//!
//! Promises: each runs in a network namespace of its own, on loopback there, with the durability it
//! ships with; users u0 to u9 for mail and c0 and following for sign-ins, all with one password
//! behind the same hash. Ended when dropped.

mod gatepost;
mod stock;

pub(crate) use gatepost::Gatepost;
pub(crate) use stock::Stock;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::PathBuf;
use testkit::net::Namespace;

/// Mailboxes that mail is sent to.
pub(crate) const USERS: usize = 10;

/// A running server.
pub(crate) trait Subject {
    /// What the report calls it.
    fn name(&self) -> &'static str;
    /// Where it runs, and nothing else.
    fn namespace(&self) -> &Namespace;
    /// Its SMTP port for relay.
    fn smtp(&self) -> SocketAddr;
    /// Its POP3 port.
    fn pop3(&self) -> SocketAddr;
    /// Folders in which each delivered message is a file, if it has such.
    fn arrivals(&self) -> Vec<PathBuf>;
    /// What it has said last, for a person who looks for a fault.
    fn log(&self) -> String;
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.len().saturating_sub(20);
    lines.get(first..).unwrap_or_default().join("\n")
}

/// Runs the load generator beside a subject; `words` are those of the command line.
///
/// # Errors
/// When the run fails, with what the load generator and the subject said.
pub(crate) fn run<T: DeserializeOwned>(subject: &dyn Subject, words: &[String]) -> Result<T> {
    let own = std::env::current_exe()?;
    let mut command = subject.namespace().command(own);
    command.args(words);
    let outcome = testkit::running::run(command, b"")?;
    let what = || format!("{}: bench {}", subject.name(), words.join(" "));
    if !outcome.ok() {
        eprintln!("{}", subject.log());
    }
    let output = outcome.succeeded().with_context(what)?.output;
    serde_json::from_str(output.trim()).with_context(|| format!("{}: {output}", what()))
}
