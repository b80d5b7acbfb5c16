//! RCPT: names a recipient.
//!
//! Standards: RFC 5321 §4.1.1.3, §4.5.3.1.8, §4.5.3.1.10; RFC 3461.

use super::state::{Pending, State, Transaction};
use super::{Question, Session, replies};
use crate::{Reply, parse_rcpt};

impl Session {
    pub(super) fn rcpt(&mut self, mut transaction: Transaction, argument: &str) -> State {
        if transaction.recipients >= self.limits.recipients_max {
            let reply = replies::too_many_recipients();
            return self.say(State::Mail(transaction), Some(reply));
        }
        match parse_rcpt(argument, transaction.smtputf8) {
            Ok(recipient) => self.ask(
                Question::Recipient { recipient },
                Pending::Recipient(transaction),
            ),
            Err(problem) => {
                transaction.refused = true;
                self.bad(State::Mail(transaction), &replies::bad_rcpt(problem))
            }
        }
    }

    pub(super) fn rcpt_answered(&mut self, mut transaction: Transaction, reply: &Reply) -> State {
        self.outbox.reply(reply);
        if reply.is_positive() {
            transaction.recipients += 1;
        } else {
            transaction.refused = true;
        }
        State::Mail(transaction)
    }
}
