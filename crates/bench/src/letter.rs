//! The messages that are sent: alike but for an id, and checked to the last octet when they return.
//!
//! Promises: a message of the size asked for, header and body, with lines that begin with a dot; the
//! same id always makes the same message. What a server writes above our first field is its own
//! business; everything from there on must be what was sent.

use anyhow::{Context, Result};
use std::io::Write as _;

/// The field by which a message is found again: the first that we write.
const FIELD: &[u8] = b"X-Bench-Id: ";
const ID_DIGITS: usize = 16;

/// All messages of one size.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// What follows the fields that hold the id, dot-stuffed, with the final dot.
    rest: Vec<u8>,
    /// The size of a message in octets, without dot-stuffing.
    size_bytes: usize,
}

/// What a returned message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    /// The message with this id, as it was sent.
    Whole(u64),
    /// Changed, cut, or none of ours.
    Damaged,
}

impl Letter {
    /// Messages of about `size_bytes` octets: at least a header, at most a line more.
    pub(crate) fn new(size_bytes: usize) -> Self {
        let mut rest = b"From: Bench <u0@office.test>\r\nTo: Bench <u1@office.test>\r\n\
            Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nSubject: a message among many\r\n\
            MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
            .to_vec();
        let mut size = fields(0).len() + rest.len();
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        while size < size_bytes {
            let line = line(&mut seed);
            // RFC 5321 §4.5.2: a line that begins with a dot is sent with one more.
            if line.starts_with(b".") {
                rest.push(b'.');
            }
            rest.extend_from_slice(&line);
            size += line.len();
        }
        rest.extend_from_slice(b".\r\n");
        Self {
            rest,
            size_bytes: size,
        }
    }

    /// The size of each message in octets, as the peer stores it.
    pub(crate) const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Writes one message as it goes over the wire, final dot included.
    pub(crate) fn write(&self, id: u64, wire: &mut Vec<u8>) {
        wire.extend_from_slice(&fields(id));
        wire.extend_from_slice(&self.rest);
    }

    /// Compares a message as POP3 sends it, final dot included.
    pub(crate) fn check(&self, wire: &[u8]) -> Returned {
        let whole = memchr::memmem::find(wire, FIELD).and_then(|at| {
            let sent = wire.get(at..)?;
            let digits = sent.get(FIELD.len()..FIELD.len() + ID_DIGITS)?;
            let id = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            let rest = sent.strip_prefix(fields(id).as_slice())?;
            (rest == self.rest).then_some(id)
        });
        whole.map_or(Returned::Damaged, Returned::Whole)
    }
}

/// The two fields that differ from message to message.
fn fields(id: u64) -> Vec<u8> {
    format!("X-Bench-Id: {id:016x}\r\nMessage-ID: <{id:016x}@bench.office.test>\r\n").into_bytes()
}

/// A line of text, seldom one that begins with a dot.
fn line(seed: &mut u64) -> Vec<u8> {
    let mut line = Vec::with_capacity(78);
    if next(seed).is_multiple_of(16) {
        line.push(b'.');
    }
    while line.len() < 76 {
        // A word of five letters and a blank.
        let mut letters = next(seed);
        for _ in 0..5 {
            line.push(b'a' + u8::try_from(letters % 26).unwrap_or(0));
            letters /= 26;
        }
        line.push(b' ');
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// The next number of a fixed sequence (xorshift): the content is the same in every run.
const fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A size such as `4k`, `1m` or `500`, in octets.
///
/// # Errors
/// When it is no number with one of these endings.
pub(crate) fn parse_size(text: &str) -> Result<usize> {
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1024),
        None => text
            .strip_suffix(['m', 'M'])
            .map_or((text, 1), |number| (number, 1024 * 1024)),
    };
    let number: usize = number.parse().with_context(|| format!("size {text}"))?;
    Ok(number * unit)
}

/// The command line's name for a size in octets.
pub(crate) fn size_name(size_bytes: usize) -> String {
    let mut name = Vec::new();
    // Writing to memory does not fail.
    let _ = match size_bytes {
        0..1024 => write!(name, "{size_bytes} B"),
        1024..1_048_576 => write!(name, "{} KiB", size_bytes / 1024),
        _ => write!(name, "{} MiB", size_bytes / 1_048_576),
    };
    String::from_utf8(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(letter: &Letter, id: u64) -> Vec<u8> {
        let mut wire = b"Return-Path: <a@b.test>\r\nReceived: from x\r\n".to_vec();
        letter.write(id, &mut wire);
        wire
    }

    #[test]
    fn message_that_returns_is_known_by_its_id() {
        let letter = Letter::new(4096);
        assert!((4096..4180).contains(&letter.size_bytes()));
        assert_eq!(letter.check(&returned(&letter, 77)), Returned::Whole(77));
    }

    #[test]
    fn any_changed_octet_is_damage() {
        let letter = Letter::new(1000);
        let wire = returned(&letter, 5);
        let first = memchr::memmem::find(&wire, FIELD).unwrap();
        for at in first..wire.len() {
            let mut changed = wire.clone();
            changed[at] ^= 1;
            assert_ne!(letter.check(&changed), Returned::Whole(5), "octet {at}");
        }
        assert_eq!(letter.check(&wire[..wire.len() - 1]), Returned::Damaged);
    }

    #[test]
    fn sizes_have_names_and_names_sizes() {
        assert_eq!(parse_size("64k").unwrap(), 65_536);
        assert_eq!(parse_size("1m").unwrap(), 1_048_576);
        assert_eq!(size_name(65_536), "64 KiB");
        assert!(parse_size("x").is_err());
    }

    #[test]
    fn some_lines_begin_with_a_dot() {
        let letter = Letter::new(16_384);
        assert!(memchr::memmem::find(&letter.rest, b"\r\n..").is_some());
    }
}
