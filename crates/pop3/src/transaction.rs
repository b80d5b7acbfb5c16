//! TRANSACTION: STAT, LIST, UIDL, DELE, NOOP, RSET, and the door to RETR, TOP and QUIT.
//!
//! Promises: numbers and sizes are those of the listing; a listing of any length is written in
//! bounded memory; DELE only marks.
//! Does not: read messages.
//! Standards: RFC 1939 §5 and §7.

use std::mem;

use crate::command::Command;
use crate::maildrop::{Maildrop, MaildropEntry, MessageNumber};
use crate::reply::Outbox;
use crate::session::Session;
use crate::state::State;

const NO_SUCH_MESSAGE: &str = "no such message";

/// A LIST or UIDL of everything, written up to `next`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    column: Column,
    next: usize,
}

#[derive(Clone, Copy, Debug)]
enum Column {
    Size,
    UniqueId,
}

impl Session {
    pub(crate) fn transaction(&mut self, mut maildrop: Maildrop, command: Command<'_>) -> State {
        match command {
            Command::Stat => {
                self.outbox.raw(b"+OK ");
                self.outbox.number(maildrop.kept() as u64);
                self.outbox.raw(b" ");
                self.outbox.number(maildrop.kept_octets());
                self.outbox.raw(b"\r\n");
                State::Transaction(maildrop)
            }
            Command::List(message) => self.list(maildrop, Column::Size, message),
            Command::Uidl(message) => self.list(maildrop, Column::UniqueId, message),
            Command::Retr(message) => self.retrieve(maildrop, message, None),
            Command::Top { message, lines } => self.retrieve(maildrop, message, Some(lines)),
            Command::Dele(message) => {
                if maildrop.mark(message) {
                    self.outbox.ok("marked for deletion");
                } else {
                    self.outbox.err(NO_SUCH_MESSAGE);
                }
                State::Transaction(maildrop)
            }
            Command::Noop => {
                self.outbox.raw(b"+OK\r\n");
                State::Transaction(maildrop)
            }
            Command::Rset => {
                maildrop.unmark_all();
                self.outbox.ok("nothing is marked for deletion");
                State::Transaction(maildrop)
            }
            Command::Capa => {
                self.capabilities();
                State::Transaction(maildrop)
            }
            Command::Quit => self.quit(&maildrop),
            Command::User(_)
            | Command::Pass(_)
            | Command::Auth { .. }
            | Command::Stls
            | Command::Utf8 => self.bad(State::Transaction(maildrop), "signed in already"),
        }
    }

    pub(crate) fn no_such_message(&mut self, maildrop: Maildrop) -> State {
        self.outbox.err(NO_SUCH_MESSAGE);
        State::Transaction(maildrop)
    }

    fn list(
        &mut self,
        maildrop: Maildrop,
        column: Column,
        message: Option<MessageNumber>,
    ) -> State {
        let Some(message) = message else {
            self.outbox.ok(&format!("{} messages", maildrop.kept()));
            return State::Listing(maildrop, Listing { column, next: 0 });
        };
        let Some(entry) = maildrop.entry(message) else {
            return self.no_such_message(maildrop);
        };
        self.outbox.raw(b"+OK ");
        column.write(u64::from(message.0), entry, &mut self.outbox);
        State::Transaction(maildrop)
    }

    /// Writes the listing as far as there is room for replies.
    pub(crate) fn list_on(&mut self) {
        let (maildrop, mut listing) = match mem::take(&mut self.state) {
            State::Listing(maildrop, listing) => (maildrop, listing),
            other @ (State::Authorization { .. }
            | State::Exchange(_)
            | State::SigningIn(_)
            | State::Opening
            | State::Transaction(_)
            | State::Retrieving(..)
            | State::Updating
            | State::Securing
            | State::Closed) => {
                self.state = other;
                return;
            }
        };
        while self.outbox.has_room(self.limits.reply_octets) {
            let Some((index, entry)) = maildrop.entry_from(listing.next) else {
                self.outbox.raw(b".\r\n");
                self.state = State::Transaction(maildrop);
                return;
            };
            listing.next = index + 1;
            listing
                .column
                .write(listing.next as u64, entry, &mut self.outbox);
        }
        self.state = State::Listing(maildrop, listing);
    }
}

impl Column {
    fn write(self, number: u64, entry: &MaildropEntry, outbox: &mut Outbox) {
        outbox.number(number);
        outbox.raw(b" ");
        match self {
            Self::Size => outbox.number(entry.size_octets),
            Self::UniqueId => outbox.raw(entry.uid.as_bytes()),
        }
        outbox.raw(b"\r\n");
    }
}
