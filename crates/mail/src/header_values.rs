//! Values of header fields that the gateway looks at: authors, Subject, Message-ID.
//!
//! Promises: never fails; sees every From field, groups and encoded words included. Where any part
//! of an author list cannot be read for certain, no author is named at all, so that nobody can
//! hide one address behind another.
//! Does not: judge. The one place that uses the library mail-parser.
//! Standards: RFC 5322 §3.4, §3.6.2, §3.6.4; RFC 2047; RFC 6854.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::Address;
use crate::header::Header;

/// More authors than this are not read.
const AUTHORS_MAX: usize = 1000;
/// Of a longer Subject only the beginning is decoded.
const SUBJECT_OCTETS_MAX: usize = 8192;

/// What the From fields say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authors {
    /// Whether there is a From field.
    pub present: bool,
    /// Every address in all From fields, each once; empty when any part cannot be read.
    pub addresses: Vec<Address>,
}

/// Reads all From fields.
pub fn authors(header: &Header<'_>) -> Authors {
    let mut present = false;
    let mut addresses = Vec::new();
    let mut readable = true;
    for field in header.named("From") {
        present = true;
        readable = readable && collect(field.value, &mut addresses);
    }
    if !readable {
        addresses.clear();
    }
    Authors { present, addresses }
}

/// Adds the addresses of one value; false when a part of it cannot be read.
fn collect(value: &[u8], addresses: &mut Vec<Address>) -> bool {
    let mut add = |text: &str| match Address::parse(text) {
        Ok(address) if addresses.contains(&address) => true,
        Ok(address) if addresses.len() < AUTHORS_MAX => {
            addresses.push(address);
            true
        }
        Ok(_) | Err(_) => false,
    };
    // The first part that cannot be read settles it; a list of a million is not compared on.
    let line = with_line_end(value);
    if let HeaderValue::Address(list) = MessageStream::new(&line).parse_address() {
        let mut texts = list.iter().filter_map(|author| author.address.as_deref());
        if !texts.all(&mut add) {
            return false;
        }
    }
    // What the library takes for a display name may be the address that another program reads.
    let Some(bare) = bare_addresses(&String::from_utf8_lossy(value)) else {
        return false;
    };
    bare.iter().all(|text| add(text))
}

/// Words with an `@` that stand outside of quotes and comments; `None` where one of these does not
/// end, since readers differ on where it then does.
fn bare_addresses(value: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut place = Place::default();
    for c in value.chars() {
        if place.enter(c) && !is_separator(c) {
            word.push(c);
        } else if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
    }
    found.push(word);
    // A word that begins with `@` continues a quoted local-part, which the library has read.
    found.retain(|word| word.contains('@') && !word.starts_with('@'));
    (!place.quoted && place.comments == 0).then_some(found)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | ':' | '<' | '>')
}

/// Where in a structured value a reader stands.
#[derive(Default)]
struct Place {
    quoted: bool,
    comments: u32,
    escaped: bool,
}

impl Place {
    /// Reads one character; true when it stands outside of quotes and comments.
    // RFC 5322 §3.2.2, §3.2.4: comments nest, quoted strings do not; a backslash escapes in both.
    fn enter(&mut self, c: char) -> bool {
        if self.escaped {
            self.escaped = false;
            return false;
        }
        match c {
            '\\' if self.quoted || self.comments > 0 => self.escaped = true,
            '"' if self.comments == 0 => self.quoted = !self.quoted,
            '(' if !self.quoted => self.comments += 1,
            ')' if !self.quoted && self.comments > 0 => self.comments -= 1,
            _ => return !self.quoted && self.comments == 0,
        }
        false
    }
}

/// The first Subject, decoded, without control characters, at most `chars_max` characters.
pub fn subject(header: &Header<'_>, chars_max: usize) -> Option<String> {
    let field = header.first("Subject")?;
    let value = field.value.get(..SUBJECT_OCTETS_MAX).unwrap_or(field.value);
    let line = with_line_end(value);
    let decoded = MessageStream::new(&line).parse_unstructured();
    let text = decoded.as_text().unwrap_or_default();
    Some(printable(text, chars_max))
}

/// The first Message-ID as it came, brackets included, without control characters, at most 998
/// characters.
pub fn message_id(header: &Header<'_>) -> Option<String> {
    let text = header.first("Message-ID")?.unfolded();
    Some(printable(&text, 998))
}

fn printable(text: &str, chars_max: usize) -> String {
    let clean = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(chars_max);
    clean.collect::<String>().trim().to_owned()
}

