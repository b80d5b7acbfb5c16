//! Reads the replies of a server that may be broken or hostile.
//!
//! Promises: bounded memory and time whatever comes; codes that disagree within one reply, or are
//! no codes, are errors, never guesses; text is kept as text, without control characters.
//! Does not: decide what a reply means, or read past the end of a reply, so that octets injected
//! ahead of TLS stay visible to the caller.
//! Standards: RFC 5321 §4.2, §4.5.3.1.5; RFC 2034, RFC 3463.

use mail::EnhancedStatus;

/// Octets of one line that are kept; the rest of the line is read and forgotten.
// RFC 5321 §4.5.3.1.5: 512 octets; four times that is read for servers that do not count.
const LINE_BYTES_KEPT: usize = 2048;
/// Lines of one reply that are kept.
const LINES_KEPT: usize = 128;
/// Octets of one reply, kept or not.
const REPLY_BYTES_MAX: usize = 256 * 1024;

/// A reply as a server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerReply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced status at the beginning of the text, if its class is that of the code.
    pub enhanced: Option<EnhancedStatus>,
    /// The texts of the lines without codes and line ends, the enhanced status included; at least
    /// one, at most 128 of at most 2048 octets each.
    pub lines: Vec<String>,
}

impl PeerReply {
    /// Whether this is 2xx.
    pub const fn is_success(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether this is 3xx.
    pub const fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// Whether this is 4xx.
    pub const fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Whether this is 5xx.
    pub const fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The server's own words in one line, code first, for reports and the history.
    pub fn summary(&self) -> String {
        let mut text = self.code.to_string();
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            text.push(' ');
            text.push_str(line);
        }
        text
    }
}

/// Why what came is no reply. The connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplySyntax {
    /// A line does not begin with three digits, the first of them 2 to 5.
    #[error("the server sent a line without a reply code")]
    NoCode,
    /// What follows the code is neither a space nor a hyphen nor the end of the line.
    #[error("the server sent something else than a space or a hyphen after the reply code")]
    Separator,
    /// The lines of one reply have different codes.
    #[error("the server sent one reply with different codes")]
    CodesDiffer,
    /// The reply does not end.
    #[error("the server sent a reply of more than 256 KiB")]
    TooLong,
}

/// Collects one reply at a time.
#[derive(Debug, Default)]
pub struct ReplyReader {
    line: Vec<u8>,
    lines: Vec<String>,
    code: Option<u16>,
    enhanced: Option<EnhancedStatus>,
    bytes: usize,
}

impl ReplyReader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a part of a reply has been read.
    pub const fn is_within_reply(&self) -> bool {
        self.bytes > 0
    }

    /// Reads from the front of `input`, which becomes what is left of it; gives a reply when one
    /// is complete, and `None` when more input is needed.
    ///
    /// # Errors
    /// `ReplySyntax` when this is no reply: close the connection.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<PeerReply>, ReplySyntax> {
        while !input.is_empty() {
            let end = memchr::memchr(b'\n', input);
            let taken = end.map_or(input.len(), |at| at + 1);
            let (front, rest) = input.split_at_checked(taken).unwrap_or((input, &[]));
            *input = rest;
            self.bytes = self.bytes.saturating_add(front.len());
            if self.bytes > REPLY_BYTES_MAX {
                return Err(ReplySyntax::TooLong);
            }
            let room = LINE_BYTES_KEPT.saturating_sub(self.line.len());
            self.line
                .extend_from_slice(front.get(..room).unwrap_or(front));
            if end.is_some() && self.end_line()? {
                return Ok(self.take_reply());
            }
        }
        Ok(None)
    }

    /// Takes in the collected line; true when it was the last of its reply.
    // DEVIATES RFC 5321 §2.3.8: LF alone ends a reply line too; nothing can be smuggled in here,
    // since no reply is awaited that we did not ask for.
    fn end_line(&mut self) -> Result<bool, ReplySyntax> {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii_end();
        let (digits, rest) = line.split_at_checked(3).ok_or(ReplySyntax::NoCode)?;
        let code = code(digits).ok_or(ReplySyntax::NoCode)?;
        if self.code.is_some_and(|first| first != code) {
            return Err(ReplySyntax::CodesDiffer);
        }
        self.code = Some(code);
        // RFC 5321 §4.2: a client must take a code without text.
        let (is_last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(ReplySyntax::Separator),
        };
        if self.lines.len() < LINES_KEPT {
            let text = printable(text);
            if self.enhanced.is_none() {
                self.enhanced = enhanced(&text, code);
            }
            self.lines.push(text);
        }
        Ok(is_last)
    }

    fn take_reply(&mut self) -> Option<PeerReply> {
        let reader = std::mem::take(self);
        Some(PeerReply {
            code: reader.code?,
            enhanced: reader.enhanced,
            lines: reader.lines,
        })
    }
}

fn code(digits: &[u8]) -> Option<u16> {
    let code: u16 = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?
        .parse()
        .ok()?;
    // RFC 5321 §4.2.1: the first digit is 2 to 5.
    (200..600).contains(&code).then_some(code)
}

