//! Runs a transcript through a client session.

use std::time::Duration;

use mail::Timestamp;
use smtp::client::{Fate, Notice, Output, Question, Session};

use super::Script;
use super::script::{Event, answer};

/// How the server's octets reach the session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Each piece of input at once.
    Whole,
    /// One octet at a time.
    Octets,
    /// In two, at this octet of all input.
    At(usize),
}

impl Script {
    /// Every place to cut at, and all of them together.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let all: usize = self
            .exchanges
            .iter()
            .map(|exchange| match &exchange.event {
                Event::Input(octets) => octets.len(),
                Event::Nothing
                | Event::Clock(_)
                | Event::Tls
                | Event::Closed
                | Event::Draining
                | Event::Ended => 0,
            })
            .sum();
        // An endless flood is cut at its beginning only.
        (1..if all > 4000 { 40 } else { all })
            .map(Cut::At)
            .chain([Cut::Octets])
            .collect()
    }

    /// What comes of each exchange, as lines.
    pub(crate) fn run(&self, cut: Cut) -> Vec<Vec<String>> {
        let now = Timestamp::from_millis(0);
        let session = Session::new(self.facts.clone(), self.limits, now);
        let mut run = Run {
            session,
            now,
            lines: Vec::new(),
            paths: Vec::new(),
        };
        let mut before = 0;
        self.exchanges
            .iter()
            .map(|exchange| {
                let mut answers = exchange.answers.iter();
                match &exchange.event {
                    Event::Input(octets) => {
                        for piece in pieces(octets, cut, before) {
                            run.session.handle_input(run.now, piece);
                            run.poll(&mut answers);
                        }
                        before += octets.len();
                    }
                    Event::Clock(time) => run.clock(*time),
                    Event::Tls => run.session.tls_started(run.now),
                    Event::Closed => run.session.notify(run.now, Notice::PeerClosed),
                    Event::Draining => run.session.notify(run.now, Notice::Draining),
                    Event::Ended => run.session.notify(run.now, Notice::Ended),
                    Event::Nothing => {}
                }
                run.poll(&mut answers);
                std::mem::take(&mut run.lines)
            })
            .collect()
    }
}

struct Run {
    session: Session,
    now: Timestamp,
    lines: Vec<String>,
    /// The recipients of the transaction under way.
    paths: Vec<String>,
}

impl Run {
    fn clock(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.session.handle_timeout(self.now);
    }

    fn poll<'a>(&mut self, answers: &mut impl Iterator<Item = &'a String>) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Command(octets) | Output::BodyChunk(octets) => self.wrote(&octets),
                Output::Ask(question) => {
                    self.lines.push(match question {
                        Question::Transaction => "? Transaction".to_owned(),
                        Question::Body { bytes_max } => format!("? Body {bytes_max}"),
                    });
                    let text = answers.next().map_or("wait", String::as_str);
                    let answer = answer(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                    if let Some(answer) = answer {
                        if let smtp::client::Answer::Transaction(transaction) = &answer {
                            let paths = transaction.recipients.iter();
                            self.paths = paths.map(|one| one.path.to_string()).collect();
                        }
                        self.session.answer(self.now, answer);
                    }
                }
                Output::StartTls => self.lines.push("= start tls".to_owned()),
                Output::Failed(failure) => self
                    .lines
                    .push(format!("= failed {:?} {}", failure.stage, failure.trouble)),
                Output::Finished(fates) => self.finished(&fates),
                Output::Close => self.lines.push("= close".to_owned()),
            }
        }
    }

    fn finished(&mut self, fates: &[Fate]) {
        assert_eq!(fates.len(), self.paths.len(), "one fate for each recipient");
        for (path, fate) in self.paths.iter().zip(fates) {
            self.lines.push(match fate {
                Fate::Taken { reply } => format!("= <{path}> taken {}", reply.summary()),
                Fate::NotTaken { stage, trouble } => format!("= <{path}> {stage:?} {trouble}"),
                Fate::Lacks(lack) => format!("= <{path}> lacks {lack:?}"),
            });
        }
    }

    fn wrote(&mut self, octets: &[u8]) {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            let shown = match line.strip_suffix(b"\r\n") {
                Some(text) => text.escape_ascii().to_string(),
                None => format!("{}\\", line.escape_ascii()),
            };
            self.lines.push(format!("C: {shown}").trim_end().to_owned());
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
