//! Replies as octets, and the outputs that wait to be polled.
//!
//! Promises: a status line never exceeds 512 octets and holds printable ASCII only; the
//! connection is closed once, after everything else.
//! Does not: decide anything.
//! Standards: RFC 1939 §3, RFC 2449 §4 and §8.

use std::fmt;

use crate::output::{Output, Question};

// RFC 2449 §4: the first line of a response is at most 512 octets with its CRLF.
const STATUS_LINE_OCTETS: usize = 512;

/// What waits for the shell.
#[derive(Default)]
pub(crate) struct Outbox {
    octets: Vec<u8>,
    question: Option<Question>,
    start_tls: bool,
    close: Closing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Closing {
    #[default]
    No,
    Wanted,
    Said,
}

impl Outbox {
    /// Adds `+OK text`.
    pub(crate) fn ok(&mut self, text: &str) {
        self.status(b"+OK ", text);
    }

    /// Adds `-ERR text`.
    pub(crate) fn err(&mut self, text: &str) {
        self.status(b"-ERR ", text);
    }

    fn status(&mut self, indicator: &[u8], text: &str) {
        self.octets.extend_from_slice(indicator);
        let room = STATUS_LINE_OCTETS - indicator.len() - 2;
        self.octets
            .extend(text.chars().take(room).map(printable_ascii));
        self.octets.extend_from_slice(b"\r\n");
    }

    /// Adds octets as they are.
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Adds a number in decimal.
    pub(crate) fn number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut length = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            length += 1;
            if rest == 0 {
                break;
            }
        }
        self.octets
            .extend_from_slice(digits.get(20 - length..).unwrap_or_default());
    }

    /// Octets gathered.
    pub(crate) fn len(&self) -> usize {
        self.octets.len()
    }

    /// The gathered octets, for what writes much.
    pub(crate) fn octets(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// Whether fewer than `limit` octets are gathered.
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.octets.len() < limit
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.question = Some(question);
    }

    pub(crate) fn start_tls(&mut self) {
        self.start_tls = true;
    }

    /// Closes after what is gathered; a question that was not polled yet is withdrawn.
    pub(crate) fn close(&mut self) {
        self.question = None;
        self.start_tls = false;
        if self.close == Closing::No {
            self.close = Closing::Wanted;
        }
    }

    pub(crate) fn poll(&mut self, limit: usize) -> Option<Output> {
        if self.has_room(limit)
            && let Some(question) = self.question.take()
        {
            return Some(Output::Ask(question));
        }
        if !self.octets.is_empty() {
            return Some(Output::Reply(std::mem::take(&mut self.octets)));
        }
        if std::mem::take(&mut self.start_tls) {
            return Some(Output::StartTls);
        }
        if self.close == Closing::Wanted {
            self.close = Closing::Said;
            return Some(Output::Close);
        }
        None
    }
}

// Replies hold people's mail: it stays out of logs.
impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("octets", &self.octets.len())
            .field("question", &self.question)
            .field("close", &self.close)
            .finish_non_exhaustive()
    }
}

fn printable_ascii(character: char) -> u8 {
    match u8::try_from(character) {
        Ok(octet @ b' '..=b'~') => octet,
        _ if character.is_control() => b' ',
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_cannot_be_broken_or_stretched() {
        let mut outbox = Outbox::default();
        outbox.err(&format!("a\r\n+OK b\u{e4}{}", "x".repeat(600)));
        let Some(Output::Reply(line)) = outbox.poll(1) else {
            unreachable!("a reply was gathered")
        };
        assert_eq!(line.len(), 512);
        assert!(line.starts_with(b"-ERR a  +OK b?xxx"));
        assert!(line.ends_with(b"x\r\n"));
    }

    #[test]
    fn numbers_are_decimal() {
        let mut outbox = Outbox::default();
        for number in [0, 7, 10, 1_234_567, u64::MAX] {
            outbox.number(number);
            outbox.raw(b" ");
        }
        assert_eq!(
            outbox.octets,
            format!("0 7 10 1234567 {} ", u64::MAX).into_bytes()
        );
    }

    #[test]
    fn a_question_overtakes_replies_until_they_are_many() {
        let mut outbox = Outbox::default();
        outbox.ok("one");
        outbox.ask(Question::OpenMaildrop);
        outbox.close = Closing::Wanted;
        assert!(matches!(outbox.poll(9), Some(Output::Reply(_))));
        outbox.ok("two");
        assert_eq!(outbox.poll(100), Some(Output::Ask(Question::OpenMaildrop)));
        assert!(matches!(outbox.poll(100), Some(Output::Reply(_))));
        assert_eq!(outbox.poll(100), Some(Output::Close));
        assert_eq!(outbox.poll(100), None);
    }
}
