//! The content of a message on its way in: line ends, dots and lengths, in one pass.
//!
//! Promises: only CRLF ends a line and only CRLF.CRLF ends the content, however it is cut; a fault
//! never ends the reading early; nothing is copied twice, and nothing is kept but a few numbers.
//! Does not: look at header fields or at what the content means.
//! Standards: RFC 5321 §2.3.8, §4.1.1.4, §4.5.2, §4.5.3.1.6; RFC 1870 §6; RFC 3030.

use super::{BareLf, Discarded, Limits};

/// How the end of the content is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// DATA: by a dot on a line of its own; other lines that begin with a dot carry one more.
    Dots,
    /// BDAT: by counting.
    Counted,
}

/// Where the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// At the beginning of a line.
    Start,
    /// Within a line.
    Text,
    /// After a CR that has not been copied yet.
    Cr,
    /// After the dot at the beginning of a line, which is not copied.
    Dot,
    /// After that dot and a CR.
    DotCr,
}

/// What has been seen of one message's content so far.
#[derive(Debug)]
pub(super) struct Content {
    framing: Framing,
    bare_lf: BareLf,
    size_bytes_max: u64,
    line_bytes_max: u64,
    position: Position,
    line_bytes: u64,
    size_bytes: u64,
    lines: u64,
    eight_bit: bool,
    bad: bool,
}

/// What one piece of input gave.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Octets of the input that belong to the content.
    pub(super) used: usize,
    /// Content octets, empty once there is a fault.
    pub(super) octets: Vec<u8>,
    /// The end was seen.
    pub(super) ended: bool,
}

impl Content {
    pub(super) fn new(framing: Framing, bare_lf: BareLf, limits: &Limits) -> Self {
        Self {
            framing,
            bare_lf,
            size_bytes_max: limits.size_bytes_max,
            line_bytes_max: limits.text_line_bytes_max,
            position: Position::Start,
            line_bytes: 0,
            size_bytes: 0,
            lines: 0,
            eight_bit: false,
            bad: false,
        }
    }

    /// Octets of content so far.
    pub(super) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Line ends so far, and one for an unfinished last line.
    pub(super) fn lines(&self) -> u64 {
        self.lines + u64::from(self.line_bytes > 0)
    }

    /// Whether some octet so far is above 127.
    pub(super) const fn eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// Why this content will not be taken, as far as is known. Size goes first, so that the answer
    /// does not depend on how the input was cut.
    pub(super) const fn fault(&self) -> Option<Discarded> {
        if self.size_bytes > self.size_bytes_max {
            Some(Discarded::TooLarge)
        } else if self.bad {
            Some(Discarded::BadContent)
        } else {
            None
        }
    }

    /// Whether `more` counted octets would make the content too large.
    pub(super) const fn would_exceed(&self, more: u64) -> bool {
        self.size_bytes.saturating_add(more) > self.size_bytes_max
    }

    /// Ends counted content: a CR that still waits for its LF stands alone.
    pub(super) fn finish(&mut self) {
        if self.position == Position::Cr {
            self.bad = true;
        }
    }

    /// Reads as much of `input` as belongs to the content.
    pub(super) fn read(&mut self, input: &[u8]) -> Piece {
        let mut copy = Copy::new(input, self.fault().is_some());
        let mut at = 0;
        let mut ended = false;
        while let Some(&byte) = input.get(at) {
            at = match self.position {
                Position::Text => self.text(input, at, &mut copy),
                Position::Start => self.line_start(byte, at, &mut copy),
                Position::Cr => self.after_cr(byte, at, &mut copy),
                Position::Dot => self.after_dot(byte, at, &mut copy),
                Position::DotCr if byte == b'\n' => {
                    ended = true;
                    at += 1;
                    break;
                }
                Position::DotCr => {
                    // The dot line is not over, so that CR stood alone.
                    self.bad = true;
                    self.position = Position::Text;
                    copy.skip_to(at);
                    at
                }
            };
        }
        if !ended && matches!(self.position, Position::Text | Position::Start) {
            copy.take_to(at);
        }
        let (octets, copied) = copy.finish();
        self.size_bytes += copied;
        self.eight_bit |= !octets.is_ascii();
        Piece {
            used: at,
            octets: if self.fault().is_some() {
                Vec::new()
            } else {
                octets
            },
            ended,
        }
    }

