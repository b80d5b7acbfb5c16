//! Command lines out of a stream of bytes.
//!
//! Promises: only CRLF ends a line; a line over its limit is read to its end, reported once and
//! never held; the answer does not depend on how the stream was cut.
//! Does not: know commands, but for `AUTH`, whose lines may be longer.
//! Standards: RFC 2449 §4, RFC 5034 §4.

use std::fmt;

use memchr::{memchr_iter, memchr3};

/// Empty buffers above this capacity are given back, so that idle sessions cost little.
const KEPT_CAPACITY: usize = 1024;

/// One line, without its CRLF.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line within its limit and free of CR, LF and NUL.
    Text(&'a [u8]),
    /// It was longer than its limit.
    TooLong,
    /// It held a bare CR, a bare LF or NUL.
    BareControl,
}

/// The limits in octets, CRLF included, for the line that comes next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLimits {
    pub(crate) ordinary: usize,
    /// For a line that begins with `AUTH `.
    pub(crate) auth: usize,
}

/// Holds what has come and not been used.
#[derive(Default)]
pub(crate) struct LineReader {
    buffer: Vec<u8>,
    start: usize,
    overlong: bool,
}

impl LineReader {
    pub(crate) fn push(&mut self, input: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(input);
    }

    /// Octets held.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Forgets everything that was not read yet.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next whole line, if it has come.
    pub(crate) fn next(&mut self, limits: LineLimits) -> Option<Line<'_>> {
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let limit = if is_auth(pending) {
            limits.auth
        } else {
            limits.ordinary
        };
        let Some(length) = line_length(pending) else {
            if self.overlong || pending.len() > limit {
                self.skip_to_end();
            } else if pending.is_empty() {
                self.reset();
            }
            return None;
        };
        let start = self.start;
        self.start += length + 2;
        if std::mem::take(&mut self.overlong) || length + 2 > limit {
            return Some(Line::TooLong);
        }
        let text = self.buffer.get(start..start + length).unwrap_or_default();
        // RFC 1939 §3: commands consist of printable ASCII characters.
        if memchr3(b'\r', b'\n', 0, text).is_some() {
            return Some(Line::BareControl);
        }
        Some(Line::Text(text))
    }

    /// Drops the beginning of an overlong line, but for a CR that may belong to its CRLF.
    fn skip_to_end(&mut self) {
        self.overlong = true;
        let half_end = self.buffer.last() == Some(&b'\r');
        self.reset();
        if half_end {
            self.buffer.push(b'\r');
        }
    }

    fn reset(&mut self) {
        self.start = 0;
        self.buffer.clear();
        if self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
        }
    }
}

// Lines may hold passwords: they stay out of logs.
impl fmt::Debug for LineReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReader")
            .field("octets", &self.len())
            .finish_non_exhaustive()
    }
}

/// Octets before the first CRLF.
fn line_length(pending: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', pending)
        .filter_map(|lf| lf.checked_sub(1))
        .find(|&cr| pending.get(cr) == Some(&b'\r'))
}

fn is_auth(pending: &[u8]) -> bool {
    pending
        .get(..5)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"AUTH "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: LineLimits = LineLimits {
        ordinary: 10,
        auth: 20,
    };

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = LineReader::default();
        let mut seen = Vec::new();
        for piece in pieces {
            reader.push(piece);
            while let Some(line) = reader.next(LIMITS) {
                seen.push(format!("{line:?}"));
            }
            assert!(reader.len() <= 21, "an unfinished line is bounded");
        }
        seen
    }

    #[test]
    fn lines_do_not_depend_on_the_cut() {
        let stream = b"STAT\r\n12345678\r\n123456789\r\nAUTH 345678901234\r\na\rb\r\na\nb\r\n\r\r\n\0\r\n123456789012345678901\r\rx\n\r\nQUIT\r\n";
        let whole = lines(&[stream]);
        assert_eq!(whole.len(), 10);
        assert_eq!(whole.iter().filter(|line| *line == "TooLong").count(), 2);
        assert_eq!(
            whole.iter().filter(|line| *line == "BareControl").count(),
            4
        );
        for cut in 0..=stream.len() {
            let (before, after) = stream.split_at(cut);
            assert_eq!(lines(&[before, after]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(lines(&bytes), whole);
    }

    #[test]
    fn a_line_of_exactly_the_limit_passes() {
        assert_eq!(
            lines(&[b"12345678\r\n"]),
            ["Text([49, 50, 51, 52, 53, 54, 55, 56])"]
        );
        assert_eq!(lines(&[b"123456789\r\n"]), ["TooLong"]);
    }
}
