//! The project's own chores: `cargo xtask COMMAND`.
//!
//! Promises: `cargo xtask test` runs every level on a Debian machine, prints the wall time of each
//! and ends with the test runner's summary; any failure makes the exit code non-zero.
//! Does not: hold anything the product needs, or keep state outside `target/`.
#![expect(clippy::print_stdout, reason = "a command for a person at a terminal")]

mod bench;
mod fuzz;
mod levels;
mod machine;
mod peers;
mod runner;
mod tidy;
mod workspace;

use anyhow::{Result, bail};
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test          everything, from a clean machine: installs what is missing, builds the peers,
                runs every level, prints the wall time of each (needs root)
  quick         tidy, unit tests, transcripts, properties, conformance; no peers, no crashes, no root
  e2e [NAME]    end to end in network namespaces; NAME picks tests whose name contains it (root)
  bench [WORD]  Gatepost beside Postfix with Dovecot, in turns; --quick, --only smtp|pop3|logins|memory,
                --rounds N; built for release (root)
  fuzz [TARGET] [--minutes N]
                lets each fuzz target explore for so long (10); new inputs stay in target/fuzz
  tidy          allowed edges, sizes, citations, names
  peers         only builds the Debian root under target/peers (root)
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let workspace = Workspace::find()?;
    match words.as_slice() {
        ["test"] => levels::test(&workspace),
        ["quick"] => levels::quick(&workspace),
        ["e2e"] => levels::e2e(&workspace, None),
        ["e2e", name] => levels::e2e(&workspace, Some(name)),
        ["bench", words @ ..] => bench::bench(&workspace, words),
        ["fuzz", words @ ..] => fuzz::fuzz(&workspace, words),
        ["tidy"] => levels::tidy(&workspace),
        ["peers"] => {
            machine::install_missing()?;
            peers::build(&workspace)
        }
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("no such command: {}\n\n{HELP}", other.join(" ")),
    }
}
