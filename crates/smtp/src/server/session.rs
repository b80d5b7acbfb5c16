//! The session: its verbs, and how octets become commands and content.
//!
//! Promises: a plain value; no question is open while a command is read; input kept is bounded as
//! long as the shell heeds `wants_input`; a connection that has sent nothing costs no buffer.
//! Does not: know commands (see `commands` and one file per group).
//! Standards: RFC 5321 §4, RFC 2920, RFC 3848, RFC 6531 §4.3.

use std::mem;

use mail::Timestamp;

use super::outbox::Outbox;
use super::state::{Pending, State};
use super::{Answer, Discarded, Facts, Limits, Notice, Output, Question, TlsState, replies};
use crate::command::LINE_BYTES_MAX;
use crate::{CommandSyntax, Reply};

/// One SMTP connection, seen from the server.
#[derive(Debug)]
pub struct Session {
    pub(super) facts: Facts,
    pub(super) limits: Limits,
    pub(super) state: State,
    pub(super) outbox: Outbox,
    pub(super) client: Client,
    input: Vec<u8>,
    /// Within a line that is too long.
    skipping: bool,
    draining: bool,
    discarded: Option<Discarded>,
    now: Timestamp,
    deadline: Timestamp,
}

/// What the client has shown of itself.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) greeting_name: Option<String>,
    pub(super) esmtp: bool,
    pub(super) signed_in: bool,
    pub(super) spoke_early: bool,
    pub(super) bad_commands: u32,
    pub(super) failed_sign_ins: u32,
}

impl Session {
    /// A session that is about to greet its client.
    pub fn new(facts: Facts, limits: Limits, now: Timestamp) -> Self {
        let mut outbox = Outbox::default();
        outbox.reply(&replies::greeting(&facts.host_name));
        Self {
            state: State::Greeted,
            outbox,
            client: Client::default(),
            input: Vec::new(),
            skipping: false,
            draining: false,
            discarded: None,
            now,
            deadline: now.plus(limits.command_timeout),
            facts,
            limits,
        }
    }

    /// Takes octets that the peer sent; poll for outputs afterwards.
    pub fn handle_input(&mut self, now: Timestamp, input: &[u8]) {
        self.now = now;
        if !self.outbox.has_greeted() && !input.is_empty() {
            self.client.spoke_early = true;
        }
        if self.input.is_empty() {
            let used = self.consume(input);
            self.input
                .extend_from_slice(input.get(used..).unwrap_or_default());
        } else {
            self.input.extend_from_slice(input);
            self.resume();
        }
    }

    /// The next thing to do; `None` until the session is told something else.
    pub fn poll_output(&mut self) -> Option<Output> {
        let was_full = self.outbox.is_full();
        let output = self.outbox.pop();
        if was_full && !self.outbox.is_full() {
            self.resume();
        }
        output
    }

    /// Answers the open question; without one it does nothing.
    pub fn answer(&mut self, now: Timestamp, answer: Answer) {
        self.now = now;
        if !matches!(self.state, State::Waiting(_)) {
            return;
        }
        let State::Waiting(pending) = mem::replace(&mut self.state, State::Closing) else {
            return;
        };
        let next = match answer {
            Answer::Reply(reply) => self.answered(pending, reply),
            Answer::Challenge(challenge) if matches!(pending, Pending::Scram) => {
                self.scram_challenge(&challenge)
            }
            Answer::Challenge(_) => {
                let reply = replies::internal(&self.facts.host_name);
                self.close(&State::Waiting(pending), &reply, Discarded::Ended)
            }
            Answer::Close(reply) => self.close(&State::Waiting(pending), &reply, Discarded::Ended),
        };
        self.enter(next);
        self.resume();
    }

