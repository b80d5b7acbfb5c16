//! The client session: its verbs, and what each reply leads to.
//!
//! Promises: a plain value; commands wait for the replies that they depend on; after a failure the
//! shell hears once what became of whom, then `Close`.
//! Does not: know why a message is sent, or where else it could go.
//! Standards: RFC 5321 §3, §4.5.3.2; RFC 3207 §4; RFC 4954 §4.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use mail::Timestamp;

use super::dot_stuffing::DotStuffer;
use super::exchange::{Exchange, Next};
use super::sign_in::{SignIn, Step};
use super::state::State;
use super::{
    Answer, Extensions, Facts, Failure, Limits, Notice, Output, Question, Stage, TlsUse,
    Transaction, Trouble,
};
use crate::{PeerReply, ReplyReader};

/// One SMTP connection, seen from the client.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact of the connection, independent of the others"
)]
pub struct Session {
    facts: Facts,
    limits: Limits,
    state: State,
    reader: ReplyReader,
    outputs: VecDeque<Output>,
    extensions: Extensions,
    tls_active: bool,
    signed_in: bool,
    /// The server may still be in a transaction that is over for us.
    reset: bool,
    draining: bool,
    /// A question is with the shell.
    asking: bool,
    now: Timestamp,
    deadline: Timestamp,
}

impl Session {
    /// A session that waits for its greeting.
    pub fn new(facts: Facts, limits: Limits, now: Timestamp) -> Self {
        Self {
            facts,
            limits,
            state: State::Greeting,
            reader: ReplyReader::new(),
            outputs: VecDeque::new(),
            extensions: Extensions::default(),
            tls_active: false,
            signed_in: false,
            reset: false,
            draining: false,
            asking: false,
            now,
            deadline: now.plus(limits.greeting_timeout),
        }
    }

    /// Takes octets that the server sent; poll for outputs afterwards.
    pub fn handle_input(&mut self, now: Timestamp, input: &[u8]) {
        self.now = now;
        let mut input = input;
        // RFC 3207 §4.2: what came in clear text behind the reply to STARTTLS is dropped, and
        // so is what comes after the end.
        while !input.is_empty() && !matches!(self.state, State::StartingTls | State::Closed) {
            match self.reader.read(&mut input) {
                Ok(Some(reply)) => self.reply(reply),
                Ok(None) => break,
                Err(problem) => self.give_up(Trouble::NoReply(problem)),
            }
        }
    }

