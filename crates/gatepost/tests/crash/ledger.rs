//! What was sent and what came of it, written down by the clients; and the verdicts.
//!
//! LOST: 250 was seen and there is no copy. TORN: a copy that differs from what was sent. GHOST: a
//! copy of a message that was never completed. DUP: one queue id twice in a mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::letter::{Letter, OUTSIDE, queue_id};

/// What a sender knows of one letter.
#[derive(Clone, Debug, Default)]
struct Sent {
    /// Queue ids of the acceptances that were heard.
    accepted: Vec<String>,
    /// Sendings whose final dot was sent and whose reply was not heard.
    unheard: usize,
}

/// A copy in a mailbox, by user and unique id.
type Place = (String, String);

/// A copy that the host outside took.
#[derive(Clone, Debug)]
struct Outside {
    letter: Letter,
    id: String,
    connection: Connection,
    at: Instant,
}

/// A connection to the host outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    pub(crate) number: usize,
    pub(crate) accepted_at: Instant,
}

#[derive(Debug, Default)]
struct Pages {
    sent: BTreeMap<Letter, Sent>,
    again: Vec<Letter>,
    next: u64,
    refused: Vec<String>,
    copies: BTreeMap<Place, (Letter, String)>,
    deleted: BTreeSet<Place>,
    outside: Vec<Outside>,
    /// Connections outside that ended without QUIT.
    broken: BTreeSet<usize>,
    /// When the program was killed, round by round.
    kills: Vec<Instant>,
    wrong: Vec<String>,
}

/// The ledger, shared by all clients.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pages: Mutex<Pages>,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be sent next: what was not heard of first; `None` when only that was asked for.
    pub(crate) fn next(&self, new_ones: bool) -> Option<Letter> {
        let mut pages = self.pages();
        if let Some(letter) = pages.again.pop() {
            return Some(letter);
        }
        if !new_ones {
            return None;
        }
        pages.next += 1;
        let letter = Letter(pages.next);
        pages.sent.insert(letter, Sent::default());
        Some(letter)
    }

    /// The letter was not completed; it is sent again.
    pub(crate) fn not_sent(&self, letter: Letter) {
        self.pages().again.push(letter);
    }

    pub(crate) fn accepted(&self, letter: Letter, id: String) {
        let mut pages = self.pages();
        pages.sent.entry(letter).or_default().accepted.push(id);
    }

    /// The final dot was sent and nothing was heard: a client sends such a letter again.
    pub(crate) fn unheard(&self, letter: Letter) {
        let mut pages = self.pages();
        pages.sent.entry(letter).or_default().unheard += 1;
        pages.again.push(letter);
    }

    /// The gateway said no, or not now.
    pub(crate) fn refused(&self, letter: Letter, reply: String) {
        let mut pages = self.pages();
        pages.refused.push(reply);
        pages.again.push(letter);
    }

    /// A copy was read from a mailbox.
    pub(crate) fn read(&self, user: &str, unique_id: &str, text: &[u8]) {
        let mut pages = self.pages();
        let place = (user.to_owned(), unique_id.to_owned());
        let (Some(letter), Some(id)) = (Letter::of(text), queue_id(text)) else {
            let wrong = format!("GHOST: {place:?} is nobody's letter");
            return pages.wrong.push(wrong);
        };
        if !letter.is_whole(text) {
            pages.wrong.push(format!("TORN: {letter:?} at {place:?}"));
        }
        if pages.deleted.contains(&place) {
            pages.wrong.push(format!("{place:?} came back after QUIT"));
        }
        let copy = (letter, id);
        let before = pages.copies.insert(place.clone(), copy.clone());
        if before.is_some_and(|before| before != copy) {
            pages
                .wrong
                .push(format!("{place:?} is used for two messages"));
        }
    }

    /// Deletions that QUIT confirmed.
    pub(crate) fn deleted(&self, user: &str, unique_ids: &[String]) {
        let places = unique_ids.iter().map(|id| (user.to_owned(), id.clone()));
        self.pages().deleted.extend(places);
    }

    /// The host outside takes a copy.
    pub(crate) fn taken_outside(&self, text: &[u8], connection: Connection, at: Instant) {
        let mut pages = self.pages();
        let (Some(letter), Some(id)) = (Letter::of(text), queue_id(text)) else {
            return pages
                .wrong
                .push("GHOST: outside, nobody's letter".to_owned());
        };
        if !letter.is_whole(text) {
            pages.wrong.push(format!("TORN: {letter:?} outside"));
        }
        pages.outside.push(Outside {
            letter,
            id,
            connection,
            at,
        });
    }

    /// A connection outside ended without QUIT.
    pub(crate) fn broken_outside(&self, connection: Connection) {
        self.pages().broken.insert(connection.number);
    }

    pub(crate) fn killed(&self, at: Instant) {
        self.pages().kills.push(at);
    }

    /// All that is wrong, and the figures.
    pub(crate) fn verdict(&self) -> (Vec<String>, Figures) {
        let pages = self.pages();
        let mut wrong = pages.wrong.clone();
        let mut figures = Figures {
            kills: pages.kills.len(),
            letters: pages.sent.len(),
            local_copies: pages.copies.len(),
            outside_copies: pages.outside.len(),
            refused: pages.refused.len(),
            ..Figures::default()
        };
        for (letter, sent) in &pages.sent {
            figures.accepted += sent.accepted.len();
            figures.unheard += sent.unheard;
            wrong.extend(pages.judge(*letter, sent));
        }
        wrong.extend(pages.duplicates_outside(&mut figures));
        (wrong, figures)
    }
}