/// The value as the library wants it: ending in a line end, and in nothing that looks like a fold.
fn with_line_end(value: &[u8]) -> Vec<u8> {
    let mut line = value.to_vec();
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn authors_of(text: &str) -> Vec<String> {
        let found = authors(&Header::scan(text.as_bytes()));
        assert!(found.present, "{text}");
        found.addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn authors_are_found_in_every_spelling() {
        for (text, expected) in [
            ("From: bob@office.test\r\n\r\n", &["bob@office.test"][..]),
            ("From: Bob <bob@office.test>\r\n\r\n", &["bob@office.test"]),
            ("From: bob@office.test (Bob)\r\n\r\n", &["bob@office.test"]),
            (
                "From: \"Bob, of a@b.test\"\r\n <bob@office.test>\r\n\r\n",
                &["bob@office.test"],
            ),
            (
                "From: =?utf-8?q?B=C3=B6b?= <bob@office.test>,\r\n\talice@office.test\r\n\r\n",
                &["bob@office.test", "alice@office.test"],
            ),
            (
                "From: Us: bob@office.test, A <alice@office.test>;\r\n\r\n",
                &["bob@office.test", "alice@office.test"],
            ),
            (
                "From: a@one.test\r\nSubject: x\r\nFROM: b@two.test\r\n\r\n",
                &["a@one.test", "b@two.test"],
            ),
            ("From: <ж@почта.test>\r\n\r\n", &["ж@xn--80a1acny.test"]),
            (
                "From: bob@office.test <bob@office.test>\r\n\r\n",
                &["bob@office.test"],
            ),
        ] {
            assert_eq!(authors_of(text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_cannot_hide_behind_another() {
        for (text, expected) in [
            (
                "From: alice@office.test <bob@office.test>\r\n\r\n",
                &["bob@office.test", "alice@office.test"][..],
            ),
            ("From: <bob@office.test> <alice@office.test>\r\n\r\n", &[]),
            ("From: <@a.test,@b.test:bob@office.test>\r\n\r\n", &[]),
            ("From: <bob@office.test>, <a b@c.test>\r\n\r\n", &[]),
            (
                "From: bob@office.test\r\nFrom: bob@@office.test\r\n\r\n",
                &[],
            ),
            ("From: bob@office.test, \"x <boss@out.test>\r\n\r\n", &[]),
            ("From: bob@office.test (boss@out.test\r\n\r\n", &[]),
            ("From: Bob\r\n\r\n", &[]),
            ("From: nobody:;\r\n\r\n", &[]),
            ("From:\r\n\r\n", &[]),
        ] {
            assert_eq!(authors_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_without_from_has_no_authors() {
        let found = authors(&Header::scan(b"Subject: From: a@b.test\r\n\r\n"));
        assert_eq!(found, Authors::default());
    }

    #[test]
    fn subjects_are_decoded_and_shortened() {
        let header = Header::scan(b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus\r\n K\x07ln\r\n\r\n");
        assert_eq!(subject(&header, 200).as_deref(), Some("Grüße aus K ln"));
        assert_eq!(subject(&header, 5).as_deref(), Some("Grüße"));
        assert_eq!(subject(&Header::scan(b"\r\n"), 5), None);
    }

    #[test]
    fn message_ids_are_read_as_they_came() {
        let header = Header::scan(b"Message-Id:\r\n <a.b@c.test>\r\n\r\n");
        assert_eq!(message_id(&header).as_deref(), Some("<a.b@c.test>"));
    }

    proptest! {
        #[test]
        fn no_octets_make_it_fail(pieces in prop::collection::vec(prop_oneof![
            Just(b"From: ".to_vec()), Just(b"Subject:".to_vec()), Just(b"\r\n".to_vec()),
            Just(b"\r\n ".to_vec()), Just(b"=?utf-8?q?=41".to_vec()), Just(b"?=".to_vec()),
            Just(b"=?utf-8?b?".to_vec()), Just(b"<".to_vec()), Just(b">".to_vec()),
            Just(b"\"".to_vec()), Just(b"(".to_vec()), Just(b")".to_vec()), Just(b"\\".to_vec()),
            Just(b"@".to_vec()), Just(b",;:".to_vec()), Just(b"a@b.test".to_vec()),
            prop::collection::vec(any::<u8>(), 0..6),
        ], 0..40)) {
            let message = [b"From: ".to_vec(), pieces.concat()].concat();
            let header = Header::scan(&message);
            let found = authors(&header);
            prop_assert!(found.present || header.named("From").next().is_none());
            let _ = subject(&header, 20);
            let _ = message_id(&header);
        }

        #[test]
        fn an_author_given_plainly_is_always_seen(
            local in "[a-z]{1,8}", domain in "[a-z]{1,8}\\.test", name in "[A-Za-z .]{0,12}"
        ) {
            let text = format!("From: {name}<{local}@{domain}>\r\n\r\n");
            prop_assert_eq!(authors_of(&text), vec![format!("{local}@{domain}")]);
        }
    }
}