    /// The next thing to do; `None` until the session is told something else.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if matches!(output, Some(Output::Ask(_))) {
            self.asking = true;
        }
        output
    }

    /// Answers the open question; an answer that does not fit it is passed over.
    pub fn answer(&mut self, now: Timestamp, answer: Answer) {
        self.now = now;
        self.asking = false;
        match (mem::replace(&mut self.state, State::Closed), answer) {
            (State::Idle, Answer::Transaction(transaction)) => self.begin(transaction),
            (State::Idle, Answer::Quit) => self.quit(),
            (State::Body(exchange, stuffer), Answer::Body { octets, last }) => {
                self.body(exchange, stuffer, octets, last);
            }
            (state @ State::Body(..), Answer::NoBody) => {
                self.state = state;
                self.give_up(Trouble::NoBody);
            }
            (state, _) => self.state = state,
        }
    }

    /// When to call `handle_timeout`; `None` while the session does not wait for the server.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::StartingTls | State::Idle | State::Closed => None,
            State::Body(..) if self.asking => None,
            State::Greeting
            | State::Ehlo
            | State::Helo
            | State::StartTls
            | State::SignIn(_)
            | State::Commands(_)
            | State::Body(..)
            | State::FinalDot(_)
            | State::Quitting => Some(self.deadline),
        }
    }

    /// Gives up, if the time that `poll_timeout` gave has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.give_up(Trouble::TimedOut);
        }
    }

    /// Tells the session what the shell learnt or decided of its own accord.
    pub fn notify(&mut self, now: Timestamp, notice: Notice) {
        self.now = now;
        match notice {
            Notice::PeerClosed => self.give_up(Trouble::Closed),
            Notice::Draining | Notice::Ended if matches!(self.state, State::Idle) => self.quit(),
            Notice::Draining => self.draining = true,
            // RFC 5321 §4.5.3.2.6: the server may be about to take the message; hear it out.
            Notice::Ended if matches!(self.state, State::FinalDot(_) | State::Quitting) => {
                self.draining = true;
            }
            Notice::Ended => self.give_up(Trouble::Ended),
        }
    }

    /// TLS is on: what the server announced before is forgotten.
    pub fn tls_started(&mut self, now: Timestamp) {
        self.now = now;
        self.tls_active = true;
        if matches!(self.state, State::StartingTls) {
            // RFC 3207 §4.2: the client discards what it learnt, and says EHLO again.
            self.extensions = Extensions::default();
            self.reader = ReplyReader::new();
            self.hello("EHLO", State::Ehlo);
        }
    }

    /// What the server announced last.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether the session waits for a transaction.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the session is over; what it has to report may still wait in its outputs.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    fn reply(&mut self, reply: PeerReply) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Greeting => self.greeted(reply),
            State::Ehlo => self.answered_ehlo(reply),
            State::Helo => self.answered_helo(reply),
            State::StartTls => self.answered_starttls(reply),
            State::SignIn(sign_in) => self.answered_sign_in(sign_in, reply),
            State::Commands(mut exchange) => {
                let stage = exchange.stage();
                match exchange.reply(reply) {
                    Ok(()) => self.go_on(exchange),
                    Err(trouble) => self.break_off(exchange, stage, &trouble),
                }
            }
            State::FinalDot(mut exchange) => match exchange.final_reply(reply) {
                Ok(()) => self.report(exchange),
                Err(trouble) => self.break_off(exchange, Stage::FinalDot, &trouble),
            },
            // A reply to content that has not ended: the server has had enough.
            State::Body(exchange, _) => {
                let refused = reply.is_transient() || reply.is_permanent();
                let trouble = if refused {
                    Trouble::Reply(reply)
                } else {
                    Trouble::Unexpected(reply)
                };
                self.break_off(exchange, Stage::Text, &trouble);
            }
            State::Idle if reply.code == 421 => self.fail(Stage::Idle, Trouble::Reply(reply)),
            State::Idle => self.fail(Stage::Idle, Trouble::Unexpected(reply)),
            State::Quitting | State::StartingTls | State::Closed => {
                self.outputs.push_back(Output::Close);
            }
        }
    }

    fn greeted(&mut self, reply: PeerReply) {
        if reply.is_success() {
            self.hello("EHLO", State::Ehlo);
        } else {
            self.fail(Stage::Greeting, refusal(reply));
        }
    }

    fn hello(&mut self, verb: &str, state: State) {
        let line = format!("{verb} {}\r\n", self.facts.host_name);
        self.send(line, state, self.limits.command_timeout);
    }

    fn answered_ehlo(&mut self, reply: PeerReply) {
        if reply.is_success() {
            self.extensions = Extensions::read(&reply);
            self.secured_or_not();
        } else if reply.is_permanent() {
            // RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO.
            self.hello("HELO", State::Helo);
        } else {
            self.fail(Stage::Hello, refusal(reply));
        }
    }

    fn answered_helo(&mut self, reply: PeerReply) {
        if reply.is_success() {
            self.secured_or_not();
        } else {
            self.fail(Stage::Hello, refusal(reply));
        }
    }

    /// After EHLO: STARTTLS if it is to be, else on.
    fn secured_or_not(&mut self) {
        match self.facts.tls {
            TlsUse::IfOffered | TlsUse::Required if self.tls_active => self.sign_in_or_not(),
            TlsUse::IfOffered | TlsUse::Required if self.extensions.starttls => {
                let timeout = self.limits.command_timeout;
                self.send("STARTTLS\r\n".to_owned(), State::StartTls, timeout);
            }
            TlsUse::Required => self.fail(Stage::StartTls, Trouble::TlsNotOffered),
            TlsUse::IfOffered | TlsUse::Never => self.sign_in_or_not(),
        }
    }

    fn answered_starttls(&mut self, reply: PeerReply) {
        if reply.code == 220 {
            self.state = State::StartingTls;
            self.outputs.push_back(Output::StartTls);
        } else if self.facts.tls == TlsUse::Required || reply.code == 421 {
            self.fail(Stage::StartTls, refusal(reply));
        } else {
            self.sign_in_or_not();
        }
    }

    fn sign_in_or_not(&mut self) {
        match &self.facts.credentials {
            Some(credentials) if !self.signed_in => {
                let step = SignIn::begin(&self.extensions, credentials);
                self.sign_in(step);
            }
            Some(_) | None => self.idle(),
        }
    }

    fn answered_sign_in(&mut self, sign_in: SignIn, reply: PeerReply) {
        match &self.facts.credentials {
            Some(credentials) => {
                let step = sign_in.reply(reply, credentials);
                self.sign_in(step);
            }
            None => self.idle(),
        }
    }

    fn sign_in(&mut self, step: Step) {
        match step {
            Step::Send(next, line) => {
                self.send(line, State::SignIn(next), self.limits.command_timeout);
            }
            Step::Done => {
                self.signed_in = true;
                self.idle();
            }
            Step::Failed(trouble) => self.fail(Stage::SignIn, trouble),
        }
    }

    /// Asks for the next transaction.
    fn idle(&mut self) {
        if self.draining {
            self.quit();
        } else {
            self.state = State::Idle;
            self.outputs.push_back(Output::Ask(Question::Transaction));
        }
    }

    fn begin(&mut self, transaction: Transaction) {
        let exchange = Exchange::new(transaction, &self.extensions, self.reset);
        self.go_on(exchange);
    }

    fn go_on(&mut self, mut exchange: Exchange) {
        match exchange.next(&self.extensions, &self.limits) {
            Next::Wait => self.await_command(exchange),
            Next::Send(lines) => {
                self.outputs.push_back(Output::Command(lines));
                self.await_command(exchange);
            }
            Next::Body => {
                self.deadline = self.now.plus(self.limits.block_timeout);
                self.state = State::Body(exchange, DotStuffer::new());
                self.ask_body();
            }
            Next::EmptyBody => {
                self.reset = true;
                self.outputs.push_back(Output::Command(b".\r\n".to_vec()));
                self.await_final(exchange);
            }
            Next::Over { reset } => {
                self.reset = reset;
                self.report(exchange);
            }
        }
    }

    fn await_command(&mut self, exchange: Exchange) {
        let timeout = match exchange.stage() {
            Stage::Recipient => self.limits.recipient_timeout,
            Stage::Data => self.limits.data_timeout,
            Stage::Mail
            | Stage::Greeting
            | Stage::Hello
            | Stage::StartTls
            | Stage::SignIn
            | Stage::Idle
            | Stage::Text
            | Stage::FinalDot => self.limits.mail_timeout,
        };
        self.deadline = self.now.plus(timeout);
        self.state = State::Commands(exchange);
    }

    fn ask_body(&mut self) {
        let bytes_max = self.limits.block_bytes.max(1);
        self.outputs
            .push_back(Output::Ask(Question::Body { bytes_max }));
    }

    fn body(&mut self, exchange: Exchange, mut stuffer: DotStuffer, octets: Vec<u8>, last: bool) {
        let chunk = stuffer.stuff(octets, last);
        if !chunk.is_empty() {
            self.outputs.push_back(Output::BodyChunk(chunk));
        }
        if last {
            self.reset = false;
            self.await_final(exchange);
        } else {
            self.deadline = self.now.plus(self.limits.block_timeout);
            self.state = State::Body(exchange, stuffer);
            self.ask_body();
        }
    }

    fn await_final(&mut self, exchange: Exchange) {
        self.deadline = self.now.plus(self.limits.text_timeout);
        self.state = State::FinalDot(exchange);
    }

    fn report(&mut self, exchange: Exchange) {
        self.outputs.push_back(Output::Finished(exchange.fates()));
        self.idle();
    }

    fn quit(&mut self) {
        self.drop_question();
        self.send(
            "QUIT\r\n".to_owned(),
            State::Quitting,
            self.limits.quit_timeout,
        );
    }

    fn send(&mut self, line: String, state: State, timeout: Duration) {
        self.outputs.push_back(Output::Command(line.into_bytes()));
        self.deadline = self.now.plus(timeout);
        self.state = state;
    }

    /// The session ends where it stands.
    fn give_up(&mut self, trouble: Trouble) {
        let stage = self.state.stage();
        match mem::replace(&mut self.state, State::Closed) {
            State::Commands(exchange) | State::Body(exchange, _) | State::FinalDot(exchange) => {
                self.break_off(exchange, stage, &trouble);
            }
            State::Quitting => self.outputs.push_back(Output::Close),
            State::Closed => {}
            State::Greeting
            | State::Ehlo
            | State::Helo
            | State::StartTls
            | State::StartingTls
            | State::SignIn(_)
            | State::Idle => self.fail(stage, trouble),
        }
    }

    fn break_off(&mut self, mut exchange: Exchange, stage: Stage, trouble: &Trouble) {
        exchange.give_up(stage, trouble);
        self.drop_unsent();
        self.outputs.push_back(Output::Finished(exchange.fates()));
        self.outputs.push_back(Output::Close);
    }

    fn fail(&mut self, stage: Stage, trouble: Trouble) {
        self.drop_unsent();
        self.outputs
            .push_back(Output::Failed(Failure { stage, trouble }));
        self.outputs.push_back(Output::Close);
    }

    /// What nobody will hear any more is not said; what became of a message stays.
    fn drop_unsent(&mut self) {
        self.asking = false;
        self.outputs
            .retain(|output| matches!(output, Output::Finished(_)));
    }

    fn drop_question(&mut self) {
        self.asking = false;
        self.outputs
            .retain(|output| !matches!(output, Output::Ask(_)));
    }
}

/// A reply that is not the yes that was asked for.
fn refusal(reply: PeerReply) -> Trouble {
    if reply.is_transient() || reply.is_permanent() {
        Trouble::Reply(reply)
    } else {
        Trouble::Unexpected(reply)
    }
}
