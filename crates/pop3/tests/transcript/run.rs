//! Plays a transcript's peer and shell against a session.

use mail::Timestamp;
use pop3::{
    Answer, Credentials, MaildropEntry, Notice, Output, Question, Refusal, Session, octets_sent,
};

use super::exchange::{Event, Exchange, Script, facts, matches, unescaped};

/// How the peer's octets reach the session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Each exchange in one piece.
    Whole,
    /// One piece more, cut before this octet of all that the peer sends.
    At(usize),
    /// Octet by octet; the shell writes what it has before it answers.
    Octets,
}

/// One run of a script.
struct Run<'a> {
    script: &'a Script,
    session: Session,
    now: Timestamp,
    open: Option<Question>,
    written: Vec<u8>,
    lines: Vec<String>,
    write_first: bool,
}

impl Script {
    /// Every way to cut the peer's octets.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = Cut> {
        let total: usize = self
            .exchanges
            .iter()
            .map(|exchange| match &exchange.event {
                Event::Input(octets) => octets.len(),
                Event::Nothing
                | Event::Clock(_)
                | Event::Tls(_)
                | Event::Draining
                | Event::Ended => 0,
            })
            .sum();
        (0..total).map(Cut::At).chain([Cut::Octets])
    }

    /// The lines that come, exchange by exchange.
    pub(crate) fn run(&self, cut: Cut) -> Vec<Vec<String>> {
        let now = Timestamp::from_millis(1_000_000);
        let mut run = Run {
            script: self,
            session: Session::new(self.facts.clone(), self.limits.clone(), now),
            now,
            open: None,
            written: Vec::new(),
            lines: Vec::new(),
            write_first: matches!(cut, Cut::Octets),
        };
        let mut before = 0;
        self.exchanges
            .iter()
            .map(|exchange| run.exchange(exchange, cut, &mut before))
            .collect()
    }
}

