//! The maildrop as one session sees it: a fixed listing, and marks for what is to be deleted.
//!
//! Promises: numbers never move during a session; sizes are those of the listing.
//! Does not: delete; marks become deletions at QUIT, by the shell.
//! Standards: RFC 1939 §4, §5.

/// One message of the listing that the shell gives when it opens a maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaildropEntry {
    /// Octets that RETR sends, before dot-stuffing and without the final dot line: see
    /// [`octets_sent`].
    pub size_octets: u64,
    /// The unique id: 1 to 70 characters of 0x21 to 0x7E, never reused in this maildrop.
    pub uid: String,
}

/// The octets that RETR sends for a stored message: one that does not end in CRLF gets one.
///
/// `ends_in_crlf` is about the stored octets; an empty message stays empty.
pub fn octets_sent(stored_octets: u64, ends_in_crlf: bool) -> u64 {
    if stored_octets == 0 || ends_in_crlf {
        stored_octets
    } else {
        stored_octets.saturating_add(2)
    }
}

/// Position of a message in the listing, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageNumber(pub u32);

impl MessageNumber {
    /// The index into the listing; `None` for the number 0, which no message has.
    pub fn index(self) -> Option<usize> {
        usize::try_from(self.0).ok()?.checked_sub(1)
    }
}

/// An open maildrop: the listing and the marks of this session.
#[derive(Debug)]
pub(crate) struct Maildrop {
    entries: Vec<MaildropEntry>,
    deleted: Vec<bool>,
    kept: usize,
    kept_octets: u64,
}

impl Maildrop {
    pub(crate) fn new(entries: Vec<MaildropEntry>) -> Self {
        let mut maildrop = Self {
            deleted: vec![false; entries.len()],
            entries,
            kept: 0,
            kept_octets: 0,
        };
        maildrop.unmark_all();
        maildrop
    }

    /// The entry, unless there is none or it is marked deleted.
    pub(crate) fn entry(&self, message: MessageNumber) -> Option<&MaildropEntry> {
        let index = message.index()?;
        // RFC 1939 §5: a message marked as deleted may not be referred to any more.
        if *self.deleted.get(index)? {
            return None;
        }
        self.entries.get(index)
    }

    /// The first entry not marked deleted at or after `index`, with its own index.
    pub(crate) fn entry_from(&self, index: usize) -> Option<(usize, &MaildropEntry)> {
        self.entries
            .iter()
            .zip(&self.deleted)
            .enumerate()
            .skip(index)
            .find_map(|(at, (entry, deleted))| (!deleted).then_some((at, entry)))
    }

    /// How many messages are not marked deleted.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// The sum of the sizes of the messages not marked deleted, in octets.
    pub(crate) fn kept_octets(&self) -> u64 {
        self.kept_octets
    }

    /// Marks a message deleted; `false` if there is none or it was marked before.
    pub(crate) fn mark(&mut self, message: MessageNumber) -> bool {
        let Some(size) = self.entry(message).map(|entry| entry.size_octets) else {
            return false;
        };
        let Some(mark) = message
            .index()
            .and_then(|index| self.deleted.get_mut(index))
        else {
            return false;
        };
        *mark = true;
        self.kept -= 1;
        self.kept_octets = self.kept_octets.saturating_sub(size);
        true
    }

    /// Takes all marks away.
    pub(crate) fn unmark_all(&mut self) {
        self.deleted.fill(false);
        self.kept = self.entries.len();
        self.kept_octets = self
            .entries
            .iter()
            .fold(0, |sum: u64, entry| sum.saturating_add(entry.size_octets));
    }

    /// The messages marked deleted, in ascending order.
    pub(crate) fn marked(&self) -> Vec<MessageNumber> {
        (1_u32..)
            .zip(&self.deleted)
            .filter_map(|(number, deleted)| deleted.then_some(MessageNumber(number)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Maildrop {
        let entry = |size_octets, uid: &str| MaildropEntry {
            size_octets,
            uid: uid.to_owned(),
        };
        Maildrop::new(vec![entry(10, "a"), entry(20, "b"), entry(30, "c")])
    }

    #[test]
    fn a_marked_message_is_neither_counted_nor_found() {
        let mut maildrop = three();
        assert!(maildrop.mark(MessageNumber(2)));
        assert!(!maildrop.mark(MessageNumber(2)), "marked once");
        assert_eq!((maildrop.kept(), maildrop.kept_octets()), (2, 40));
        assert!(maildrop.entry(MessageNumber(2)).is_none());
        assert_eq!(maildrop.entry_from(1).map(|(at, _)| at), Some(2));
        assert_eq!(maildrop.marked(), [MessageNumber(2)]);
    }

    #[test]
    fn taking_marks_away_restores_everything() {
        let mut maildrop = three();
        maildrop.mark(MessageNumber(1));
        maildrop.mark(MessageNumber(3));
        maildrop.unmark_all();
        assert_eq!((maildrop.kept(), maildrop.kept_octets()), (3, 60));
        assert!(maildrop.marked().is_empty());
    }

    #[test]
    fn numbers_outside_the_listing_name_nothing() {
        let mut maildrop = three();
        for number in [0, 4, u32::MAX] {
            assert!(maildrop.entry(MessageNumber(number)).is_none());
            assert!(!maildrop.mark(MessageNumber(number)));
        }
    }

    #[test]
    fn a_message_without_final_line_end_is_two_octets_longer_on_the_wire() {
        assert_eq!(octets_sent(5, false), 7);
        assert_eq!(octets_sent(5, true), 5);
        assert_eq!(octets_sent(0, false), 0);
    }
}