impl Pages {
    /// LOST, GHOST and DUP of one letter.
    fn judge(&self, letter: Letter, sent: &Sent) -> Vec<String> {
        let mut wrong = Vec::new();
        for recipient in letter.recipients() {
            let ids = self.ids_at(letter, &recipient);
            for id in &sent.accepted {
                if !ids.contains(id) {
                    wrong.push(format!("LOST: {letter:?} {id} for {recipient}"));
                }
            }
            let mut unexplained: Vec<&String> = ids.iter().collect();
            unexplained.retain(|id| !sent.accepted.contains(id));
            let kinds: BTreeSet<&String> = unexplained.iter().copied().collect();
            if kinds.len() > sent.unheard {
                wrong.push(format!(
                    "GHOST: {letter:?} {kinds:?} for {recipient}: {sent:?}"
                ));
            }
            let unique: BTreeSet<&String> = ids.iter().collect();
            if recipient != OUTSIDE && unique.len() < ids.len() {
                wrong.push(format!("DUP: {letter:?} {ids:?} for {recipient}"));
            }
        }
        wrong
    }

    /// Queue ids of the copies of a letter that a recipient has, one for each copy.
    fn ids_at(&self, letter: Letter, recipient: &str) -> Vec<String> {
        if recipient == OUTSIDE {
            let here = self.outside.iter().filter(|copy| copy.letter == letter);
            return here.map(|copy| copy.id.clone()).collect();
        }
        let user = recipient.split('@').next().unwrap_or_default();
        let here = self
            .copies
            .iter()
            .filter(|((owner, _), (of, _))| owner == user && *of == letter);
        here.map(|(_, (_, id))| id.clone()).collect()
    }

    /// RFC 5321 §6.1: a host that died between the far side's 250 and its own record sends again.
    /// A second copy is explained only by a kill of the one that sent the first: its connection
    /// broke, and a run of the program makes no other connection break.
    fn duplicates_outside(&self, figures: &mut Figures) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut by_id: BTreeMap<&String, Vec<&Outside>> = BTreeMap::new();
        for copy in &self.outside {
            by_id.entry(&copy.id).or_default().push(copy);
        }
        for (id, copies) in by_id {
            for pair in copies.windows(2) {
                figures.outside_duplicates += 1;
                let first = pair[0].connection;
                let killed = self.kills.iter().find(|kill| **kill >= first.accepted_at);
                match killed {
                    Some(kill) if self.broken.contains(&first.number) => {
                        let window = kill.saturating_duration_since(pair[0].at);
                        figures.longest_window = figures.longest_window.max(window);
                    }
                    _ => wrong.push(format!("DUP: {id} twice outside without a kill between")),
                }
            }
        }
        wrong
    }
}

