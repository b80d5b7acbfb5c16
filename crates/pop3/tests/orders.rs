//! The table of states and commands: which command is allowed where, and what it sets off.
//!
//! The table is generated and held against `tests/transcripts/pop3/orders.table`; `UPDATE=1`
//! rewrites it, and the rules of RFC 1939 are asserted whatever the file says.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "test code")]

mod shell;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pop3::{Facts, Limits, TlsState};
use shell::{Shell, facts};

const COMMANDS: [&str; 22] = [
    "USER bob",
    "PASS p",
    "AUTH",
    "AUTH PLAIN",
    "AUTH LOGIN",
    "AUTH SCRAM-SHA-256",
    "AUTH EXTERNAL",
    "STLS",
    "UTF8",
    "CAPA",
    "STAT",
    "LIST",
    "LIST 1",
    "UIDL",
    "UIDL 1",
    "RETR 1",
    "TOP 1 0",
    "DELE 1",
    "NOOP",
    "RSET",
    "APOP bob x",
    "QUIT",
];

/// A state by its name, the facts it needs and what the peer sends to get there.
const STATES: [(&str, bool, &str); 8] = [
    ("locked-out", true, ""),
    ("greeted", false, ""),
    ("named", false, "USER bob\r\n"),
    ("exchange", false, "AUTH PLAIN\r\n"),
    ("refused", false, "USER bob\r\nPASS wrong\r\n"),
    ("signed-in", false, "USER bob\r\nPASS p\r\n"),
    ("marked", false, "USER bob\r\nPASS p\r\nDELE 1\r\n"),
    ("closed", false, "QUIT\r\n"),
];

fn session(clear_text: bool, before: &str) -> Shell {
    let facts = Facts {
        tls: if clear_text {
            TlsState::Available
        } else {
            TlsState::Active
        },
        ..facts()
    };
    let messages = vec![b"A: b\r\n\r\nc\r\n".to_vec()];
    let mut shell = Shell::new(facts, Limits::default(), messages);
    shell.settle();
    shell.input(before.as_bytes());
    shell.wire.clear();
    shell.asked.clear();
    shell
}

/// What a command sets off: the indicator of the reply, the questions, and what happens to the
/// connection.
fn outcome(clear_text: bool, before: &str, command: &str) -> String {
    let mut shell = session(clear_text, before);
    let was_closed = shell.closed;
    shell.input(format!("{command}\r\n").as_bytes());
    let reply = String::from_utf8_lossy(&shell.wire).into_owned();
    let mut outcome = reply.split([' ', '\r']).next().unwrap_or("").to_owned();
    for asked in &shell.asked {
        let _ = write!(outcome, " {asked}");
    }
    if shell.start_tls {
        outcome += " StartTls";
    }
    if shell.closed && !was_closed {
        outcome += " Close";
    }
    if outcome.is_empty() {
        outcome.push('-');
    }
    outcome
}

fn table() -> String {
    let mut table = "RFC 1939 §4 to §7: what each command does in each state\n".to_owned();
    for (state, clear_text, before) in STATES {
        let _ = write!(table, "\n{state}\n");
        for command in COMMANDS {
            let _ = writeln!(
                table,
                "  {command:20}{}",
                outcome(clear_text, before, command)
            );
        }
    }
    table
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "UPDATE=1 is how the table is rewritten"
)]
fn the_table_of_states_and_commands_is_as_reviewed() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/pop3/orders.table");
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, table()).expect("the table is written");
    }
    let reviewed = fs::read_to_string(&path).expect("the committed table");
    assert_eq!(table(), reviewed);
}

#[test]
fn no_command_of_a_maildrop_works_before_signing_in() {
    for (state, clear_text, before) in &STATES[..5] {
        for command in &COMMANDS[10..20] {
            assert_eq!(
                outcome(*clear_text, before, command),
                "-ERR",
                "{state}: {command}"
            );
        }
    }
}

#[test]
fn nobody_signs_in_twice() {
    for (state, clear_text, before) in &STATES[5..7] {
        for command in &COMMANDS[..9] {
            assert_eq!(
                outcome(*clear_text, before, command),
                "-ERR",
                "{state}: {command}"
            );
        }
    }
}

#[test]
fn nothing_about_signing_in_works_over_clear_text_where_it_is_forbidden() {
    for command in &COMMANDS[..7] {
        assert_eq!(outcome(true, "", command), "-ERR", "{command}");
    }
}

#[test]
fn a_closed_session_is_silent() {
    for command in COMMANDS {
        assert_eq!(outcome(false, "QUIT\r\n", command), "-", "{command}");
    }
}
