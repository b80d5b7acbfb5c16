//! MAIL: opens a transaction.
//!
//! Standards: RFC 5321 §4.1.1.2; RFC 1870 §6.1; RFC 4954 §6.

use super::state::{Pending, State, Transaction};
use super::{Question, Session, replies};
use crate::{Reply, parse_mail};

impl Session {
    pub(super) fn mail(&mut self, argument: &str) -> State {
        if let Some(reply) = self.must_come_first() {
            return self.say(State::Ready { failed: true }, Some(reply));
        }
        let parameters = match parse_mail(argument) {
            Ok(parameters) => parameters,
            Err(problem) => {
                return self.bad(State::Ready { failed: true }, &replies::bad_mail(problem));
            }
        };
        // RFC 1870 §6.1: a declared size beyond the fixed maximum is refused here, by whoever
        // answers, so that the refusal has its story like every other.
        let smtputf8 = parameters.smtputf8;
        let question = Question::Mail {
            parameters,
            greeting_name: self.client.greeting_name.clone(),
            esmtp: self.client.esmtp,
        };
        self.ask(question, Pending::Mail { smtputf8 })
    }

    pub(super) fn mail_answered(&mut self, smtputf8: bool, reply: &Reply) -> State {
        self.outbox.reply(reply);
        if reply.is_positive() {
            State::Mail(Transaction::new(smtputf8))
        } else {
            State::Ready { failed: true }
        }
    }
}
