//! DATA: the message, up to a dot on a line of its own.
//!
//! Promises: whatever is wrong with the content, it is read to its true end before anything is
//! said about it.
//! Standards: RFC 5321 §4.1.1.4, §3.3.

use std::mem;

use super::content::{Content, Framing};
use super::state::{Pending, State, Transaction};
use super::{Discarded, Output, Question, Session, replies};
use crate::Reply;

impl Session {
    pub(super) fn data(&mut self, transaction: Transaction, argument: &str) -> State {
        let here = State::Mail(transaction);
        if !argument.is_empty() {
            return self.bad(here, &replies::bad_argument("DATA has no argument"));
        }
        if transaction.recipients == 0 {
            let reply = replies::no_recipients(transaction.refused);
            // Pipelined behind recipients that were refused it is no mistake.
            return if transaction.refused {
                self.say(here, Some(reply))
            } else {
                self.bad(here, &reply)
            };
        }
        self.ask(Question::Body, Pending::DataBody(transaction))
    }

    pub(super) fn data_answered(&mut self, transaction: Transaction, reply: &Reply) -> State {
        if !reply.is_positive() {
            self.outbox.reply(reply);
            self.discard(Discarded::Refused);
            return State::Ready { failed: true };
        }
        self.outbox.reply(&replies::start_mail_input());
        let content = Content::new(Framing::Dots, self.facts.bare_lf, &self.limits);
        State::Data(transaction, content)
    }

    /// Reads content; gives what was used, all of it unless the message ended.
    pub(super) fn read_data(&mut self, rest: &[u8]) -> usize {
        let state = mem::replace(&mut self.state, State::Closing);
        let State::Data(transaction, mut content) = state else {
            self.state = state;
            return 0;
        };
        let piece = self.read_content(&mut content, rest);
        if !piece.ended {
            self.state = State::Data(transaction, content);
            self.body_progressed();
            return piece.used;
        }
        let next = self.content_ended(transaction, &content);
        self.enter(next);
        piece.used
    }

    /// Reads content of either kind, passes it on, and says so when it turns out bad.
    pub(super) fn read_content(&mut self, content: &mut Content, rest: &[u8]) -> Progress {
        let was_good = content.fault().is_none();
        let piece = content.read(rest);
        if !piece.octets.is_empty() {
            self.outbox.push(Output::BodyChunk(piece.octets));
        }
        if let Some(fault) = content.fault()
            && was_good
        {
            self.discard(fault);
        }
        Progress {
            used: piece.used,
            ended: piece.ended,
        }
    }

    /// The true end: the shell is asked about a good message, a bad one is refused.
    pub(super) fn content_ended(&mut self, transaction: Transaction, content: &Content) -> State {
        if let Some(fault) = content.fault() {
            self.discarded_for(fault);
            self.outbox
                .reply(&replies::refused_content(fault, &self.limits));
            return State::Ready { failed: true };
        }
        let question = Question::Message {
            size_bytes: content.size_bytes(),
            lines: content.lines(),
            eight_bit: content.eight_bit(),
        };
        let smtputf8 = transaction.smtputf8;
        self.ask(question, Pending::Message { smtputf8 })
    }
}

/// How far one piece of input went.
pub(super) struct Progress {
    pub(super) used: usize,
    pub(super) ended: bool,
}
