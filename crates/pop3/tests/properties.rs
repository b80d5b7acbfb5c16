//! Properties of a whole session: no panic, bounded memory, exact octets, no deletion but at
//! QUIT, and the same replies however the peer's octets are cut.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod shell;

use std::fmt::Write as _;

use pop3::{Limits, octets_sent};
use proptest::prelude::*;
use shell::{Shell, drive, facts};

/// Octets that look like commands more often than chance would have it.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "USER bob\r\n",
        "PASS p\r\n",
        "PASS wrong\r\n",
        "AUTH PLAIN AGJvYgBw\r\n",
        "AUTH LOGIN\r\n",
        "Ym9i\r\n",
        "AUTH SCRAM-SHA-256 bix4\r\n",
        "Yz1i\r\n",
        "\r\n",
        "*\r\n",
        "=\r\n",
        "STLS\r\n",
        "CAPA\r\n",
        "STAT\r\n",
        "LIST\r\n",
        "UIDL 2\r\n",
        "RETR 1\r\n",
        "RETR 2\r\n",
        "RETR 3\r\n",
        "TOP 1 1\r\n",
        "DELE 1\r\n",
        "RSET\r\n",
        "NOOP\r\n",
        "QUIT\r\n",
        "\n",
        "\r",
        "\0",
    ]);
    let piece = prop_oneof![
        8 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (200_usize..20_000).prop_map(|length| vec![b'A'; length]),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A message of lines that provoke dot-stuffing, perhaps without a last line end.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "\r\n",
        ".",
        "a",
        "Subject: x",
        "\r",
        "\n",
        "\r\n.\r\n",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat().into_bytes())
}

/// Takes one status line off the wire.
fn status<'a>(wire: &mut &'a [u8]) -> &'a str {
    let end = memchr::memmem::find(wire, b"\r\n").expect("a whole line");
    let line = &wire[..end];
    *wire = &wire[end + 2..];
    std::str::from_utf8(line).unwrap()
}

/// Takes a multi-line reply off the wire, without its final line, and undoes the dot-stuffing.
fn content(wire: &mut &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let end = memchr::memmem::find(wire, b"\r\n").expect("a whole line") + 2;
        let line = &wire[..end];
        *wire = &wire[end..];
        if line == b".\r\n" {
            return octets;
        }
        octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
}

/// The header, the blank line and so many lines, counted the slow way.
fn top(message: &[u8], lines: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    let mut in_body = None;
    let mut rest = message;
    while !rest.is_empty() && in_body != Some(lines) {
        let end = memchr::memmem::find(rest, b"\r\n").map_or(rest.len(), |at| at + 2);
        let (line, tail) = rest.split_at(end);
        taken.extend_from_slice(line);
        rest = tail;
        in_body = match in_body {
            Some(seen) => Some(seen + 1),
            None => (line == b"\r\n").then_some(0),
        };
    }
    closed(taken)
}

/// The message as a peer gets it.
fn closed(mut message: Vec<u8>) -> Vec<u8> {
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        message.extend_from_slice(b"\r\n");
    }
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_octets_make_a_session_panic_or_grow(
        head in any::<[u8; 3]>(),
        stream in stream(),
    ) {
        let wire = drive(&[&head, stream.as_slice()].concat());
        prop_assert!(wire.starts_with(b"+OK "));
    }

    #[test]
    fn replies_do_not_depend_on_the_cut(
        flags in 0_u8..16,
        faults in any::<u8>(),
        piece in 1_u8..,
        stream in stream(),
    ) {
        // STLS makes the cut matter, and should: what comes behind it is dropped.
        let flags = flags & !1;
        let cut = drive(&[&[flags, piece, faults], stream.as_slice()].concat());
        let octets = drive(&[&[flags, 1, faults], stream.as_slice()].concat());
        prop_assert_eq!(cut.escape_ascii().to_string(), octets.escape_ascii().to_string());
    }

    #[test]
    fn every_message_arrives_as_stored_in_the_octets_announced(
        messages in prop::collection::vec(message(), 1..4),
        piece in 1_usize..20,
        body_octets in 1_usize..50,
        reply_octets in 1_usize..100,
        lines in 0_usize..5,
    ) {
        let limits = Limits { body_octets, reply_octets, ..Limits::default() };
        let mut shell = Shell::new(facts(), limits, messages.clone());
        shell.piece = piece;
        let mut input = "USER bob\r\nPASS p\r\nLIST\r\n".to_owned();
        for number in 1..=messages.len() {
            let _ = write!(input, "RETR {number}\r\nTOP {number} {lines}\r\n");
        }
        shell.input(input.as_bytes());
        let wire = shell.wire.clone();
        let mut wire = wire.as_slice();
        for _ in 0..4 {
            prop_assert!(status(&mut wire).starts_with("+OK "));
        }
        let listing = String::from_utf8(content(&mut wire)).unwrap();
        for ((index, message), listed) in messages.iter().enumerate().zip(listing.lines()) {
            let expected = closed(message.clone());
            prop_assert_eq!(listed, format!("{} {}", index + 1, expected.len()));
            let announced = status(&mut wire).to_owned();
            prop_assert_eq!(announced, format!("+OK {} octets", expected.len()));
            prop_assert_eq!(content(&mut wire), expected);
            prop_assert_eq!(status(&mut wire), "+OK");
            prop_assert_eq!(content(&mut wire), top(message, lines));
        }
        prop_assert!(wire.is_empty());
    }

    #[test]
    fn nothing_is_deleted_before_quit_and_exactly_what_is_marked_at_it(
        marks in prop::collection::vec(1_u32..8, 0..10),
        reset_after in 0_usize..10,
        quit in any::<bool>(),
    ) {
        let messages = vec![b"x\r\n".to_vec(); 6];
        let mut shell = Shell::new(facts(), Limits::default(), messages);
        shell.input(b"USER bob\r\nPASS p\r\n");
        let mut expected = std::collections::BTreeSet::new();
        for (index, mark) in marks.iter().enumerate() {
            if index == reset_after {
                shell.input(b"RSET\r\n");
                expected.clear();
            }
            shell.input(format!("DELE {mark}\r\n").as_bytes());
            if *mark <= 6 {
                expected.insert(*mark);
            }
        }
        prop_assert!(shell.deleted.is_empty());
        if quit {
            shell.input(b"QUIT\r\n");
            prop_assert!(shell.closed);
            prop_assert_eq!(shell.deleted, expected.into_iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn octets_sent_counts_the_line_end_that_is_added() {
    for message in [&b""[..], b"x", b"x\r\n", b"x\r", b"\n"] {
        let sent = octets_sent(message.len() as u64, message.ends_with(b"\r\n"));
        assert_eq!(sent, closed(message.to_vec()).len() as u64);
    }
}

#[test]
fn a_listing_of_many_messages_is_written_in_bounded_memory() {
    let mut shell = Shell::new(facts(), Limits::default(), vec![Vec::new(); 50_000]);
    shell.input(b"USER bob\r\nPASS p\r\nUIDL\r\nLIST\r\nQUIT\r\n");
    let lines = memchr::memmem::find_iter(&shell.wire, b"\r\n").count();
    assert_eq!(lines, 3 + 2 * 50_002 + 1);
    assert!(shell.closed);
}
