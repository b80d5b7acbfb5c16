//! The header section of a message as it came: field names, ranges of octets, values.
//!
//! Promises: reads any octets without failing; ranges lie within what was read, ascending and
//! apart; a line that is no field is passed over, so that nothing behind it stays unseen. A
//! message whose first line is no field has no header section.
//! Does not: change anything, or read the grammar of values (see `header_values`).
//! Standards: RFC 5322 §2.1, §2.2, §3.6; RFC 6532.

use std::borrow::Cow;
use std::ops::Range;

/// A name longer than this is no field; the longest registered one has 59 octets.
const NAME_OCTETS_MAX: usize = 998;

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as written.
    pub name: &'a str,
    /// What follows the colon, folds and the last line end included.
    pub value: &'a [u8],
    /// Where the whole field lies, its last line end included.
    pub range: Range<usize>,
}

impl<'a> Field<'a> {
    /// Whether the field has this name.
    // RFC 5322 §1.2.2, §3.6: names are compared without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value without folds and outer space; octets that are no UTF-8 read as U+FFFD.
    // RFC 5322 §2.2.3: unfolding removes the CRLF before white space, and only it.
    pub fn unfolded(&self) -> Cow<'a, str> {
        match String::from_utf8_lossy(self.value) {
            Cow::Borrowed(text) => {
                let text = trim(text);
                if text.contains(['\r', '\n']) {
                    Cow::Owned(without_line_ends(text))
                } else {
                    Cow::Borrowed(text)
                }
            }
            Cow::Owned(text) => Cow::Owned(without_line_ends(trim(&text))),
        }
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn without_line_ends(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The header section of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    fields: Vec<Field<'a>>,
    end: usize,
    complete: bool,
}

impl<'a> Header<'a> {
    /// Reads the header section at the start of `message`, which may be cut off anywhere behind it.
    pub fn scan(message: &'a [u8]) -> Self {
        let mut header = Self::default();
        let mut at = 0;
        while let Some(line) = line_at(message, at) {
            let octets = message.get(line.clone()).unwrap_or_default();
            if is_blank(octets) {
                header.end = line.end;
                header.complete = true;
                return header;
            }
            if !header.take_line(message, &line) {
                // The first line is no field: all of it is body.
                header.complete = true;
                return header;
            }
            at = line.end;
        }
        header.end = at;
        header
    }

    /// Takes one line; false when it is the first and no field.
    fn take_line(&mut self, message: &'a [u8], line: &Range<usize>) -> bool {
        let octets = message.get(line.clone()).unwrap_or_default();
        if octets.first().is_some_and(|octet| is_space(*octet)) {
            return self.fold(message, line);
        }
        match field_name(octets) {
            Some((name, value_at)) => {
                self.fields.push(Field {
                    name,
                    value: octets.get(value_at..).unwrap_or_default(),
                    range: line.clone(),
                });
                true
            }
            None => line.start > 0 || is_mbox_line(octets),
        }
    }

    /// Adds a continuation line to the field that it follows directly.
    fn fold(&mut self, message: &'a [u8], line: &Range<usize>) -> bool {
        if let Some(field) = self.fields.last_mut()
            && field.range.end == line.start
        {
            let value_start = field.range.end - field.value.len();
            field.range.end = line.end;
            field.value = message.get(value_start..line.end).unwrap_or_default();
        }
        line.start > 0
    }

    /// The fields, in order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The fields of one name, in order.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The first field of one name.
    pub fn first(&self, name: &str) -> Option<&Field<'a>> {
        self.named(name).next()
    }

    /// How many Received fields there are.
    // RFC 5321 §6.3: counting them is how loops are found.
    pub fn received_count(&self) -> u64 {
        u64::try_from(self.named("Received").count()).unwrap_or(u64::MAX)
    }

    /// The first octet behind the section and the blank line that ends it.
    pub const fn end(&self) -> usize {
        self.end
    }

    /// Whether the end of the section was seen.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }
}

/// Where the header section and its blank line end, looking for the blank line from about `from`
/// on (all before was looked at already); `None` while the end has not come. 0 when the first
/// line is no field, so that all is body.
pub fn section_end(message: &[u8], from: usize) -> Option<usize> {
    // The first line says what the rest is, as soon as enough of it has come. Only its beginning
    // is looked at, since this is asked again for every piece of an endless line.
    let start = message.get(..message.len().min(NAME_OCTETS_MAX))?;
    let line = line_at(start, 0)?;
    let octets = start.get(line)?;
    let is_whole = octets.ends_with(b"\r\n");
    if is_blank(octets) {
        return Some(octets.len());
    }
    if field_name(octets).is_none() && !is_mbox_line(octets) {
        return (is_whole || message.len() >= NAME_OCTETS_MAX).then_some(0);
    }
    let rest = message.get(from..)?;
    memchr::memmem::find(rest, b"\r\n\r\n").map(|at| from + at + 4)
}

/// The line that begins at `at`, its line end included; the last one may lack it.
fn line_at(message: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = message.get(at..).filter(|rest| !rest.is_empty())?;
    let length = memchr::memmem::find(rest, b"\r\n").map_or(rest.len(), |found| found + 2);
    Some(at..at + length)
}