    /// From the beginning of a line: is there a dot?
    fn line_start(&mut self, byte: u8, at: usize, copy: &mut Copy<'_>) -> usize {
        // RFC 5321 §4.5.2: a dot at the beginning of a line is deleted, or ends the message.
        if byte == b'.' && self.framing == Framing::Dots {
            self.position = Position::Dot;
            copy.take_to(at);
            copy.skip_to(at + 1);
            return at + 1;
        }
        self.position = Position::Text;
        at
    }

    /// From within a line to its end, or to whatever has no business there.
    fn text(&mut self, input: &[u8], at: usize, copy: &mut Copy<'_>) -> usize {
        let rest = input.get(at..).unwrap_or_default();
        let Some(run) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
            self.grow_line(rest.len());
            return input.len();
        };
        self.grow_line(run);
        let stop = at + run;
        match (input.get(stop), input.get(stop + 1)) {
            (Some(b'\r'), Some(b'\n')) => {
                self.end_line();
                stop + 2
            }
            (Some(b'\r'), None) => {
                self.position = Position::Cr;
                copy.take_to(stop);
                copy.skip_to(stop + 1);
                stop + 1
            }
            (Some(b'\n'), _) if self.bare_lf == BareLf::MakeCrlf => {
                // A line end for those who read the message later, but none here: no dot after
                // it is looked at, so what ends the message is never in doubt.
                copy.take_to(stop);
                copy.insert(b"\r\n");
                copy.skip_to(stop + 1);
                self.end_line();
                self.position = Position::Text;
                stop + 1
            }
            // RFC 5321 §2.3.8: CR and LF only together; §4.5.2 and RFC 5322 §4: no NUL.
            _ => {
                self.bad = true;
                self.grow_line(1);
                stop + 1
            }
        }
    }

    fn after_cr(&mut self, byte: u8, at: usize, copy: &mut Copy<'_>) -> usize {
        copy.insert(b"\r");
        copy.skip_to(at);
        if byte == b'\n' {
            self.end_line();
            return at + 1;
        }
        self.bad = true;
        self.grow_line(1);
        self.position = Position::Text;
        at
    }

    fn after_dot(&mut self, byte: u8, at: usize, copy: &mut Copy<'_>) -> usize {
        if byte == b'\r' {
            self.position = Position::DotCr;
            copy.skip_to(at + 1);
            return at + 1;
        }
        self.position = Position::Text;
        at
    }

    fn grow_line(&mut self, octets: usize) {
        self.line_bytes = self
            .line_bytes
            .saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        // DEVIATES RFC 5321 §4.5.3.1.6: lines over 1000 octets are kept whole up to our own limit.
        if self.line_bytes.saturating_add(2) > self.line_bytes_max {
            self.bad = true;
        }
    }

    fn end_line(&mut self) {
        self.lines += 1;
        self.line_bytes = 0;
        self.position = Position::Start;
    }
}

/// Copies runs of the input as late and as large as it can.
struct Copy<'a> {
    input: &'a [u8],
    from: usize,
    octets: Vec<u8>,
    /// Counts only, because the content is refused anyway.
    count_only: bool,
    copied: u64,
}

impl<'a> Copy<'a> {
    fn new(input: &'a [u8], count_only: bool) -> Self {
        Self {
            input,
            from: 0,
            octets: Vec::new(),
            count_only,
            copied: 0,
        }
    }

    fn take_to(&mut self, to: usize) {
        let run = self.input.get(self.from..to).unwrap_or_default();
        self.from = self.from.max(to);
        self.insert(run);
    }

    fn skip_to(&mut self, to: usize) {
        self.from = to;
    }

    fn insert(&mut self, octets: &[u8]) {
        self.copied += u64::try_from(octets.len()).unwrap_or(u64::MAX);
        if self.count_only || octets.is_empty() {
            return;
        }
        if self.octets.capacity() == 0 {
            // One allocation for the usual piece: a CR may be left over from the one before.
            self.octets.reserve(self.input.len() + 1);
        }
        self.octets.extend_from_slice(octets);
    }

    fn finish(self) -> (Vec<u8>, u64) {
        (self.octets, self.copied)
    }
}
