//! The server session and its verbs.
//!
//! Promises: no I/O, no clock; replies in the order of the commands; no command is read while a
//! question is open; whatever the peer sends, the session holds bounded memory and never panics.
//! Does not: know any command; each group has a file of its own.
//! Standards: RFC 1939, RFC 2449 §8.

use std::mem;

use mail::Timestamp;

use crate::command::{Command, CommandError};
use crate::facts::Facts;
use crate::limits::Limits;
use crate::line::{Line, LineLimits, LineReader};
use crate::output::{Answer, Notice, Output, Question};
use crate::reply::Outbox;
use crate::state::State;

/// One POP3 connection, seen from the server.
#[derive(Debug)]
pub struct Session {
    pub(crate) facts: Facts,
    pub(crate) limits: Limits,
    pub(crate) outbox: Outbox,
    pub(crate) failed_sign_ins: u32,
    pub(crate) state: State,
    lines: LineReader,
    now: Timestamp,
    idle_until: Timestamp,
    bad_commands: u32,
    draining: bool,
}

impl Session {
    /// A session whose greeting is the first output.
    pub fn new(facts: Facts, limits: Limits, now: Timestamp) -> Self {
        let idle_until = now.plus(limits.idle);
        let mut outbox = Outbox::default();
        // RFC 1939 §7: without APOP the greeting must not look like it holds a time stamp.
        let host_name = facts.host_name.replace(['<', '>'], "");
        outbox.ok(&format!("{host_name} POP3 server ready"));
        Self {
            facts,
            limits,
            outbox,
            failed_sign_ins: 0,
            state: State::Authorization { user: None },
            lines: LineReader::default(),
            now,
            idle_until,
            bad_commands: 0,
            draining: false,
        }
    }

    /// Takes octets from the peer and carries out commands until a question is open, replies are
    /// many, or the octets are used up.
    ///
    /// What cannot be used yet is held, up to [`Limits::input_octets`]; a shell that reads only
    /// while [`expects_input`](Self::expects_input) never comes near.
    pub fn handle_input(&mut self, now: Timestamp, input: &[u8]) {
        self.now = now;
        match self.state {
            // RFC 2595 §4, CVE-2021-38084: what came in clear text after STLS is dropped.
            State::Securing | State::Closed => return,
            State::Authorization { .. }
            | State::Exchange(_)
            | State::SigningIn(_)
            | State::Opening
            | State::Transaction(_)
            | State::Listing(..)
            | State::Retrieving(..)
            | State::Updating => self.lines.push(input),
        }
        self.advance();
        if self.lines.len() > self.limits.input_octets {
            self.end("[SYS/TEMP] too much input at once");
        }
    }

