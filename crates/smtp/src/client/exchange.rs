//! One transaction under way: what was sent, what was answered, what became of each recipient.
//!
//! Promises: commands go out in groups where the server takes groups, else one by one; DATA is the
//! last of its group; replies are matched to commands in order.
//! Standards: RFC 5321 §3.3, §4.1.4; RFC 2920 §3.1; RFC 1870 §6.1; RFC 6531 §3.4.

use std::collections::VecDeque;

use mail::Recipient;

use super::{Extensions, Fate, Lack, Limits, Stage, Transaction, Trouble, commands};
use crate::PeerReply;

/// A command whose reply is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Reset,
    Mail,
    Recipient(usize),
    Data,
}

/// Where one recipient stands.
#[derive(Clone, Debug)]
enum Place {
    Open,
    Accepted,
    Decided(Fate),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Replies are awaited.
    Wait,
    /// These commands are to be sent.
    Send(Vec<u8>),
    /// The server waits for the content.
    Body,
    /// The server waits for content that nobody there is to get.
    EmptyBody,
    /// The transaction is over; `reset` says that the server may think otherwise.
    Over { reset: bool },
}

/// One transaction.
#[derive(Debug)]
pub(super) struct Exchange {
    transaction: Transaction,
    utf8: bool,
    places: Vec<Place>,
    /// Index of the recipient whose RCPT is sent next.
    next: usize,
    awaiting: VecDeque<Sent>,
    opening: Opening,
    data: Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Unsent { reset: bool },
    Reset,
    Sent,
    Accepted,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    Unsent,
    Sent,
    GoAhead,
    Refused,
}

impl Exchange {
    /// Decides what the server's extensions already decide; `reset` sends RSET first.
    pub(super) fn new(transaction: Transaction, extensions: &Extensions, reset: bool) -> Self {
        let whole = lack_of_message(&transaction, extensions);
        let place = |recipient: &Recipient| match (&whole, extensions.smtputf8) {
            (Some(lack), _) => Place::Decided(Fate::Lacks(*lack)),
            (None, false) if !is_ascii(recipient) => Place::Decided(Fate::Lacks(Lack::SmtpUtf8)),
            (None, _) => Place::Open,
        };
        let places = transaction.recipients.iter().map(place).collect();
        let wants_utf8 = transaction.mail.smtputf8
            || transaction.utf8_header
            || !sender_is_ascii(&transaction)
            || !transaction.recipients.iter().all(is_ascii);
        Self {
            utf8: wants_utf8 && extensions.smtputf8,
            transaction,
            places,
            next: 0,
            awaiting: VecDeque::new(),
            opening: Opening::Unsent { reset },
            data: Data::Unsent,
        }
    }

    /// The command whose reply is awaited first, as a stage.
    pub(super) fn stage(&self) -> Stage {
        match self.awaiting.front() {
            Some(Sent::Reset | Sent::Mail) | None => Stage::Mail,
            Some(Sent::Recipient(_)) => Stage::Recipient,
            Some(Sent::Data) => Stage::Data,
        }
    }

    /// Takes the reply to the command that was sent first.
    ///
    /// # Errors
    /// What makes the connection useless.
    pub(super) fn reply(&mut self, reply: PeerReply) -> Result<(), Trouble> {
        // RFC 5321 §3.8: 421 may be the answer to anything; the server is closing.
        if reply.code == 421 {
            return Err(Trouble::Reply(reply));
        }
        let Some(sent) = self.awaiting.pop_front() else {
            return Err(Trouble::Unexpected(reply));
        };
        match (sent, reply.code / 100) {
            (Sent::Reset, 2) => {}
            (Sent::Mail, 2) => self.opening = Opening::Accepted,
            (Sent::Mail, 4 | 5) => {
                self.opening = Opening::Refused;
                self.decide_open(Stage::Mail, &Trouble::Reply(reply));
            }
            (Sent::Recipient(index), 2) => self.place(index, Place::Accepted),
            (Sent::Recipient(index), 4 | 5) => self.place(
                index,
                Place::Decided(Fate::NotTaken {
                    stage: Stage::Recipient,
                    trouble: Trouble::Reply(reply),
                }),
            ),
            (Sent::Data, 3) => self.data = Data::GoAhead,
            (Sent::Data, 4 | 5) => {
                self.data = Data::Refused;
                self.decide_open(Stage::Data, &Trouble::Reply(reply));
            }
            (Sent::Reset | Sent::Mail | Sent::Recipient(_) | Sent::Data, _) => {
                return Err(Trouble::Unexpected(reply));
            }
        }
        Ok(())
    }

    /// What to do now that replies were taken.
    pub(super) fn next(&mut self, extensions: &Extensions, limits: &Limits) -> Next {
        if !self.awaiting.is_empty() {
            return Next::Wait;
        }
        let goes_on = self
            .places
            .iter()
            .any(|place| !matches!(place, Place::Decided(_)));
        match self.data {
            Data::GoAhead if self.has_accepted() => Next::Body,
            // RFC 2920 §3.1: 354 though no recipient was taken is ended by an empty message.
            Data::GoAhead => Next::EmptyBody,
            Data::Refused => Next::Over { reset: true },
            Data::Unsent if goes_on => Next::Send(self.group(extensions, limits)),
            Data::Unsent | Data::Sent => Next::Over {
                reset: match self.opening {
                    Opening::Accepted => true,
                    // What was unclear before this transaction still is.
                    Opening::Unsent { reset } => reset,
                    Opening::Reset | Opening::Sent | Opening::Refused => false,
                },
            },
        }
    }

