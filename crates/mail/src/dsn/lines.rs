//! Text that others wrote, made fit to stand in lines of ours.
//!
//! Promises: no control character, no line above 998 octets, folds only at spaces.
//! Standards: RFC 5322 §2.1.1, §2.2.3; RFC 2045 §6.7.

use std::fmt::Write as _;

/// Longest line of ours for people, in characters.
const COLUMNS: usize = 72;
/// Characters of one word that are kept together.
const WORD_CHARS_MAX: usize = 200;
/// Characters of a peer's words that a report repeats.
const WORDS_CHARS_MAX: usize = 4000;

/// The text with control characters as spaces, at most 4000 characters.
pub(super) fn printable(text: &str) -> String {
    let clean = |c: char| {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            ' '
        } else {
            c
        }
    };
    text.chars().map(clean).take(WORDS_CHARS_MAX).collect()
}

/// The text in ASCII, other characters as `\x{hex}` (RFC 6533 §3).
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
        }
    }
    out
}

/// Words in lines of at most 72 characters; a word that is too long is cut.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut columns = 0;
    for word in printable(text).split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        for piece in characters.chunks(WORD_CHARS_MAX) {
            if columns > 0 && columns + 1 + piece.len() > COLUMNS {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            }
            if columns > 0 {
                line.push(' ');
                columns += 1;
            }
            line.extend(piece);
            columns += piece.len();
        }
    }
    if columns > 0 {
        lines.push(line);
    }
    lines
}

/// A field, folded, with CRLF.
pub(super) fn field(name: &str, value: &str) -> String {
    // RFC 5322 §2.2.3: a fold is CRLF before white space.
    format!("{name}: {}\r\n", wrapped(value).join("\r\n "))
}

/// Octets in quoted-printable; CRLF stays a line end.
pub(super) fn quoted_printable(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() * 2);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let (text, ended) = match line.strip_suffix(b"\r\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let mut columns = 0;
        for (at, octet) in text.iter().enumerate() {
            let last = at + 1 == text.len();
            // RFC 2045 §6.7: 33 to 60 and 62 to 126 stand for themselves, white space but at
            // the end of a line.
            let plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~')
                || (matches!(octet, b' ' | b'\t') && !last);
            let width = if plain { 1 } else { 3 };
            if columns + width > 75 {
                out.push_str("=\r\n");
                columns = 0;
            }
            columns += width;
            if plain {
                out.push(char::from(*octet));
            } else {
                let _ = write!(out, "={octet:02X}");
            }
        }
        if ended {
            out.push_str("\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_line_breaks_end_nothing() {
        assert_eq!(
            field("Diagnostic-Code", "smtp; 550 a\r\nBcc: x\u{2028}y\0z"),
            "Diagnostic-Code: smtp; 550 a Bcc: x y z\r\n"
        );
    }

    #[test]
    fn no_line_grows_beyond_bounds() {
        let long = "x".repeat(5000);
        for line in field("A", &long).split("\r\n") {
            assert!(line.len() <= 300);
        }
        assert_eq!(wrapped("").len(), 0);
        assert_eq!(wrapped("a b"), ["a b"]);
    }

    #[test]
    fn quoted_printable_keeps_lines_short_and_ends() {
        let encoded = quoted_printable("é= \r\n".repeat(40).as_bytes());
        assert!(encoded.starts_with("=C3=A9=3D=20\r\n"));
        let one = quoted_printable("é".repeat(100).as_bytes());
        assert!(one.split("\r\n").all(|line| line.len() <= 76));
    }
}
