//! Drives the header reader with any octets.
//!
//! Ranges lie inside, ascending and apart; the end is the same whole or in pieces; values are
//! bounded. The fuzz target `mail_header` calls [`drive`], and so does the replay of its corpus.

use mail::header::{Field, Header, section_end};
use mail::header_values::{authors, message_id, subject};

/// The longest subject that is asked for.
const SUBJECT_CHARS_MAX: usize = 20;

/// Checks the promises for one message.
pub(crate) fn drive(data: &[u8]) {
    let header = Header::scan(data);
    let mut before = 0;
    for field in header.fields() {
        let range = field.range.clone();
        assert!(before <= range.start && range.start < range.end);
        assert!(range.end <= header.end());
        let whole = data.get(range.clone()).unwrap_or_default();
        assert!(whole.starts_with(field.name.as_bytes()) && whole.ends_with(field.value));
        assert!(!field.unfolded().contains(['\r', '\n']));
        before = range.end;
    }
    assert!(header.end() <= data.len());
    ends_alike(data, &header);
    let found = authors(&header);
    assert!(found.present || found.addresses.is_empty());
    assert_eq!(found.present, header.first("from").is_some());
    if let Some(subject) = subject(&header, SUBJECT_CHARS_MAX) {
        assert!(subject.chars().count() <= SUBJECT_CHARS_MAX, "{subject:?}");
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
    let _ = message_id(&header);
    let received = header.named("Received").map(Field::unfolded).count();
    assert_eq!(u64::try_from(received), Ok(header.received_count()));
}

/// What finds the end while octets arrive agrees with what reads them all.
fn ends_alike(data: &[u8], header: &Header<'_>) {
    match section_end(data, 0) {
        Some(end) => {
            assert!(header.is_complete());
            assert_eq!(header.end(), end);
            let half = data.len() / 2;
            if section_end(data.get(..half).unwrap_or_default(), 0).is_none() {
                assert_eq!(section_end(data, half.saturating_sub(3)), Some(end));
            }
        }
        // A first line that has not ended may still become a field.
        None => assert!(!header.is_complete() || !data.windows(2).any(|two| two == b"\r\n")),
    }
}
