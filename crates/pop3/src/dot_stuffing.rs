//! Dot-stuffing of a body that comes in pieces.
//!
//! Promises: the peer that takes the first dot off every line gets the stored octets back; a
//! body without final CRLF gets one; the result does not depend on how the body was cut.
//! Does not: repair bare CR or LF; only CRLF ends a line.
//! Standards: RFC 1939 §3.

use memchr::memmem;

/// Where the last octet sent has left us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DotStuffing {
    /// At the start of a line.
    #[default]
    LineStart,
    /// Within a line, after an octet that is no CR.
    Within,
    /// After a CR that may begin a CRLF.
    AfterCr,
}

impl DotStuffing {
    /// Appends the next octets of the body to `out`.
    pub(crate) fn push(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let mut rest = body;
        if *self == Self::AfterCr
            && let Some((b'\n', tail)) = rest.split_first()
        {
            out.push(b'\n');
            *self = Self::LineStart;
            rest = tail;
        }
        if rest.is_empty() {
            return;
        }
        if *self == Self::LineStart && rest.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.reserve(rest.len() + 64);
        let mut sent = 0;
        // RFC 1939 §3: a line that begins with the termination octet gets one more in front.
        for line_end in memmem::find_iter(rest, b"\r\n.") {
            let dot = line_end + 2;
            out.extend_from_slice(rest.get(sent..dot).unwrap_or_default());
            out.push(b'.');
            sent = dot;
        }
        out.extend_from_slice(rest.get(sent..).unwrap_or_default());
        *self = match rest {
            [.., b'\r', b'\n'] => Self::LineStart,
            [.., b'\r'] => Self::AfterCr,
            _ => Self::Within,
        };
    }

    /// Ends the body: its last line, if open, and the line with the dot.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::LineStart => out.extend_from_slice(b".\r\n"),
            Self::Within | Self::AfterCr => out.extend_from_slice(b"\r\n.\r\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut stuffing = DotStuffing::default();
        let mut out = Vec::new();
        for piece in pieces {
            stuffing.push(piece, &mut out);
        }
        stuffing.finish(&mut out);
        out
    }

    /// What a client does: lines up to the one that is a dot, a first dot taken off each.
    fn unstuffed(wire: &[u8]) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        let mut rest = wire;
        loop {
            let end = memmem::find(rest, b"\r\n")? + 2;
            let (line, tail) = rest.split_at(end);
            if line == b".\r\n" {
                return tail.is_empty().then_some(body);
            }
            body.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            rest = tail;
        }
    }

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_only() {
        assert_eq!(
            stuffed(&[b".a\r\n..b\r\nc.d\n.e\r.f\r\n.\r\n"]),
            b"..a\r\n...b\r\nc.d\n.e\r.f\r\n..\r\n.\r\n"
        );
        assert_eq!(stuffed(&[]), b".\r\n");
        assert_eq!(stuffed(&[b"x"]), b"x\r\n.\r\n");
        assert_eq!(stuffed(&[b"x\r"]), b"x\r\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn the_peer_gets_the_stored_octets_back(
            body in prop::collection::vec(prop::sample::select(b"\r\n..ab".to_vec()), 0..60),
            cuts in prop::collection::vec(0_usize..60, 0..4),
        ) {
            let whole = stuffed(&[&body]);
            let mut expected = body.clone();
            if !body.is_empty() && !body.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(unstuffed(&whole), Some(expected));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(stuffed(&pieces), whole);
        }
    }
}
