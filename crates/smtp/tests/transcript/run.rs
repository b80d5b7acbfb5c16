//! Plays a transcript's peer and shell against a session.

use std::fmt::Write as _;

use mail::Timestamp;
use smtp::server::{Answer, Notice, Output, Question, Session};
use smtp::{Reply, ReplyCode};

use super::script::{Event, Exchange, Script, matches, unescaped};

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
struct Run {
    session: Session,
    now: Timestamp,
    open: bool,
    body: Vec<u8>,
    written: Vec<u8>,
    lines: Vec<String>,
    discards: Vec<String>,
    write_first: bool,
}

/// Questions of an exchange that have not been asked yet, with their answers.
type Questions<'a> = std::slice::Iter<'a, (String, String)>;

impl Script {
    /// Every way to cut the peer's octets; in a long script not every octet of long lines.
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
        let step = if total > 8192 { 31 } else { 1 };
        (0..total).step_by(step).map(Cut::At).chain([Cut::Octets])
    }

    /// The lines that come, exchange by exchange.
    pub(crate) fn run(&self, cut: Cut) -> Vec<Vec<String>> {
        let now = Timestamp::from_millis(1_000_000);
        let mut run = Run {
            session: Session::new(self.facts.clone(), self.limits, now),
            now,
            open: false,
            body: Vec::new(),
            written: Vec::new(),
            lines: Vec::new(),
            discards: Vec::new(),
            write_first: matches!(cut, Cut::Octets),
        };
        let mut before = 0;
        self.exchanges
            .iter()
            .map(|exchange| run.exchange(exchange, cut, &mut before))
            .collect()
    }
}

