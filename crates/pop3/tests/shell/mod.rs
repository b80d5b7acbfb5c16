//! A shell with a small office behind it, for tests that invent their input.
//!
//! The fuzz target `pop3_session` drives a session through [`drive`] too. Every promise that can
//! be checked from outside is checked here: bounded output, no word after the end, no question
//! while another is open.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use mail::Timestamp;
use pop3::{
    Answer, Credentials, Facts, Limits, MaildropEntry, Notice, Output, Question, Refusal, Session,
    TlsState, octets_sent,
};

/// What stands behind the session.
pub struct Shell {
    /// The maildrop.
    pub messages: Vec<Vec<u8>>,
    /// The session under test.
    pub session: Session,
    /// What the peer has been sent.
    pub wire: Vec<u8>,
    /// The questions, by their name.
    pub asked: Vec<&'static str>,
    /// The messages that were deleted, by number.
    pub deleted: Vec<u32>,
    /// At most so many octets of a body come at once.
    pub piece: usize,
    /// Which answers go wrong: a bit per question asked, from the lowest.
    pub faults: u64,
    /// Whether TLS was asked for.
    pub start_tls: bool,
    /// Whether the session is over.
    pub closed: bool,
    /// The present.
    pub now: Timestamp,
    limits: Limits,
}

/// Facts of a connection over TLS.
pub fn facts() -> Facts {
    Facts {
        host_name: "mail.office.test".to_owned(),
        tls: TlsState::Active,
        clear_text_sign_in: false,
        scram_offered: true,
        implementation: "Gatepost".to_owned(),
    }
}

impl Shell {
    /// A session with `facts` and `limits` before a maildrop of `messages`.
    pub fn new(facts: Facts, limits: Limits, messages: Vec<Vec<u8>>) -> Self {
        let now = Timestamp::from_millis(0);
        Self {
            messages,
            session: Session::new(facts, limits.clone(), now),
            wire: Vec::new(),
            asked: Vec::new(),
            deleted: Vec::new(),
            piece: usize::MAX,
            faults: 0,
            start_tls: false,
            closed: false,
            now,
            limits,
        }
    }

    /// Gives the session input and does what it asks for.
    pub fn input(&mut self, octets: &[u8]) {
        self.session.handle_input(self.now, octets);
        self.settle();
    }

    /// Does what the session asks for until it waits for the peer.
    pub fn settle(&mut self) {
        let most = self.limits.reply_octets + 2 * self.limits.body_octets + 1024;
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "an output after the end: {output:?}");
            match output {
                Output::Reply(octets) => {
                    assert!(!octets.is_empty(), "an empty reply");
                    assert!(octets.len() <= most, "{} octets at once", octets.len());
                    self.wire.extend(octets);
                }
                Output::Ask(question) => self.answer(&question),
                Output::StartTls => self.start_tls = true,
                Output::Close => self.closed = true,
            }
        }
        let held = self.session.held_octets();
        let most = self.limits.input_octets + self.limits.sasl_octets;
        assert!(held <= most, "{held} octets held");
    }

    /// Starts TLS if it was asked for.
    pub fn tls(&mut self) {
        if std::mem::take(&mut self.start_tls) {
            self.session.tls_started(self.now, facts());
            self.settle();
        }
    }

    fn answer(&mut self, question: &Question) {
        assert!(!self.session.expects_input(), "a question is open");
        let fault = self.faults & 1 == 1;
        self.faults >>= 1;
        self.asked.push(name(question));
        let answer = if fault {
            Answer::Unavailable
        } else {
            self.right_answer(question)
        };
        self.session.answer(self.now, answer);
    }

    fn right_answer(&mut self, question: &Question) -> Answer {
        match question {
            Question::SignIn {
                credentials: Credentials::Password { user, password },
                ..
            } => {
                assert!(!user.is_empty() && !password.is_empty());
                if password.starts_with("wrong") {
                    Answer::SignInRefused(Refusal {
                        line: "[AUTH] wrong name or password".to_owned(),
                    })
                } else {
                    Answer::SignedIn
                }
            }
            Question::ScramStart { client_first } => Answer::ScramChallenge {
                server_first: client_first.clone(),
            },
            Question::ScramStep { client_final } => Answer::ScramVerified {
                server_final: client_final.clone(),
            },
            Question::OpenMaildrop => Answer::Maildrop(self.listing()),
            Question::Body {
                message,
                first,
                max_bytes,
            } => {
                let index = message.index().expect("numbers begin at 1");
                let octets = &self.messages[index];
                let first = usize::try_from(first.0).expect("an offset");
                let rest = octets.get(first..).expect("an offset within the message");
                let piece = &rest[..rest.len().min(*max_bytes).min(self.piece)];
                Answer::Body {
                    octets: piece.to_vec(),
                    end: piece.len() == rest.len(),
                }
            }
            Question::ApplyDeletions { messages } => {
                assert!(self.deleted.is_empty(), "deleted twice");
                assert!(!messages.is_empty(), "nothing to delete");
                self.deleted = messages.iter().map(|message| message.0).collect();
                Answer::DeletionsApplied
            }
        }
    }

    fn listing(&self) -> Vec<MaildropEntry> {
        let messages = self.messages.iter().enumerate();
        messages
            .map(|(index, octets)| MaildropEntry {
                size_octets: octets_sent(octets.len() as u64, octets.ends_with(b"\r\n")),
                uid: format!("uid-{index}"),
            })
            .collect()
    }
}

