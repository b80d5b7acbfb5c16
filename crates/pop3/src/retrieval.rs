//! RETR and TOP: a message pulled from the shell piece by piece.
//!
//! Promises: exactly the stored octets, dot-stuffed, closed by a CRLF if the last line is open;
//! a message that breaks off in the middle is never made to look whole.
//! Does not: hold more of a message than one piece.
//! Standards: RFC 1939 §5 (RETR) and §7 (TOP).

use crate::dot_stuffing::DotStuffing;
use crate::maildrop::{Maildrop, MessageNumber};
use crate::output::{BodyFrom, Question};
use crate::session::Session;
use crate::state::State;
use crate::top::{Part, Top};

/// TOP reads less at once: a header seldom fills this.
const TOP_OCTETS: usize = 8 * 1024;

/// A message on its way to the peer.
#[derive(Debug)]
pub(crate) struct Transfer {
    message: MessageNumber,
    size_octets: u64,
    next: u64,
    begun: bool,
    stuffing: DotStuffing,
    top: Option<Top>,
}

impl Transfer {
    /// Whether the peer has been told that the message follows.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }
}

impl Session {
    pub(crate) fn retrieve(
        &mut self,
        maildrop: Maildrop,
        message: MessageNumber,
        top_lines: Option<u64>,
    ) -> State {
        let Some(entry) = maildrop.entry(message) else {
            return self.no_such_message(maildrop);
        };
        let transfer = Transfer {
            message,
            size_octets: entry.size_octets,
            next: 0,
            begun: false,
            stuffing: DotStuffing::default(),
            top: top_lines.map(Top::new),
        };
        self.ask_for_more(maildrop, transfer)
    }

    fn ask_for_more(&mut self, maildrop: Maildrop, transfer: Transfer) -> State {
        let limit = self.limits.body_octets;
        let question = Question::Body {
            message: transfer.message,
            first: BodyFrom(transfer.next),
            max_bytes: match transfer.top {
                Some(_) => limit.min(TOP_OCTETS),
                None => limit,
            },
        };
        self.ask(State::Retrieving(maildrop, transfer), question)
    }

    /// The next octets of the message have come.
    pub(crate) fn body(
        &mut self,
        maildrop: Maildrop,
        mut transfer: Transfer,
        octets: &[u8],
        end: bool,
    ) -> State {
        if octets.is_empty() && !end {
            return self.body_unavailable(maildrop, &transfer);
        }
        if !transfer.begun {
            transfer.begun = true;
            self.outbox.raw(b"+OK");
            if transfer.top.is_none() {
                self.outbox.raw(b" ");
                self.outbox.number(transfer.size_octets);
                self.outbox.raw(b" octets");
            }
            self.outbox.raw(b"\r\n");
        }
        let part = match &mut transfer.top {
            Some(top) => top.take(octets),
            None => Part::Whole,
        };
        let (wanted, enough) = match part {
            Part::Whole => (octets, end),
            Part::Last(length) => (octets.get(..length).unwrap_or(octets), true),
        };
        let out = self.outbox.octets();
        transfer.stuffing.push(wanted, out);
        transfer.next = transfer.next.saturating_add(octets.len() as u64);
        if enough {
            transfer.stuffing.finish(out);
            return State::Transaction(maildrop);
        }
        self.ask_for_more(maildrop, transfer)
    }

    /// The message cannot be read.
    pub(crate) fn body_unavailable(&mut self, maildrop: Maildrop, transfer: &Transfer) -> State {
        if transfer.begun {
            // No final dot: a program must not take the part it has for the message and delete it.
            return State::Closed;
        }
        self.outbox
            .err("[SYS/TEMP] this message cannot be read right now, try again later");
        State::Transaction(maildrop)
    }
}
