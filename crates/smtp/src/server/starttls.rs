//! STARTTLS: everything the client said or sent ahead is dropped.
//!
//! Standards: RFC 3207 §4, §4.2.

use super::state::State;
use super::{Output, Session, TlsState, replies};

impl Session {
    pub(super) fn start_tls(&mut self, here: State, argument: &str) -> State {
        match self.facts.tls {
            TlsState::Unavailable => self.bad(here, &replies::not_offered()),
            TlsState::Active => self.bad(here, &replies::out_of_order("TLS is on already")),
            // RFC 3207 §4: 501 to parameters.
            TlsState::Available | TlsState::Required if !argument.is_empty() => {
                self.bad(here, &replies::bad_argument("STARTTLS has no argument"))
            }
            TlsState::Available | TlsState::Required => {
                self.outbox.reply(&replies::ready_for_tls());
                self.outbox.push(Output::StartTls);
                State::StartingTls
            }
        }
    }
}