/// The run in numbers.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "read by people, as Debug")]
pub(crate) struct Figures {
    pub(crate) kills: usize,
    pub(crate) letters: usize,
    /// 250 heard.
    pub(crate) accepted: usize,
    /// Final dot sent, reply not heard; sent again.
    pub(crate) unheard: usize,
    /// Refused or put off.
    pub(crate) refused: usize,
    pub(crate) local_copies: usize,
    pub(crate) outside_copies: usize,
    /// Second copies of one queue id outside, each with a kill between.
    pub(crate) outside_duplicates: usize,
    /// The longest time from the first of such copies to the kill.
    pub(crate) longest_window: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy_of(letter: Letter, id: &str) -> Vec<u8> {
        let mut copy =
            format!("Received: from x by y with ESMTP\r\n\tid {id}; date\r\n").into_bytes();
        copy.extend(letter.text());
        copy
    }

    fn wrong(ledger: &Ledger) -> String {
        ledger.verdict().0.join("\n")
    }

    #[test]
    fn the_ledger_finds_what_is_lost_torn_doubled_or_out_of_nowhere() {
        let ledger = Ledger::default();
        let letter = ledger.next(true).unwrap();
        assert_eq!(letter.recipients(), ["bob@office.test"]);
        ledger.accepted(letter, "A".to_owned());
        assert!(wrong(&ledger).starts_with("LOST"));
        ledger.read("bob", "1", &copy_of(letter, "A"));
        assert_eq!(wrong(&ledger), "");
        ledger.read("bob", "2", &copy_of(letter, "A"));
        assert!(wrong(&ledger).starts_with("DUP"));
        ledger.read("bob", "3", &copy_of(letter, "B"));
        assert!(wrong(&ledger).contains("GHOST"));
        let mut torn = copy_of(letter, "A");
        torn.truncate(300);
        ledger.read("bob", "1", &torn);
        assert!(wrong(&ledger).contains("TORN"));
    }

    #[test]
    fn a_lost_reply_explains_one_more_copy_and_no_second_one() {
        let ledger = Ledger::default();
        let letter = ledger.next(true).unwrap();
        ledger.unheard(letter);
        ledger.read("bob", "1", &copy_of(letter, "A"));
        assert_eq!(wrong(&ledger), "");
        ledger.read("bob", "2", &copy_of(letter, "B"));
        assert!(wrong(&ledger).starts_with("GHOST"));
    }

    #[test]
    fn what_was_deleted_does_not_come_back_and_no_unique_id_is_used_twice() {
        let ledger = Ledger::default();
        let (one, two) = (ledger.next(true).unwrap(), Letter(6));
        ledger.unheard(one);
        ledger.read("bob", "1", &copy_of(one, "A"));
        ledger.deleted("bob", &["1".to_owned()]);
        assert_eq!(wrong(&ledger), "");
        ledger.read("bob", "1", &copy_of(two, "B"));
        let wrong = wrong(&ledger);
        assert!(
            wrong.contains("came back") && wrong.contains("two messages"),
            "{wrong}"
        );
    }

    #[test]
    fn a_second_copy_outside_needs_a_kill_between() {
        let ledger = Ledger::default();
        let letter = Letter(4);
        let now = crate::kill::now();
        let connection = |number| Connection {
            number,
            accepted_at: now,
        };
        ledger.taken_outside(&copy_of(letter, "A"), connection(1), now);
        ledger.killed(now);
        ledger.broken_outside(connection(1));
        ledger.taken_outside(&copy_of(letter, "A"), connection(2), now);
        assert_eq!(wrong(&ledger), "");
        ledger.taken_outside(&copy_of(letter, "A"), connection(3), now);
        assert!(wrong(&ledger).starts_with("DUP"));
    }
}
