//! Where TOP stops: after the header, the empty line and n lines of the body.
//!
//! Promises: exact for bodies that come in pieces; reads nothing that it does not need.
//! Does not: parse header fields.
//! Standards: RFC 1939 §7.

use memchr::memchr_iter;

/// Counts lines until enough have passed.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    in_header: bool,
    lines: u64,
    /// Octets of the current line that came with earlier pieces.
    line_octets: usize,
    after_cr: bool,
}

/// How much of a piece belongs to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it, and more is wanted.
    Whole,
    /// The first so many octets, and nothing after them.
    Last(usize),
}

impl Top {
    /// TOP with this many lines of the body.
    pub(crate) fn new(lines: u64) -> Self {
        Self {
            in_header: true,
            lines,
            line_octets: 0,
            after_cr: false,
        }
    }

    /// Looks at the next piece of the message.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Part {
        let mut line_start = 0;
        for lf in memchr_iter(b'\n', piece) {
            let after_cr = match lf.checked_sub(1) {
                Some(before) => piece.get(before) == Some(&b'\r'),
                None => self.after_cr,
            };
            if !after_cr {
                continue;
            }
            let length = self.line_octets + lf - line_start;
            self.line_octets = 0;
            line_start = lf + 1;
            if self.ends_with_line(length == 1) {
                return Part::Last(line_start);
            }
        }
        self.line_octets = self.line_octets.saturating_add(piece.len() - line_start);
        if let Some(last) = piece.last() {
            self.after_cr = *last == b'\r';
        }
        Part::Whole
    }

    /// Counts a line; whether it was the last one.
    fn ends_with_line(&mut self, empty: bool) -> bool {
        if self.in_header {
            // RFC 1939 §7: the header, the blank line that separates it, then the body's lines.
            self.in_header = !empty;
        } else {
            self.lines -= 1;
        }
        !self.in_header && self.lines == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(lines: u64, pieces: &[&[u8]]) -> Vec<u8> {
        let mut top = Top::new(lines);
        let mut taken = Vec::new();
        for piece in pieces {
            match top.take(piece) {
                Part::Whole => taken.extend_from_slice(piece),
                Part::Last(octets) => {
                    taken.extend_from_slice(&piece[..octets]);
                    break;
                }
            }
        }
        taken
    }

    const MESSAGE: &[u8] = b"A: 1\r\nB: 2\n\r\r\n\r\none\r\n\r\nthree\r\nfour";

    #[test]
    fn header_blank_line_and_n_lines_are_taken() {
        let header: &[u8] = b"A: 1\r\nB: 2\n\r\r\n\r\n";
        for (lines, body) in [
            (0, &b""[..]),
            (1, b"one\r\n"),
            (2, b"one\r\n\r\n"),
            (3, b"one\r\n\r\nthree\r\n"),
            (4, b"one\r\n\r\nthree\r\nfour"),
            (u64::MAX, b"one\r\n\r\nthree\r\nfour"),
        ] {
            let expected = [header, body].concat();
            assert_eq!(top(lines, &[MESSAGE]), expected, "{lines} lines");
            for cut in 0..=MESSAGE.len() {
                let (before, after) = MESSAGE.split_at(cut);
                assert_eq!(top(lines, &[before, after]), expected, "{lines} at {cut}");
            }
            let bytes: Vec<&[u8]> = MESSAGE.chunks(1).collect();
            assert_eq!(top(lines, &bytes), expected, "{lines} lines by octets");
        }
    }

    #[test]
    fn a_message_without_header_or_without_body_is_taken_right() {
        assert_eq!(top(1, &[b"\r\none\r\ntwo\r\n"]), b"\r\none\r\n");
        assert_eq!(top(0, &[b"A: 1\r\n"]), b"A: 1\r\n");
        assert_eq!(top(0, &[b""]), b"");
    }
}
