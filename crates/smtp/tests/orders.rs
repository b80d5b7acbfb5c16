//! The table of states and commands: which command is allowed where, and what it sets off.
//!
//! The table is generated and held against `tests/transcripts/smtp/orders.table`; `UPDATE=1`
//! rewrites it, and the rules of RFC 5321 §4.1.4 are asserted whatever the file says.

mod shell;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use shell::{Shell, facts};
use smtp::server::{AuthOffer, Facts, Limits, TlsState};

const COMMANDS: [&str; 21] = [
    "EHLO client.test",
    "HELO client.test",
    "MAIL FROM:<a@x.test>",
    "RCPT TO:<b@y.test>",
    "DATA",
    "BDAT 0",
    "BDAT 0 LAST",
    "RSET",
    "NOOP",
    "VRFY bob",
    "EXPN staff",
    "HELP",
    "STARTTLS",
    "AUTH PLAIN",
    "AUTH PLAIN AGJvYgBw",
    "AUTH LOGIN",
    "AUTH SCRAM-SHA-256",
    "AUTH GSSAPI",
    "GET / HTTP/1.1",
    "XYZZY",
    "QUIT",
];

const EHLO: &str = "EHLO client.test\r\n";
const MAIL: &str = "EHLO client.test\r\nMAIL FROM:<a@x.test>\r\n";
const RCPT: &str = "EHLO client.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n";

/// A state by its name, what is shown of a connection in it, and how the client gets there.
fn states() -> Vec<(&'static str, Facts, String)> {
    let open = Facts {
        tls: TlsState::Available,
        auth: AuthOffer::Now { scram: true },
        ..facts()
    };
    let strict = Facts {
        auth_required: true,
        ..open.clone()
    };
    let tls_first = Facts {
        tls: TlsState::Required,
        auth: AuthOffer::AfterTls,
        ..open.clone()
    };
    let state = |name, facts: &Facts, before: &str| (name, facts.clone(), before.to_owned());
    vec![
        state("greeted", &open, ""),
        state("ready", &open, EHLO),
        state("ready-helo", &open, "HELO client.test\r\n"),
        state(
            "ready-signed-in",
            &strict,
            &format!("{EHLO}AUTH PLAIN AGJvYgBw\r\n"),
        ),
        state("ready-sign-in-required", &strict, EHLO),
        state("ready-tls-required", &tls_first, EHLO),
        state("ready-no-sign-in", &facts(), EHLO),
        state("mail", &open, MAIL),
        state("rcpt", &open, RCPT),
        state("chunks", &open, &format!("{RCPT}BDAT 2\r\nab")),
        state("auth-plain", &open, &format!("{EHLO}AUTH PLAIN\r\n")),
        state(
            "auth-login-password",
            &open,
            &format!("{EHLO}AUTH LOGIN Ym9i\r\n"),
        ),
        state(
            "auth-scram",
            &open,
            &format!("{EHLO}AUTH SCRAM-SHA-256 bix4\r\n"),
        ),
        state("data", &open, &format!("{RCPT}DATA\r\n")),
        state("closed", &open, "QUIT\r\n"),
    ]
}

/// What a command sets off: the codes of the last reply line, the questions, and what happens to
/// transaction and connection.
fn outcome(facts: &Facts, before: &str, command: &str) -> String {
    let mut shell = Shell::new(facts.clone(), Limits::default());
    shell.settle();
    shell.input(before.as_bytes());
    shell.wire.clear();
    shell.asked.clear();
    let was_closed = shell.closed;
    shell.input(format!("{command}\r\n").as_bytes());
    let text = shell.text();
    let last = text.lines().last().unwrap_or("").to_owned();
    let mut words = last.split(' ');
    let mut outcome = words.next().unwrap_or("").to_owned();
    if let Some(enhanced) = words.next().filter(|word| word.contains('.')) {
        let _ = write!(outcome, " {enhanced}");
    }
    for asked in &shell.asked {
        let _ = write!(outcome, " {asked}");
    }
    if shell.discarded > 0 {
        outcome += " Discard";
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
    let mut table = "RFC 5321 §4.1.4, §4.3.2: what each command does in each state\n".to_owned();
    for (state, facts, before) in states() {
        let _ = write!(table, "\n{state}\n");
        for command in COMMANDS {
            let _ = writeln!(table, "  {command:24}{}", outcome(&facts, &before, command));
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
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/smtp/orders.table");
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, table()).expect("the table is written");
    }
    let reviewed = fs::read_to_string(&path).expect("the committed table");
    assert_eq!(table(), reviewed);
}

#[test]
fn nothing_of_a_transaction_works_before_hello_sign_in_or_tls_where_they_must_come_first() {
    for (state, facts, before) in states() {
        if !["greeted", "ready-sign-in-required", "ready-tls-required"].contains(&state) {
            continue;
        }
        for command in &COMMANDS[2..7] {
            let outcome = outcome(&facts, &before, command);
            assert!(
                ["503 5.5.1", "530 5.7.0"].contains(&outcome.as_str()),
                "{state}: {command}: {outcome}"
            );
        }
    }
}

#[test]
fn no_message_comes_without_a_recipient() {
    for (state, facts, before) in states() {
        let given = ["rcpt", "chunks", "data"].contains(&state);
        for command in COMMANDS {
            let asks = outcome(&facts, &before, command);
            assert!(
                given || !(asks.contains("Body") || asks.contains("Message")),
                "{state}: {command}: {asks}"
            );
        }
    }
}
