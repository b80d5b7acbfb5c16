//! A desk to give commands at: handed-in streams, a fixed clock, a gateway that answers by rote.

use std::cell::RefCell;
use std::io::Cursor;
use std::path::Path;

use clap::Parser;
use cli::{Cli, Terminal, When};
use mail::Timestamp;
use operate::control::AskError;
use operate::{Answer, OperateError, Request};

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The requests it made, as the socket would carry them.
    pub(crate) asked: Vec<serde_json::Value>,
}

/// A desk; change the fields, then run a command.
pub(crate) struct Desk {
    pub(crate) stdin: String,
    pub(crate) is_terminal: bool,
    pub(crate) passwords: Vec<&'static str>,
}

/// 2026-11-24 09:16:04 UTC.
pub(crate) fn now() -> Timestamp {
    at("2026-11-24 09:16:04")
}

pub(crate) fn at(text: &str) -> Timestamp {
    let when: When = text.parse().unwrap();
    when.from(Timestamp::from_millis(0))
}

pub(crate) fn done() -> Answer {
    Answer::Done {
        what: "it".to_owned(),
        revision: None,
        warnings: Vec::new(),
    }
}

impl Desk {
    /// Standard input is a pipe with this in it.
    pub(crate) fn piped(stdin: &str) -> Self {
        Self {
            stdin: stdin.to_owned(),
            is_terminal: false,
            passwords: Vec::new(),
        }
    }

    /// A person sits there and will type this; passwords come without echo.
    pub(crate) fn person(types: &str, passwords: &[&'static str]) -> Self {
        Self {
            stdin: types.to_owned(),
            is_terminal: true,
            passwords: passwords.to_vec(),
        }
    }

    /// Runs a command against a gateway that answers like `gateway`.
    pub(crate) fn run(
        self,
        arguments: &[&str],
        gateway: impl Fn(&Request) -> Result<Result<Answer, OperateError>, AskError>,
    ) -> Ran {
        let program = ["gatepost"].into_iter();
        let cli = Cli::try_parse_from(program.chain(arguments.iter().copied())).unwrap();
        let asked = RefCell::new(Vec::new());
        let ask = |request: &Request| {
            asked
                .borrow_mut()
                .push(serde_json::to_value(request).unwrap());
            gateway(request)
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut passwords = self.passwords.into_iter();
        let mut io = Terminal {
            stdin: &mut Cursor::new(self.stdin),
            stdout: &mut out,
            stderr: &mut err,
            is_terminal: self.is_terminal,
            password: &mut |_| Ok(passwords.next().unwrap().to_owned()),
            now: now(),
            addresses: ["127.0.0.1", "fe80::1", "203.0.113.2"]
                .map(|address| address.parse().unwrap())
                .to_vec(),
        };
        let code = cli::run(&cli, Path::new("/srv/mail"), &ask, &mut io);
        Ran {
            code,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
            asked: asked.into_inner(),
        }
    }
}

/// What a command prints when the gateway gives this answer.
pub(crate) fn printed(arguments: &[&str], answer: &Answer) -> String {
    let ran = Desk::piped("").run(arguments, |_| Ok(Ok(answer.clone())));
    assert_eq!(ran.err, "");
    ran.out
}