    /// The next commands that may be sent together.
    fn group(&mut self, extensions: &Extensions, limits: &Limits) -> Vec<u8> {
        let commands_max = if extensions.pipelining { usize::MAX } else { 1 };
        let mut lines = String::new();
        let mut recipients = 0;
        while self.awaiting.len() < commands_max {
            let Some((sent, line)) = self.command(extensions, recipients, limits) else {
                break;
            };
            recipients += usize::from(matches!(sent, Sent::Recipient(_)));
            lines.push_str(&line);
            self.awaiting.push_back(sent);
            if sent == Sent::Data {
                break;
            }
        }
        lines.into_bytes()
    }

    /// The next command; `None` when the group is full.
    fn command(
        &mut self,
        extensions: &Extensions,
        recipients: usize,
        limits: &Limits,
    ) -> Option<(Sent, String)> {
        match self.opening {
            Opening::Unsent { reset: true } => {
                self.opening = Opening::Reset;
                return Some((Sent::Reset, "RSET\r\n".to_owned()));
            }
            Opening::Unsent { reset: false } | Opening::Reset => {
                self.opening = Opening::Sent;
                let line = commands::mail(&self.transaction, extensions, self.utf8);
                return Some((Sent::Mail, line));
            }
            Opening::Sent | Opening::Accepted | Opening::Refused => {}
        }
        if recipients >= limits.group_recipients_max.max(1) {
            return None;
        }
        let open = |place: &Place| matches!(place, Place::Open);
        let unsent = self.places.iter().skip(self.next).position(open);
        if let Some(index) = unsent.map(|offset| self.next + offset) {
            self.next = index + 1;
            let recipient = self.transaction.recipients.get(index)?;
            let line = commands::recipient(recipient, extensions, self.utf8);
            return Some((Sent::Recipient(index), line));
        }
        self.data = Data::Sent;
        Some((Sent::Data, "DATA\r\n".to_owned()))
    }

    /// The reply to the final dot.
    ///
    /// # Errors
    /// What makes the connection useless.
    pub(super) fn final_reply(&mut self, reply: PeerReply) -> Result<(), Trouble> {
        match reply.code {
            421 => return Err(Trouble::Reply(reply)),
            200..300 => self.decide_accepted(&Fate::Taken { reply }),
            400.. => self.decide_accepted(&Fate::NotTaken {
                stage: Stage::FinalDot,
                trouble: Trouble::Reply(reply),
            }),
            _ => return Err(Trouble::Unexpected(reply)),
        }
        Ok(())
    }

    /// The connection is of no use any more: whoever is not decided is now.
    pub(super) fn give_up(&mut self, stage: Stage, trouble: &Trouble) {
        self.decide_open(stage, trouble);
    }

    /// The fates, in the order of the recipients.
    pub(super) fn fates(self) -> Vec<Fate> {
        let unfinished = || Fate::NotTaken {
            stage: Stage::Mail,
            trouble: Trouble::Ended,
        };
        self.places
            .into_iter()
            .map(|place| match place {
                Place::Decided(fate) => fate,
                Place::Open | Place::Accepted => unfinished(),
            })
            .collect()
    }

    fn has_accepted(&self) -> bool {
        let accepted = |place: &Place| matches!(place, Place::Accepted);
        self.places.iter().any(accepted)
    }

    fn place(&mut self, index: usize, place: Place) {
        if let Some(slot) = self.places.get_mut(index)
            && matches!(slot, Place::Open)
        {
            *slot = place;
        }
    }

    fn decide_accepted(&mut self, fate: &Fate) {
        for place in &mut self.places {
            if matches!(place, Place::Accepted) {
                *place = Place::Decided(fate.clone());
            }
        }
    }

    fn decide_open(&mut self, stage: Stage, trouble: &Trouble) {
        for place in &mut self.places {
            if !matches!(place, Place::Decided(_)) {
                *place = Place::Decided(Fate::NotTaken {
                    stage,
                    trouble: trouble.clone(),
                });
            }
        }
    }
}

/// An extension without which no recipient can get the message.
fn lack_of_message(transaction: &Transaction, extensions: &Extensions) -> Option<Lack> {
    if let Some(limit_bytes) = extensions.size
        && limit_bytes > 0
        && transaction.size_bytes > limit_bytes
    {
        return Some(Lack::Size { limit_bytes });
    }
    let utf8 = transaction.utf8_header || !sender_is_ascii(transaction);
    if utf8 && !extensions.smtputf8 {
        return Some(Lack::SmtpUtf8);
    }
    (transaction.eight_bit && !extensions.eight_bit_mime).then_some(Lack::EightBitMime)
}

fn sender_is_ascii(transaction: &Transaction) -> bool {
    let sender = transaction.mail.reverse_path.address();
    sender.is_none_or(mail::Address::is_ascii)
}

fn is_ascii(recipient: &Recipient) -> bool {
    recipient.path.address().is_none_or(mail::Address::is_ascii)
}