impl Run {
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
                self.session.handle_timeout(self.now);
            }
            Event::Tls(facts) => {
                assert!(self.session.poll_output().is_none(), "outputs before TLS");
                self.session.tls_started(self.now, facts.clone());
            }
            Event::Draining => self.session.notify(self.now, Notice::Draining),
            Event::Ended => self.session.notify(self.now, Notice::Ended),
        }
        self.drain(&mut questions);
        self.late_answers(&mut questions);
        assert_eq!(questions.next(), None, "a question was not asked");
        self.flush();
        // Where a discard stands among the replies depends on when they were gathered.
        self.lines.append(&mut self.discards);
        std::mem::take(&mut self.lines)
    }

    fn drain(&mut self, questions: &mut Questions<'_>) {
        let mut pending = None;
        loop {
            match self.session.poll_output() {
                Some(Output::Reply(octets)) => self.written.extend(octets),
                Some(Output::Ask(question)) if self.write_first => pending = Some(question),
                Some(Output::Ask(question)) => self.question(&question, questions),
                Some(Output::BodyChunk(octets)) => self.body.extend(octets),
                Some(Output::Discard) => {
                    self.body.clear();
                    let why = self.session.discarded().unwrap();
                    self.discards.push(format!("S: <Discard {why:?}>"));
                }
                Some(Output::StartTls) => self.mark("<StartTls>"),
                Some(Output::Close) => self.mark("<Close>"),
                None => match pending.take() {
                    Some(question) => self.question(&question, questions),
                    None => break,
                },
            }
        }
    }

    /// Answers by the script where its next line fits, and with yes where it says nothing.
    fn question(&mut self, question: &Question, questions: &mut Questions<'_>) {
        assert_eq!(self.session.poll_timeout(), None, "a question is open");
        let text = self.described(question);
        let scripted = questions
            .as_slice()
            .first()
            .filter(|(pattern, _)| matches(pattern, &text));
        let Some((_, answer)) = scripted else {
            assert!(
                !matches!(question, Question::Message { .. } | Question::Scram { .. }),
                "no answer is scripted for: {text}\nnext is {:?}",
                questions.next()
            );
            let answer = Answer::Reply(usual(question));
            return self.session.answer(self.now, answer);
        };
        questions.next();
        if answer == "wait" {
            self.open = true;
            return;
        }
        self.session.answer(self.now, parsed(answer));
    }

    /// `? => answer` answers a question that was left open before.
    fn late_answers(&mut self, questions: &mut Questions<'_>) {
        while self.open
            && let Some((_, answer)) = questions
                .as_slice()
                .first()
                .filter(|(pattern, _)| pattern.is_empty())
        {
            questions.next();
            self.open = false;
            self.session.answer(self.now, parsed(answer));
            self.drain(questions);
        }
    }

    fn described(&mut self, question: &Question) -> String {
        match question {
            Question::Mail {
                parameters,
                greeting_name,
                esmtp,
            } => {
                let path = &parameters.reverse_path;
                let mut text = format!("Mail <{path}> {:?}", parameters.body);
                if let Some(size) = parameters.size_bytes {
                    let _ = write!(text, " size={size}");
                }
                if parameters.smtputf8 {
                    text += " smtputf8";
                }
                if let Some(ret) = parameters.ret {
                    let _ = write!(text, " {ret:?}");
                }
                if let Some(envid) = &parameters.envid {
                    let _ = write!(text, " envid={envid}");
                }
                let hello = if *esmtp { "EHLO" } else { "HELO" };
                text + &format!(" {hello} {}", greeting_name.as_deref().unwrap_or("?"))
            }
            Question::Recipient { recipient } => {
                let mut text = format!("Recipient <{}>", recipient.path);
                if let Some(notify) = recipient.notify {
                    text += " notify=";
                    text += if notify.success { "S" } else { "" };
                    text += if notify.failure { "F" } else { "" };
                    text += if notify.delay { "D" } else { "" };
                }
                if let Some(orcpt) = &recipient.orcpt {
                    let _ = write!(text, " orcpt={orcpt}");
                }
                text
            }
            Question::Body => "Body".to_owned(),
            Question::Message {
                size_bytes,
                lines,
                eight_bit,
            } => {
                let body = std::mem::take(&mut self.body);
                assert_eq!(u64::try_from(body.len()).unwrap(), *size_bytes);
                assert_eq!(!body.is_ascii(), *eight_bit);
                let protocol = self.session.protocol();
                format!("Message {protocol} {lines} {}", body.escape_ascii())
            }
            Question::Authenticate(credentials) => format!(
                "Authenticate {} {} {} as {}",
                credentials.mechanism.name(),
                credentials.name,
                credentials.password,
                credentials.authorization_id.as_deref().unwrap_or("self")
            ),
            Question::Scram { first, message } => {
                let step = if *first { "first" } else { "next" };
                format!("Scram {step} {}", message.escape_ascii())
            }
        }
        .trim_end()
        .to_owned()
    }

    fn mark(&mut self, text: &str) {
        self.flush();
        self.lines.push(format!("S: {text}"));
    }

    /// Cuts what was written into lines.
    fn flush(&mut self) {
        let written = std::mem::take(&mut self.written);
        let text = String::from_utf8(written).expect("replies are ASCII");
        for line in text.split_terminator("\r\n") {
            self.lines.push(format!("S: {line}"));
        }
        assert!(text.is_empty() || text.ends_with("\r\n"), "half a line");
    }
}

fn usual(question: &Question) -> Reply {
    let (code, enhanced, text) = match question {
        Question::Mail { .. } => (ReplyCode::OK, (1, 0), "sender ok"),
        Question::Recipient { .. } => (ReplyCode::OK, (1, 5), "recipient ok"),
        Question::Body => (ReplyCode::OK, (0, 0), "a body may come"),
        Question::Authenticate(_) => (ReplyCode::SIGNED_IN, (7, 0), "welcome"),
        Question::Message { .. } | Question::Scram { .. } => unreachable!("always scripted"),
    };
    Reply::new(code, Some(enhanced), text)
}

/// `250 2.0.0 text`, `challenge text`, `close 421 4.3.2 text`.
fn parsed(text: &str) -> Answer {
    if let Some(challenge) = text.strip_prefix("challenge ") {
        return Answer::Challenge(unescaped(challenge).unwrap());
    }
    match text.strip_prefix("close ") {
        Some(rest) => Answer::Close(reply(rest)),
        None => Answer::Reply(reply(text)),
    }
}

fn reply(text: &str) -> Reply {
    let (code, rest) = text.split_once(' ').unwrap();
    let (enhanced, words) = rest.split_once(' ').unwrap();
    let code = ReplyCode::from_number(code.parse().unwrap()).unwrap();
    let status: mail::EnhancedStatus = enhanced.parse().unwrap();
    Reply::new(code, Some((status.subject, status.detail)), words)
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
