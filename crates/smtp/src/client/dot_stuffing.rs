//! Doubling of dots at the beginning of lines, piece by piece.
//!
//! Promises: no copy is made octet by octet; undoing it gives the content back; the end is exactly
//! one CRLF.CRLF.
//! Standards: RFC 5321 §4.5.2.

/// Knows what the last octets were.
#[derive(Clone, Copy, Debug)]
pub(super) struct DotStuffer {
    /// The next octet begins a line.
    line_begins: bool,
    ends_with_cr: bool,
}

impl DotStuffer {
    pub(super) const fn new() -> Self {
        Self {
            line_begins: true,
            ends_with_cr: false,
        }
    }

    /// The octets with dots doubled; with `last`, the end of the message after them.
    pub(super) fn stuff(&mut self, octets: Vec<u8>, last: bool) -> Vec<u8> {
        let mut stuffed = self.doubled(octets);
        if last {
            // RFC 5321 §4.1.1.4: the end is CRLF.CRLF; the first CRLF is that of the last line.
            if !self.line_begins {
                stuffed.extend_from_slice(if self.ends_with_cr { b"\n" } else { b"\r\n" });
            }
            stuffed.extend_from_slice(b".\r\n");
        }
        stuffed
    }

    fn doubled(&mut self, octets: Vec<u8>) -> Vec<u8> {
        let Some(final_octet) = octets.last().copied() else {
            return octets;
        };
        let first_doubled = self.line_begins && octets.first() == Some(&b'.');
        let mut stuffed = Vec::new();
        let mut copied = 0;
        if first_doubled {
            stuffed.push(b'.');
        }
        for at in memchr::memmem::find_iter(&octets, b"\n.") {
            stuffed.extend_from_slice(octets.get(copied..=at).unwrap_or_default());
            stuffed.push(b'.');
            copied = at + 1;
        }
        self.line_begins = final_octet == b'\n';
        self.ends_with_cr = final_octet == b'\r';
        if stuffed.is_empty() {
            return octets;
        }
        stuffed.extend_from_slice(octets.get(copied..).unwrap_or_default());
        stuffed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut stuffer = DotStuffer::new();
        let mut out: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| stuffer.stuff(piece.to_vec(), false))
            .collect();
        out.extend(stuffer.stuff(Vec::new(), true));
        out
    }

    #[test]
    fn dots_at_the_beginning_of_lines_are_doubled_across_pieces() {
        let expected = b"..a\r\n..\r\nb.\r\n...\r\n.\r\n";
        let content = b".a\r\n.\r\nb.\r\n..\r\n";
        for cut in 0..content.len() {
            let (one, two) = content.split_at(cut);
            assert_eq!(stuffed(&[one, two]), expected, "{cut}");
        }
    }

    #[test]
    fn a_last_line_without_its_end_gets_one() {
        assert_eq!(stuffed(&[b"a"]), b"a\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\r"]), b"a\r\n.\r\n");
        assert_eq!(stuffed(&[]), b".\r\n");
    }

    proptest! {
        #[test]
        fn undoing_gives_the_content_back(
            lines in proptest::collection::vec("[.a]{0,4}", 0..20),
            cut in 0_usize..60,
        ) {
            let content: Vec<u8> = lines.iter().flat_map(|l| format!("{l}\r\n").into_bytes()).collect();
            let (one, two) = content.split_at(cut.min(content.len()));
            let wire = String::from_utf8(stuffed(&[one, two])).unwrap_or_default();
            let (body, end) = wire.split_at(wire.len() - 3);
            prop_assert_eq!(end, ".\r\n");
            let undone: String = body
                .split_inclusive("\r\n")
                .map(|line| line.strip_prefix('.').unwrap_or(line))
                .collect();
            prop_assert_eq!(undone.into_bytes(), content);
            prop_assert!(!body.split_inclusive("\r\n").any(|line| line == ".\r\n"));
        }
    }
}
