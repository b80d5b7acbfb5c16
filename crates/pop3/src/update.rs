//! QUIT after signing in: marks become deletions, all or none.
//!
//! Promises: success is said only after the shell has said it; a session that ends in any other
//! way deletes nothing.
//! Does not: delete.
//! Standards: RFC 1939 §6.

use crate::maildrop::Maildrop;
use crate::output::{Answer, Question};
use crate::session::Session;
use crate::state::State;

impl Session {
    pub(crate) fn quit(&mut self, maildrop: &Maildrop) -> State {
        let messages = maildrop.marked();
        if messages.is_empty() {
            self.outbox.ok("bye");
            return State::Closed;
        }
        self.ask(State::Updating, Question::ApplyDeletions { messages })
    }

    pub(crate) fn deletions_answered(&mut self, answer: &Answer) -> State {
        if *answer == Answer::DeletionsApplied {
            self.outbox.ok("bye");
        } else {
            // RFC 1939 §6: the peer hears that messages it deleted are still there.
            self.outbox
                .err("[SYS/TEMP] no message was deleted, they will be offered again");
        }
        State::Closed
    }
}