/// RFC 2034 §3: the enhanced status begins the text, and its class is the code's first digit.
fn enhanced(text: &str, code: u16) -> Option<EnhancedStatus> {
    text.split_ascii_whitespace()
        .next()?
        .parse::<EnhancedStatus>()
        .ok()
        .filter(|status| status.class.digit() == code / 100)
}

/// The octets as text, control characters as spaces, so that it can stand in a report.
fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<Option<PeerReply>, ReplySyntax> {
        let mut left = input;
        ReplyReader::new().read(&mut left)
    }

    fn reply(code: u16, enhanced: Option<&str>, lines: &[&str]) -> PeerReply {
        PeerReply {
            code,
            enhanced: enhanced.and_then(|text| text.parse().ok()),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn replies_of_one_line_and_of_several_are_read() {
        assert_eq!(
            read(b"250 2.0.0 queued\r\n"),
            Ok(Some(reply(250, Some("2.0.0"), &["2.0.0 queued"])))
        );
        assert_eq!(
            read(b"250-mx.hotmail.test\r\n250-SIZE 1000\r\n250 DSN\r\n"),
            Ok(Some(reply(
                250,
                None,
                &["mx.hotmail.test", "SIZE 1000", "DSN"]
            )))
        );
    }

    #[test]
    fn a_bare_status_code_is_a_reply() {
        // CVE-2026-43964: a reply without text.
        for bare in [&b"250\r\n"[..], b"250 \r\n", b"250\n"] {
            assert_eq!(read(bare), Ok(Some(reply(250, None, &[""]))));
        }
        assert_eq!(
            read(b"550-\r\n550\r\n"),
            Ok(Some(reply(550, None, &["", ""])))
        );
    }

    #[test]
    fn every_cut_gives_the_same_reply() {
        let wire = b"550-5.1.1 no\r\n550 5.1.1 such user\r\n221 bye\r\n";
        for cut in 0..wire.len() {
            let (mut first, mut second) = wire.split_at(cut);
            let mut reader = ReplyReader::new();
            let mut replies = Vec::new();
            for part in [&mut first, &mut second] {
                while let Ok(Some(reply)) = reader.read(part) {
                    replies.push(reply);
                }
            }
            let expected = [
                reply(550, Some("5.1.1"), &["5.1.1 no", "5.1.1 such user"]),
                reply(221, None, &["bye"]),
            ];
            assert_eq!(replies, expected);
        }
    }

    #[test]
    fn what_follows_a_reply_is_left_alone() {
        let mut input = &b"220 go ahead\r\n250 injected\r\n"[..];
        assert!(
            ReplyReader::new()
                .read(&mut input)
                .is_ok_and(|r| r.is_some())
        );
        assert_eq!(input, b"250 injected\r\n");
    }

    #[test]
    fn hostile_replies_are_errors() {
        for (wire, problem) in [
            (&b"\r\n"[..], ReplySyntax::NoCode),
            (b"hello\r\n", ReplySyntax::NoCode),
            (b"25\r\n", ReplySyntax::NoCode),
            (b"+50 ok\r\n", ReplySyntax::NoCode),
            (b"150 ok\r\n", ReplySyntax::NoCode),
            (b"999 ok\r\n", ReplySyntax::NoCode),
            (b"\xff\xfe\xfd ok\r\n", ReplySyntax::NoCode),
            (b"2500 ok\r\n", ReplySyntax::Separator),
            (b"250ok\r\n", ReplySyntax::Separator),
            (b"250-a\r\n550 b\r\n", ReplySyntax::CodesDiffer),
        ] {
            assert_eq!(
                read(wire),
                Err(problem),
                "{:?}",
                wire.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn endless_replies_end_in_an_error_and_long_lines_are_shortened() {
        let mut reader = ReplyReader::new();
        let endless = b"250-x\r\n".repeat(100_000);
        assert_eq!(
            reader.read(&mut endless.as_slice()),
            Err(ReplySyntax::TooLong)
        );
        let mut reader = ReplyReader::new();
        let flood = vec![b'2'; 10 * REPLY_BYTES_MAX];
        assert_eq!(
            reader.read(&mut flood.as_slice()),
            Err(ReplySyntax::TooLong)
        );
        let mut long = b"250 ".to_vec();
        long.resize(10_000, b'x');
        long.extend_from_slice(b"\r\n");
        let kept = read(&long).map(|r| r.map(|r| r.lines.concat().len()));
        assert_eq!(kept, Ok(Some(LINE_BYTES_KEPT - 4)));
    }

    #[test]
    fn control_characters_never_reach_a_report() {
        assert_eq!(
            read(b"550 a\0b\x1b[31m\rc\r\n"),
            Ok(Some(reply(550, None, &["a b [31m c"])))
        );
    }

    #[test]
    fn an_enhanced_status_of_another_class_is_no_status() {
        assert_eq!(
            read(b"250 5.1.1 what\r\n"),
            Ok(Some(reply(250, None, &["5.1.1 what"])))
        );
    }
}