impl Run<'_> {
    fn exchange(&mut self, exchange: &Exchange, cut: Cut, before: &mut usize) -> Vec<String> {
        let mut questions = exchange.questions.iter();
        match &exchange.event {
            Event::Nothing => {}
            Event::Input(octets) => {
                for piece in pieces(octets, cut, *before) {
                    self.session.handle_input(self.now, piece);
                    self.drain(&mut questions);
                }
                *before += octets.len();
            }
            Event::Clock(step) => {
                self.now = self.now.plus(*step);
                if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.session.handle_timeout(self.now);
                }
            }
            Event::Tls(text) => {
                let started = self.session.poll_output().is_none();
                assert!(started, "outputs were left before TLS");
                let text = if text.is_empty() { "tls=active" } else { text };
                let facts = facts(text).unwrap();
                self.session.tls_started(self.now, facts);
            }
            Event::Draining => self.session.notify(self.now, Notice::Draining),
            Event::Ended => self.session.notify(self.now, Notice::Ended),
        }
        self.drain(&mut questions);
        self.late_answers(&mut questions);
        assert_eq!(
            questions.next(),
            None,
            "a question was expected and not asked"
        );
        self.flush();
        std::mem::take(&mut self.lines)
    }

    fn drain<'b>(&mut self, questions: &mut impl Iterator<Item = &'b (String, String)>) {
        let mut pending = None;
        loop {
            match self.session.poll_output() {
                Some(Output::Reply(octets)) => {
                    assert!(!octets.is_empty(), "an empty reply");
                    self.written.extend(octets);
                }
                Some(Output::Ask(question)) if self.write_first => pending = Some(question),
                Some(Output::Ask(question)) => self.question(question, questions),
                Some(Output::StartTls) => self.mark("<StartTls>"),
                Some(Output::Close) => self.mark("<Close>"),
                None => match pending.take() {
                    Some(question) => self.question(question, questions),
                    None => break,
                },
            }
        }
    }

    fn question<'b>(
        &mut self,
        question: Question,
        questions: &mut impl Iterator<Item = &'b (String, String)>,
    ) {
        assert!(!self.session.expects_input(), "a question is open");
        assert_eq!(self.session.poll_timeout(), None, "a question is open");
        let text = described(&question).trim_end().to_owned();
        let bodies = self.script.exchanges.iter().flat_map(|e| &e.questions);
        let scripted = bodies
            .into_iter()
            .any(|(pattern, _)| matches(pattern, &text));
        if !scripted && matches!(question, Question::Body { .. }) {
            let answer = self.answer(&question, "Body");
            self.session.answer(self.now, answer);
            return;
        }
        let Some((pattern, answer)) = questions.next() else {
            panic!("no answer is scripted for: {text}");
        };
        assert!(matches(pattern, &text), "expected {pattern}, asked {text}");
        if answer == "wait" {
            self.open = Some(question);
            return;
        }
        let answer = self.answer(&question, answer);
        self.session.answer(self.now, answer);
    }

    /// `? => answer` answers a question that was left open before.
    fn late_answers<'b>(&mut self, questions: &mut impl Iterator<Item = &'b (String, String)>) {
        if self.open.is_none() {
            return;
        }
        while let Some((pattern, answer)) = questions.next() {
            assert_eq!(pattern, "", "only the open question can be answered");
            let open = self.open.take().expect("a question is open");
            let answer = self.answer(&open, answer);
            self.session.answer(self.now, answer);
            self.drain(questions);
        }
    }

    fn answer(&self, question: &Question, text: &str) -> Answer {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        match name {
            "SignedIn" => Answer::SignedIn,
            "SignInRefused" => Answer::SignInRefused(Refusal {
                line: rest.to_owned(),
            }),
            "ScramChallenge" => Answer::ScramChallenge {
                server_first: unescaped(rest).unwrap(),
            },
            "ScramVerified" => Answer::ScramVerified {
                server_final: unescaped(rest).unwrap(),
            },
            "Maildrop" => Answer::Maildrop(self.maildrop()),
            "MaildropInUse" => Answer::MaildropInUse,
            "Body" => self.body(question),
            "DeletionsApplied" => Answer::DeletionsApplied,
            "DeletionsFailed" => Answer::DeletionsFailed,
            "Unavailable" => Answer::Unavailable,
            _ => panic!("unknown answer {text}"),
        }
    }

    fn maildrop(&self) -> Vec<MaildropEntry> {
        let messages = self.script.messages.iter();
        messages
            .map(|message| MaildropEntry {
                size_octets: octets_sent(
                    message.octets.len() as u64,
                    message.octets.ends_with(b"\r\n"),
                ),
                uid: message.uid.clone(),
            })
            .collect()
    }

    fn body(&self, question: &Question) -> Answer {
        let Question::Body {
            message,
            first,
            max_bytes,
        } = question
        else {
            panic!("no body was asked for");
        };
        let message = message.index().and_then(|at| self.script.messages.get(at));
        let octets = &message.expect("a message of the maildrop").octets;
        let first = usize::try_from(first.0).unwrap();
        let rest = octets.get(first..).expect("an offset within the message");
        let piece = rest.get(..*max_bytes).unwrap_or(rest);
        Answer::Body {
            octets: piece.to_vec(),
            end: piece.len() == rest.len(),
        }
    }

    fn mark(&mut self, text: &str) {
        self.flush();
        self.lines.push(format!("S: {text}"));
    }

    /// Cuts what was written into lines.
    fn flush(&mut self) {
        let text: String = std::mem::take(&mut self.written)
            .into_iter()
            .map(|octet| match octet {
                b'\r' | b'\n' | b' '..=b'~' => char::from(octet).to_string(),
                _ => format!("\\x{octet:02x}"),
            })
            .collect();
        let mut lines = text.split("\r\n").peekable();
        while let Some(line) = lines.next() {
            let line = line.replace('\r', "\\r").replace('\n', "\\n");
            let last = lines.peek().is_none();
            match (last, line.is_empty()) {
                (true, true) => {}
                (true, false) => self.lines.push(format!("S- {line}")),
                (false, true) => self.lines.push("S:".to_owned()),
                (false, false) => self.lines.push(format!("S: {line}")),
            }
        }
    }
}

fn pieces(octets: &[u8], cut: Cut, before: usize) -> Vec<&[u8]> {
    match cut {
        Cut::Whole => vec![octets],
        Cut::Octets => octets.chunks(1).collect(),
        Cut::At(at) => match at.checked_sub(before).filter(|at| *at < octets.len()) {
            Some(at) => {
                let (one, two) = octets.split_at(at);
                vec![one, two]
            }
            None => vec![octets],
        },
    }
}

fn described(question: &Question) -> String {
    match question {
        Question::SignIn {
            mechanism,
            credentials: Credentials::Password { user, password },
        } => format!("SignIn {mechanism:?} {user} {password}"),
        Question::ScramStart { client_first } => {
            format!("ScramStart {}", client_first.escape_ascii())
        }
        Question::ScramStep { client_final } => {
            format!("ScramStep {}", client_final.escape_ascii())
        }
        Question::OpenMaildrop => "OpenMaildrop".to_owned(),
        Question::Body { message, first, .. } => format!("Body {} {}", message.0, first.0),
        Question::ApplyDeletions { messages } => {
            let numbers: Vec<String> = messages.iter().map(|m| m.0.to_string()).collect();
            format!("ApplyDeletions {}", numbers.join(" "))
        }
    }
}