/// The question without its contents.
fn name(question: &Question) -> &'static str {
    match question {
        Question::SignIn { .. } => "SignIn",
        Question::ScramStart { .. } => "ScramStart",
        Question::ScramStep { .. } => "ScramStep",
        Question::OpenMaildrop => "OpenMaildrop",
        Question::Body { .. } => "Body",
        Question::ApplyDeletions { .. } => "ApplyDeletions",
    }
}

/// Drives a whole session from invented octets and returns what the peer was sent.
///
/// The first octet is flags (1 clear text, 2 clear-text sign-in, 4 SCRAM, 8 small limits, 16
/// draining at the end, 32 ended at the end), the second the size of the pieces, the third the
/// faults of the first eight answers; the rest is what the peer sends.
pub fn drive(data: &[u8]) -> Vec<u8> {
    let [flags, piece, faults, stream @ ..] = data else {
        return Vec::new();
    };
    let has = |flag: u8| flags & flag != 0;
    let facts = Facts {
        tls: if has(1) {
            TlsState::Available
        } else {
            TlsState::Active
        },
        clear_text_sign_in: has(2),
        scram_offered: has(4),
        ..facts()
    };
    let mut limits = Limits::default();
    if has(8) {
        limits.reply_octets = 32;
        limits.body_octets = 5;
        limits.sasl_octets = 64;
    }
    let messages = vec![
        b"Subject: one\r\n\r\none\r\n.\r\n..two\r\n".to_vec(),
        b".\r\n\r\n.open".to_vec(),
        Vec::new(),
    ];
    let mut shell = Shell::new(facts, limits, messages);
    shell.faults = u64::from(*faults);
    shell.settle();
    for octets in stream.chunks(usize::from(*piece).max(1)) {
        shell.input(octets);
        shell.tls();
    }
    if has(16) {
        shell.session.notify(shell.now, Notice::Draining);
        shell.settle();
        shell.tls();
        assert!(shell.closed, "a drained session ends");
    } else if has(32) {
        shell.session.notify(shell.now, Notice::Ended);
        shell.settle();
        assert!(shell.closed, "an ended session ends");
    } else if let Some(until) = shell.session.poll_timeout() {
        shell.session.handle_timeout(until);
        shell.settle();
        assert!(shell.closed, "a silent session ends");
    }
    shell.wire
}