    /// What the shell has to do next; `None` when it is the peer's or the shell's turn.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.advance();
        self.outbox.poll(self.limits.reply_octets)
    }

    /// Answers the open question; without one nothing happens.
    pub fn answer(&mut self, now: Timestamp, answer: Answer) {
        self.touch(now);
        self.state = match mem::take(&mut self.state) {
            State::SigningIn(asked) => self.sign_in_answered(asked, answer),
            State::Opening => self.maildrop_answered(answer),
            State::Retrieving(maildrop, transfer) => match answer {
                Answer::Body { octets, end } => self.body(maildrop, transfer, &octets, end),
                Answer::SignedIn
                | Answer::SignInRefused(_)
                | Answer::ScramChallenge { .. }
                | Answer::ScramVerified { .. }
                | Answer::Maildrop(_)
                | Answer::MaildropInUse
                | Answer::DeletionsApplied
                | Answer::DeletionsFailed
                | Answer::Unavailable => self.body_unavailable(maildrop, &transfer),
            },
            State::Updating => self.deletions_answered(&answer),
            unasked @ (State::Authorization { .. }
            | State::Exchange(_)
            | State::Transaction(_)
            | State::Listing(..)
            | State::Securing
            | State::Closed) => unasked,
        };
        self.advance();
    }

    /// [`Answer::Body`] from a buffer that the shell keeps.
    pub fn answer_body(&mut self, now: Timestamp, octets: &[u8], end: bool) {
        match mem::take(&mut self.state) {
            State::Retrieving(maildrop, transfer) => {
                self.touch(now);
                self.state = self.body(maildrop, transfer, octets, end);
                self.advance();
            }
            other @ (State::Authorization { .. }
            | State::Exchange(_)
            | State::SigningIn(_)
            | State::Opening
            | State::Transaction(_)
            | State::Listing(..)
            | State::Updating
            | State::Securing
            | State::Closed) => {
                self.state = other;
                self.answer(now, Answer::Unavailable);
            }
        }
    }

    /// Whether the session waits for the peer, rather than for the shell.
    pub fn expects_input(&self) -> bool {
        match self.state {
            State::Authorization { .. } | State::Exchange(_) | State::Transaction(_) => true,
            State::SigningIn(_)
            | State::Opening
            | State::Listing(..)
            | State::Retrieving(..)
            | State::Updating
            | State::Securing
            | State::Closed => false,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while the shell is to act.
    ///
    /// How long a peer may take to read what is written, or to shake hands for TLS, is the
    /// shell's to bound.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.expects_input().then_some(self.idle_until)
    }

    /// Ends the session if the peer was silent for too long.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
        if self.poll_timeout().is_some_and(|until| until <= now) {
            // RFC 1939 §3: the connection is closed without removing any message and without a
            // response.
            self.state = State::Closed;
            self.advance();
        }
    }

    /// Tells the session what happened outside.
    pub fn notify(&mut self, now: Timestamp, notice: Notice) {
        self.now = now;
        match notice {
            Notice::Draining => {
                self.draining = true;
                self.advance();
            }
            Notice::Ended => self.end("[SYS/TEMP] session ended by the operator"),
        }
    }

    /// TLS is active; `facts` replace those of the clear-text connection.
    pub fn tls_started(&mut self, now: Timestamp, facts: Facts) {
        if !matches!(self.state, State::Securing) {
            return;
        }
        self.facts = facts;
        // RFC 2595 §4: whatever the peer said before is forgotten.
        self.state = State::Authorization { user: None };
        self.touch(now);
        self.advance();
    }

    /// Octets of input and of replies held now, the listing aside.
    pub fn held_octets(&self) -> usize {
        self.lines.len() + self.outbox.len()
    }

    /// Carries out whole lines while nothing stands in the way.
    fn advance(&mut self) {
        let mut lines = mem::take(&mut self.lines);
        while self.outbox.has_room(self.limits.reply_octets) {
            let ordinary = match &self.state {
                State::Listing(..) => {
                    self.list_on();
                    continue;
                }
                State::Authorization { .. } | State::Exchange(_) | State::Transaction(_)
                    if self.draining =>
                {
                    self.outbox
                        .err("[SYS/TEMP] the service is stopping, try again later");
                    self.state = State::Closed;
                    break;
                }
                State::Authorization { .. } | State::Transaction(_) => self.limits.command_octets,
                State::Exchange(_) => self.limits.sasl_octets,
                State::SigningIn(_)
                | State::Opening
                | State::Retrieving(..)
                | State::Updating
                | State::Securing
                | State::Closed => break,
            };
            let auth = self.limits.sasl_octets;
            match lines.next(LineLimits { ordinary, auth }) {
                Some(line) => self.line(&line),
                None => break,
            }
        }
        match self.state {
            State::Closed => {
                self.outbox.close();
                lines.clear();
            }
            State::Securing => lines.clear(),
            State::Authorization { .. }
            | State::Exchange(_)
            | State::SigningIn(_)
            | State::Opening
            | State::Transaction(_)
            | State::Listing(..)
            | State::Retrieving(..)
            | State::Updating => {}
        }
        self.lines = lines;
    }

    fn line(&mut self, line: &Line<'_>) {
        // RFC 1939 §3: any command resets the timer; half a line is none.
        self.touch(self.now);
        self.state = match mem::take(&mut self.state) {
            State::Exchange(exchange) => self.exchange_line(exchange, line),
            State::Authorization { user } => match command(line) {
                Ok(command) => self.authorization(user, command),
                Err(error) => self.bad(State::Authorization { user }, &error.to_string()),
            },
            State::Transaction(maildrop) => match command(line) {
                Ok(command) => self.transaction(maildrop, command),
                Err(error) => self.bad(State::Transaction(maildrop), &error.to_string()),
            },
            unread @ (State::SigningIn(_)
            | State::Opening
            | State::Listing(..)
            | State::Retrieving(..)
            | State::Updating
            | State::Securing
            | State::Closed) => unread,
        };
    }

    /// Refuses a command that is not one, or not now; too many of them end the session.
    pub(crate) fn bad(&mut self, state: State, text: &str) -> State {
        self.bad_commands += 1;
        if self.bad_commands >= self.limits.bad_commands {
            self.outbox.err("too many bad commands, closing");
            return State::Closed;
        }
        self.outbox.err(text);
        state
    }

    /// Opens a question; `state` is the one that waits for its answer.
    pub(crate) fn ask(&mut self, state: State, question: Question) -> State {
        self.outbox.ask(question);
        state
    }

    /// Ends the session at once, with a word where one can still be read as a reply.
    fn end(&mut self, text: &str) {
        match mem::take(&mut self.state) {
            // In the middle of a multi-line reply a status line would be taken for content, and a
            // final dot would pass off a part as the whole.
            State::Listing(..) | State::Closed | State::Securing => {}
            State::Retrieving(_, transfer) if transfer.has_begun() => {}
            State::Authorization { .. }
            | State::Exchange(_)
            | State::SigningIn(_)
            | State::Opening
            | State::Transaction(_)
            | State::Retrieving(..)
            | State::Updating => self.outbox.err(text),
        }
        self.advance();
    }

    fn touch(&mut self, now: Timestamp) {
        self.now = now;
        self.idle_until = now.plus(self.limits.idle);
    }
}

fn command<'a>(line: &Line<'a>) -> Result<Command<'a>, CommandError> {
    match line {
        Line::Text(text) => Command::parse(text),
        Line::TooLong => Err(CommandError::TooLong),
        Line::BareControl => Err(CommandError::BareControl),
    }
}
