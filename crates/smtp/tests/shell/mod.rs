//! A shell that says yes to what looks right, for tests that invent their input.
//!
//! The fuzz target `smtp_session` drives a session through [`drive`] too. Every promise that can
//! be checked from outside is checked here: whole reply lines, bounded input, one question at a
//! time, content within its limits, no word after the end.
#![allow(
    dead_code,
    clippy::expect_used,
    unreachable_pub,
    reason = "each test file uses a part of it; test code"
)]

use mail::Timestamp;
use smtp::server::{
    Answer, AuthOffer, BareLf, Facts, Limits, Notice, Output, Question, Service, Session, TlsState,
};
use smtp::{Reply, ReplyCode};

/// A message that the session handed over whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its content.
    pub octets: Vec<u8>,
    /// Lines, as the question said.
    pub lines: u64,
    /// Octets above 127, as the question said.
    pub eight_bit: bool,
}

/// A session and what came out of it.
pub struct Shell {
    /// The session under test.
    pub session: Session,
    /// What the peer has been sent.
    pub wire: Vec<u8>,
    /// The questions, by their name.
    pub asked: Vec<&'static str>,
    /// Messages that were handed over.
    pub messages: Vec<Message>,
    /// How often a transaction was discarded.
    pub discarded: usize,
    /// Which answers are no: a bit per question asked, from the lowest.
    pub faults: u64,
    /// TLS was asked for and has not been started.
    pub start_tls: bool,
    /// The session is over.
    pub closed: bool,
    /// The present.
    pub now: Timestamp,
    body: Vec<u8>,
    limits: Limits,
}

/// A relay on port 25 without TLS.
pub fn facts() -> Facts {
    Facts {
        host_name: "mail.office.test".to_owned(),
        service: Service::Relay,
        tls: TlsState::Unavailable,
        auth: AuthOffer::NotHere,
        auth_required: false,
        bare_lf: BareLf::Refuse,
    }
}

/// A reply of the shell's own.
pub fn reply(number: u16, subject: u16, detail: u16, text: &str) -> Reply {
    let code = ReplyCode::from_number(number).expect("a reply code");
    Reply::new(code, Some((subject, detail)), text)
}

impl Shell {
    /// A session that has not been polled yet.
    pub fn new(facts: Facts, limits: Limits) -> Self {
        let now = Timestamp::from_millis(0);
        Self {
            session: Session::new(facts, limits, now),
            wire: Vec::new(),
            asked: Vec::new(),
            messages: Vec::new(),
            discarded: 0,
            faults: 0,
            start_tls: false,
            closed: false,
            now,
            body: Vec::new(),
            limits,
        }
    }

    /// Gives the session input and does what it asks for.
    pub fn input(&mut self, octets: &[u8]) {
        self.session.handle_input(self.now, octets);
        self.settle();
    }

    /// Does what the session asks for until it waits for its peer.
    pub fn settle(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "{output:?} after the end");
            match output {
                Output::Reply(lines) => {
                    check_lines(&lines);
                    self.wire.extend_from_slice(&lines);
                }
                Output::Ask(question) => {
                    assert_eq!(self.session.poll_timeout(), None, "a question is open");
                    let answer = self.answer(question);
                    self.session.answer(self.now, answer);
                }
                Output::BodyChunk(octets) => {
                    assert!(!octets.is_empty(), "an empty chunk");
                    self.body.extend_from_slice(&octets);
                    let size = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
                    assert!(size <= self.limits.size_bytes_max, "too much content");
                }
                Output::Discard => {
                    assert!(self.session.discarded().is_some(), "no reason");
                    self.discarded += 1;
                    self.body.clear();
                }
                Output::StartTls => self.start_tls = true,
                Output::Close => self.closed = true,
            }
        }
        let bound = self.limits.input_bytes_max.max(12_290);
        assert!(
            self.session.buffered_bytes() <= bound,
            "{} octets kept",
            self.session.buffered_bytes()
        );
    }

    fn answer(&mut self, question: Question) -> Answer {
        let fault = self.faults & 1 == 1;
        self.faults >>= 1;
        let (name, yes) = match question {
            Question::Mail { .. } => ("Mail", reply(250, 1, 0, "sender ok")),
            Question::Recipient { .. } => ("Recipient", reply(250, 1, 5, "recipient ok")),
            Question::Body => ("Body", reply(250, 0, 0, "ok")),
            Question::Message {
                size_bytes,
                lines,
                eight_bit,
            } => {
                let octets = std::mem::take(&mut self.body);
                assert_eq!(u64::try_from(octets.len()).ok(), Some(size_bytes));
                assert_eq!(eight_bit, !octets.is_ascii());
                assert!(memchr::memchr(0, &octets).is_none(), "NUL came through");
                self.messages.push(Message {
                    octets,
                    lines,
                    eight_bit,
                });
                ("Message", reply(250, 0, 0, "queued"))
            }
            Question::Authenticate(credentials) => {
                assert!(!credentials.name.is_empty() && !credentials.password.is_empty());
                ("Authenticate", reply(235, 7, 0, "welcome"))
            }
            Question::Scram { first: true, .. } => {
                self.asked.push("Scram");
                return Answer::Challenge(b"r=1,s=MTIz,i=4096".to_vec());
            }
            Question::Scram { first: false, .. } => ("Scram", reply(235, 7, 0, "welcome")),
        };
        self.asked.push(name);
        match (fault, name) {
            (false, _) => Answer::Reply(yes),
            (true, "Authenticate" | "Scram") => Answer::Reply(reply(535, 7, 8, "no")),
            (true, "Body") => Answer::Close(reply(421, 3, 2, "closing")),
            (true, _) => Answer::Reply(reply(550, 7, 1, "no")),
        }
    }

    /// What the peer was sent, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.wire).into_owned()
    }
}