fn is_blank(line: &[u8]) -> bool {
    line == b"\r\n"
}

const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// The name of the field that `line` begins, and where its value starts.
fn field_name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = memchr::memchr(b':', line.get(..line.len().min(NAME_OCTETS_MAX))?)?;
    let mut name = line.get(..colon)?;
    // RFC 5322 §4.5: obsolete syntax allows white space before the colon.
    while let Some((last, front)) = name.split_last()
        && is_space(*last)
    {
        name = front;
    }
    // RFC 5322 §3.6.8: a name is printable US-ASCII without colon and space.
    let good = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    let name = std::str::from_utf8(name).ok().filter(|_| good)?;
    Some((name, colon + 1))
}

/// The `From ` line of mailbox files, which some programs send before the header.
fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSAGE: &[u8] = b"Received: from a\r\n\tby b\r\nFrom: Bob <bob@office.test>\r\n\
        broken line\r\nRECEIVED : x\r\nSubject:\r\n  folded\r\n twice \r\n\r\nFrom: body\r\n";

    #[test]
    fn fields_have_names_values_and_ranges() {
        let header = Header::scan(MESSAGE);
        let names: Vec<&str> = header.fields().iter().map(|field| field.name).collect();
        assert_eq!(names, ["Received", "From", "RECEIVED", "Subject"]);
        assert_eq!(header.received_count(), 2);
        assert_eq!(
            header.first("received").map(Field::unfolded).as_deref(),
            Some("from a\tby b")
        );
        assert_eq!(
            header.first("subject").map(Field::unfolded).as_deref(),
            Some("folded twice")
        );
        let ranges: Vec<_> = header.fields().iter().map(|f| f.range.clone()).collect();
        assert_eq!(ranges[0], 0..25);
        assert!(header.is_complete());
        assert_eq!(&MESSAGE[header.end()..], b"From: body\r\n");
    }

    #[test]
    fn a_body_without_header_has_no_fields() {
        for (message, end) in [
            (&b"\r\nFrom: body\r\n"[..], 2),
            (b"Dear all\r\nFrom: here on\r\n", 0),
            (b" folded\r\nFrom: x\r\n", 0),
            (b"", 0),
        ] {
            let header = Header::scan(message);
            assert_eq!((header.fields().len(), header.end()), (0, end));
            if !message.is_empty() {
                assert_eq!(section_end(message, 0), Some(end));
            }
        }
    }

    #[test]
    fn a_mailbox_file_line_before_the_header_hides_nothing() {
        let message = b"From bob Tue Nov 24\r\n continued\r\nFrom: a@b.test\r\n\r\n";
        let header = Header::scan(message);
        assert_eq!(header.named("From").count(), 1);
        assert_eq!(section_end(message, 0), Some(message.len()));
    }

    #[test]
    fn a_first_line_without_end_is_judged_by_its_beginning() {
        let endless = vec![b'x'; NAME_OCTETS_MAX];
        assert_eq!(section_end(&endless[1..], 0), None);
        assert_eq!(section_end(&endless, 0), Some(0));
        let mut field = b"X: ".to_vec();
        field.resize(3 * NAME_OCTETS_MAX, b'x');
        assert_eq!(section_end(&field, 0), None);
        field.extend_from_slice(b"\r\n\r\n");
        assert_eq!(section_end(&field, field.len() - 4), Some(field.len()));
    }

    #[test]
    fn a_section_without_end_is_incomplete() {
        let header = Header::scan(b"From: a@b.test\r\nSubj");
        assert_eq!(header.fields().len(), 1);
        assert!(!header.is_complete());
        assert_eq!(section_end(b"From: a@b.test\r\n\r", 0), None);
    }

    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n".to_vec()),
            Just(b" ".to_vec()),
            Just(b":".to_vec()),
            Just(b"From".to_vec()),
            Just(b"From ".to_vec()),
            prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn ranges_lie_inside_ascending_and_apart(message in hostile()) {
            let header = Header::scan(&message);
            let mut before = 0;
            for field in header.fields() {
                prop_assert!(before <= field.range.start && field.range.start < field.range.end);
                prop_assert!(field.range.end <= header.end());
                prop_assert!(message[field.range.clone()].ends_with(field.value));
                let _ = field.unfolded();
                before = field.range.end;
            }
            prop_assert!(header.end() <= message.len());
        }

        #[test]
        fn the_end_is_the_same_whole_or_in_pieces(message in hostile(), cut in 0_usize..64) {
            let header = Header::scan(&message);
            let part = message.len().min(cut);
            let early = section_end(&message[..part], 0);
            if let Some(end) = section_end(&message, 0) {
                prop_assert!(header.is_complete());
                prop_assert_eq!(header.end(), end);
                let later = early.or_else(|| section_end(&message, part.saturating_sub(3)));
                prop_assert_eq!(later, Some(end));
            } else {
                prop_assert_eq!(early, None);
                prop_assert!(!header.is_complete() || header.end() == 0);
            }
        }
    }
}