    /// When to call `handle_timeout`; `None` while the session does not wait for its client.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting(_) | State::StartingTls | State::Closing => None,
            State::Greeted
            | State::Ready { .. }
            | State::Mail(_)
            | State::Data(..)
            | State::Chunk(_)
            | State::Chunks(..)
            | State::Unwanted(_)
            | State::Auth(_) => Some(self.deadline),
        }
    }

    /// Says 421 4.4.2 and closes, if the time that `poll_timeout` gave has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            let reply = replies::timed_out(&self.facts.host_name);
            self.close_now(&reply, Discarded::TimedOut);
        }
    }

    /// Tells the session what the shell decided of its own accord.
    pub fn notify(&mut self, now: Timestamp, notice: Notice) {
        self.now = now;
        self.draining = true;
        let at_once = match (&self.state, notice) {
            (State::Closing | State::Waiting(Pending::Message { .. }), _) => false,
            // No reply in clear text may follow the 220 to STARTTLS.
            (State::StartingTls, Notice::Ended) => {
                self.outbox.push(Output::Close);
                self.state = State::Closing;
                false
            }
            (_, Notice::Ended) | (State::Greeted | State::Ready { .. }, Notice::Draining) => true,
            (_, Notice::Draining) => false,
        };
        if at_once {
            let reply = replies::shutting_down(&self.facts.host_name);
            self.close_now(&reply, Discarded::Ended);
        }
    }

    /// TLS is on, with these facts: whatever the client said before is forgotten.
    // RFC 3207 §4.2: the server discards any knowledge obtained from the client before TLS.
    pub fn tls_started(&mut self, now: Timestamp, facts: Facts) {
        self.now = now;
        self.facts = facts;
        if matches!(self.state, State::StartingTls) {
            self.client.greeting_name = None;
            self.client.esmtp = false;
            self.client.signed_in = false;
            self.input = Vec::new();
            self.enter(State::Greeted);
        }
    }

    /// Whether more input may be read from the peer now.
    pub fn wants_input(&self) -> bool {
        let bound = self.limits.input_bytes_max.max(LINE_BYTES_MAX + 2);
        !matches!(self.state, State::Closing | State::StartingTls)
            && self.input.len() < bound
            && !self.outbox.is_full()
    }

    /// Octets of input that are kept unread.
    pub fn buffered_bytes(&self) -> usize {
        self.input.len()
    }

    /// The `with` keyword of a Received field for the present transaction.
    // RFC 3848: ESMTP, with S for TLS and A for a sign-in. RFC 6531 §4.3: UTF8SMTP likewise.
    pub fn protocol(&self) -> &'static str {
        let tls = self.facts.tls == TlsState::Active;
        let utf8 = self.state.smtputf8();
        match (self.client.esmtp, utf8, tls, self.client.signed_in) {
            (false, false, _, _) => "SMTP",
            (true, false, false, false) => "ESMTP",
            (true, false, false, true) => "ESMTPA",
            (true, false, true, false) => "ESMTPS",
            (true, false, true, true) => "ESMTPSA",
            (_, true, false, false) => "UTF8SMTP",
            (_, true, false, true) => "UTF8SMTPA",
            (_, true, true, false) => "UTF8SMTPS",
            (_, true, true, true) => "UTF8SMTPSA",
        }
    }

    /// The name that HELO or EHLO gave, as it was written.
    pub fn greeting_name(&self) -> Option<&str> {
        self.client.greeting_name.as_deref()
    }

    /// The client sent something before it was greeted, as `poll_output` saw it.
    pub fn spoke_early(&self) -> bool {
        self.client.spoke_early
    }

    /// The client has signed in.
    pub fn signed_in(&self) -> bool {
        self.client.signed_in
    }

    /// The facts as they now stand.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Why the last `Output::Discard` came.
    pub fn discarded(&self) -> Option<Discarded> {
        self.discarded
    }

    /// Reads on in what was kept.
    fn resume(&mut self) {
        if self.input.is_empty() {
            return;
        }
        let mut input = mem::take(&mut self.input);
        let used = self.consume(&input);
        if used < input.len() {
            input.drain(..used);
            self.input = input;
        }
    }

    /// Reads `input` until it runs out or something must happen first; gives what was used.
    fn consume(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
            let used = match self.state {
                State::Closing | State::StartingTls => return input.len(),
                _ if self.outbox.is_full() => return at,
                State::Waiting(_) => return at,
                State::Data(..) => self.read_data(rest),
                State::Chunk(_) => self.read_chunk(rest),
                State::Unwanted(_) => self.read_unwanted(rest),
                State::Greeted
                | State::Ready { .. }
                | State::Mail(_)
                | State::Chunks(..)
                | State::Auth(_) => self.read_line(rest),
            };
            if used == 0 {
                return at;
            }
            at += used;
        }
        at
    }

    /// Reads one line; gives what was used, nothing while the line is not complete.
    fn read_line(&mut self, rest: &[u8]) -> usize {
        // A TLS record that begins a handshake: the client means another port, and would wait.
        if matches!(self.state, State::Greeted) && !self.skipping && rest.first() == Some(&0x16) {
            let reply = replies::wrong_protocol(&self.facts.host_name);
            self.close_now(&reply, Discarded::ByClient);
            return rest.len();
        }
        match line_end(rest) {
            Some(end) if self.skipping || end > LINE_BYTES_MAX => {
                self.skipping = false;
                let state = mem::replace(&mut self.state, State::Closing);
                let next = self.bad_line(state, CommandSyntax::TooLong);
                self.enter(next);
                end
            }
            Some(end) => {
                let line = rest.get(..end.saturating_sub(2)).unwrap_or_default();
                let state = mem::replace(&mut self.state, State::Closing);
                let next = self.line(state, line);
                self.enter(next);
                end
            }
            None if self.skipping || rest.len() > LINE_BYTES_MAX => {
                self.skipping = true;
                // A CR at the end may be half of the line end.
                rest.len() - usize::from(rest.last() == Some(&b'\r'))
            }
            None => 0,
        }
    }

    /// Goes on to `next`, unless the service is stopping and nothing is in flight.
    pub(super) fn enter(&mut self, next: State) {
        let idle = matches!(next, State::Greeted | State::Ready { .. });
        self.state = next;
        if self.draining && idle {
            let reply = replies::shutting_down(&self.facts.host_name);
            self.close_now(&reply, Discarded::Ended);
        }
        self.deadline = self.now.plus(if self.state.reads_body() {
            self.limits.data_timeout
        } else {
            self.limits.command_timeout
        });
    }

    /// The client sent more of a body: it may take its time again.
    pub(super) fn body_progressed(&mut self) {
        self.deadline = self.now.plus(self.limits.data_timeout);
    }

    pub(super) fn ask(&mut self, question: Question, pending: Pending) -> State {
        self.outbox.push(Output::Ask(question));
        State::Waiting(pending)
    }

    /// Tells the shell that the open transaction brings no message.
    pub(super) fn discard(&mut self, why: Discarded) {
        self.discarded = Some(why);
        self.outbox.push(Output::Discard);
    }

    /// The last reason was not the one that the client heard.
    pub(super) fn discarded_for(&mut self, why: Discarded) {
        self.discarded = Some(why);
    }

    /// Says `reply` as the last thing; `state` is what is given up.
    pub(super) fn close(&mut self, state: &State, reply: &Reply, why: Discarded) -> State {
        if state.holds_transaction() {
            self.discard(why);
        }
        self.outbox.reply(reply);
        self.outbox.push(Output::Close);
        self.input = Vec::new();
        State::Closing
    }

    fn close_now(&mut self, reply: &Reply, why: Discarded) {
        let state = mem::replace(&mut self.state, State::Closing);
        self.state = self.close(&state, reply, why);
    }
}

/// Where the octet after the first CRLF stands.
// RFC 5321 §2.3.8: lines end with CRLF and with nothing else.
fn line_end(input: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', input)
        .find(|at| at.checked_sub(1).and_then(|before| input.get(before)) == Some(&b'\r'))
        .map(|at| at + 1)
}