/// Complete lines, each with a code, printable, of at most 512 octets.
fn check_lines(lines: &[u8]) {
    assert!(lines.ends_with(b"\r\n"), "half a line");
    for line in lines.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").expect("CRLF");
        assert!(line.len() <= 512, "a line of {} octets", line.len());
        assert!(
            text.iter()
                .all(|octet| matches!(octet, b'\t' | b' '..=b'~'))
        );
        assert!(text.get(..3).is_some_and(<[u8]>::is_ascii));
    }
}

/// Drives a session by fuzz input: five octets choose facts, limits and faults, and then each
/// length octet is followed by so many octets of input; 251 and more are events. Gives the wire.
pub fn drive(data: &[u8]) -> Vec<u8> {
    let (head, mut rest) = data.split_at_checked(5).unwrap_or((data, &[]));
    let choice = |at: usize| head.get(at).copied().unwrap_or(0);
    let limits = Limits {
        size_bytes_max: 100 + u64::from(choice(1)) * 64,
        text_line_bytes_max: 40 + u64::from(choice(2)) * 8,
        recipients_max: 3,
        bad_commands_max: 8,
        input_bytes_max: 256,
        ..Limits::default()
    };
    let mut shell = Shell::new(fuzz_facts(choice(0)), limits);
    shell.faults = u64::from(choice(3)) | u64::from(choice(4)) << 8;
    if choice(0) & 0x80 == 0 {
        shell.settle();
    }
    while let Some((length, more)) = rest.split_first() {
        rest = more;
        match *length {
            255 => shell.session.notify(shell.now, Notice::Draining),
            254 => shell.session.notify(shell.now, Notice::Ended),
            253 => shell.session.handle_timeout(shell.now),
            252 => {
                shell.now = shell.now.plus(std::time::Duration::from_mins(3));
                shell.session.handle_timeout(shell.now);
            }
            251 => {
                let active = Facts {
                    tls: TlsState::Active,
                    ..shell.session.facts().clone()
                };
                shell.start_tls = false;
                shell.session.tls_started(shell.now, active);
            }
            length => {
                let (input, more) = rest
                    .split_at_checked(usize::from(length))
                    .unwrap_or((rest, &[]));
                rest = more;
                if shell.session.wants_input() {
                    shell.session.handle_input(shell.now, input);
                }
            }
        }
        shell.settle();
    }
    shell.wire
}

fn fuzz_facts(choice: u8) -> Facts {
    let tls = match choice & 3 {
        0 => TlsState::Unavailable,
        1 => TlsState::Available,
        2 => TlsState::Required,
        _ => TlsState::Active,
    };
    let auth = match choice >> 2 & 3 {
        0 => AuthOffer::NotHere,
        1 => AuthOffer::AfterTls,
        2 => AuthOffer::Now { scram: false },
        _ => AuthOffer::Now { scram: true },
    };
    Facts {
        tls,
        auth,
        auth_required: choice & 0x10 != 0,
        bare_lf: if choice & 0x20 == 0 {
            BareLf::Refuse
        } else {
            BareLf::MakeCrlf
        },
        ..facts()
    }
}
