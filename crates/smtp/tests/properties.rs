//! Properties of whole sessions: no panic, bounded memory, exact content, and the same replies
//! however the octets were cut.

mod shell;

use proptest::prelude::*;
use shell::{Shell, drive, facts};
use smtp::server::{AuthOffer, BareLf, Facts, Limits, TlsState};
use smtp::{ReplyReader, parse_mail, parse_rcpt, xtext};

/// Octets that look like commands more often than chance would have it.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "EHLO client.test\r\n",
        "HELO client\r\n",
        "MAIL FROM:<a@x.test>\r\n",
        "MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n",
        "MAIL FROM:<\u{436}@x.test> SMTPUTF8\r\n",
        "RCPT TO:<b@y.test>\r\n",
        "RCPT TO:<Postmaster> NOTIFY=NEVER\r\n",
        "DATA\r\n",
        "line\r\n",
        "..line\r\n",
        ".\r\n",
        "\r\n.\r\n",
        "BDAT 4\r\n",
        "BDAT 0 LAST\r\n",
        "BDAT 7 LAST\r\n",
        "BDAT 99999999999\r\n",
        "RSET\r\n",
        "NOOP\r\n",
        "HELP\r\n",
        "STARTTLS\r\n",
        "AUTH PLAIN AGJvYgBw\r\n",
        "AUTH PLAIN\r\n",
        "AUTH LOGIN\r\n",
        "AUTH SCRAM-SHA-256 bix4\r\n",
        "Ym9i\r\n",
        "*\r\n",
        "QUIT\r\n",
        "\n",
        "\r",
        "\0",
        ".",
    ]);
    let piece = prop_oneof![
        12 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (200_usize..14_000).prop_map(|length| vec![b'A'; length]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Content of lines that provoke dot-stuffing; always with its last line end.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "\r\n",
        "\r\n.\r\n",
        ".",
        "..",
        "\r\n.",
        "text",
        " ",
        "\u{e9}",
        "end.\r\n",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| {
        let mut content = parts.concat().into_bytes();
        if !content.is_empty() && !content.ends_with(b"\r\n") {
            content.extend_from_slice(b"\r\n");
        }
        content
    })
}

/// RFC 5321 §4.5.2, the sender's side, as slowly and plainly as can be.
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in content.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

fn open_facts() -> Facts {
    Facts {
        tls: TlsState::Active,
        auth: AuthOffer::Now { scram: true },
        ..facts()
    }
}

fn small_limits() -> Limits {
    Limits {
        size_bytes_max: 60,
        text_line_bytes_max: 40,
        recipients_max: 2,
        bad_commands_max: 6,
        ..Limits::default()
    }
}

/// A session with a transaction up to its recipient.
fn transaction(facts: Facts) -> Shell {
    let mut shell = Shell::new(facts, Limits::default());
    shell.input(b"EHLO client.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n");
    shell
}

fn run(facts: &Facts, pieces: &[&[u8]]) -> Shell {
    let mut shell = Shell::new(facts.clone(), small_limits());
    shell.settle();
    for piece in pieces {
        // A shell heeds this, and reads on later; here the rest is dropped only at the end.
        shell.input(piece);
    }
    shell
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        drive(&octets);
    }

    #[test]
    fn no_commands_make_it_panic(
        head in any::<[u8; 5]>(),
        stream in stream(),
        events in any::<[u8; 4]>(),
    ) {
        let mut data = head.to_vec();
        for (index, chunk) in stream.chunks(200).enumerate() {
            data.push(200);
            data.extend_from_slice(chunk);
            if let Some(event) = events.get(index) {
                data.push(event | 0xf8);
            }
        }
        drive(&data);
    }

    #[test]
    fn replies_and_messages_do_not_depend_on_the_cuts(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        bare_lf in prop::sample::select(vec![BareLf::Refuse, BareLf::MakeCrlf]),
    ) {
        let facts = Facts { bare_lf, ..open_facts() };
        let whole = run(&facts, &[&stream]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        at.push(0);
        at.push(stream.len());
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let cut = run(&facts, &pieces);
        prop_assert_eq!(cut.text(), whole.text());
        prop_assert_eq!(&cut.messages, &whole.messages);
        prop_assert_eq!(&cut.asked, &whole.asked);
        prop_assert_eq!(cut.discarded, whole.discarded);
        let octets: Vec<&[u8]> = stream.chunks(1).collect();
        let slow = run(&facts, &octets);
        prop_assert_eq!(slow.text(), whole.text());
        prop_assert_eq!(&slow.messages, &whole.messages);
    }

    #[test]
    fn data_undoes_dot_stuffing(content in content(), piece in 1_usize..64) {
        let mut shell = transaction(facts());
        shell.input(b"DATA\r\n");
        for octets in stuffed(&content).chunks(piece) {
            shell.input(octets);
        }
        prop_assert_eq!(shell.messages.len(), 1);
        prop_assert_eq!(&shell.messages[0].octets, &content);
    }

    #[test]
    fn data_and_bdat_deliver_the_same(content in content(), chunk in 1_usize..64) {
        let mut by_data = transaction(facts());
        by_data.input(b"DATA\r\n");
        by_data.input(&stuffed(&content));
        let mut by_bdat = transaction(facts());
        for octets in content.chunks(chunk) {
            by_bdat.input(format!("BDAT {}\r\n", octets.len()).as_bytes());
            by_bdat.input(octets);
        }
        by_bdat.input(b"BDAT 0 LAST\r\n");
        prop_assert_eq!(&by_data.messages, &by_bdat.messages);
    }

    #[test]
    fn bad_content_is_bad_by_data_and_by_bdat(
        content in content(),
        bad in prop::sample::select(vec!["\n", "\r", "\0", "\r\r\n", "\n\r\n"]),
        at in any::<prop::sample::Index>(),
    ) {
        // Never between a CR and its LF, where it would not be the only fault.
        let mut content = content;
        let mut at = at.index(content.len() + 1);
        if at > 0 && content[at - 1] == b'\r' {
            at += 1;
        }
        let mut tail = content.split_off(at);
        if tail.starts_with(b"\n") || (bad == "\r" && tail.is_empty()) {
            tail.insert(0, b'x');
        }
        content.extend_from_slice(bad.as_bytes());
        content.extend_from_slice(b"x");
        content.append(&mut tail);
        content.extend_from_slice(b"\r\n");
        let mut by_data = transaction(facts());
        by_data.input(b"DATA\r\n");
        by_data.input(&stuffed(&content));
        let mut by_bdat = transaction(facts());
        by_bdat.input(format!("BDAT {} LAST\r\n", content.len()).as_bytes());
        by_bdat.input(&content);
        for shell in [&by_data, &by_bdat] {
            prop_assert!(shell.messages.is_empty());
            prop_assert_eq!(shell.discarded, 1);
            prop_assert!(shell.text().lines().last().is_some_and(|l| l.starts_with("550 5.6.0")));
        }
    }

    #[test]
    fn arguments_never_panic_and_paths_round_trip(text in "\\PC{0,80}") {
        let _ = parse_mail(&text);
        let _ = parse_rcpt(&text, true);
        let _ = parse_mail(&format!("FROM:{text}"));
        if let Ok(mail) = parse_mail(&format!("FROM:<{text}> SMTPUTF8")) {
            let again = parse_mail(&format!("FROM:<{}> SMTPUTF8", mail.reverse_path));
            prop_assert_eq!(again.map(|m| m.reverse_path), Ok(mail.reverse_path));
        }
    }

    #[test]
    fn xtext_round_trips(text in "\\PC{0,80}") {
        let encoded = xtext::encode(&text);
        prop_assert!(xtext::is_xtext(&encoded, false));
        prop_assert_eq!(xtext::decode(&encoded), Some(text.into_bytes()));
    }

    #[test]
    fn reply_reader_reads_what_replies_write_and_survives_the_rest(
        number in 200_u16..556,
        text in "[ -~\n]{0,1500}",
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = ReplyReader::new().read(&mut noise.as_slice());
        if let Some(code) = smtp::ReplyCode::from_number(number) {
            let mut wire = Vec::new();
            smtp::Reply::new(code, Some((1, 2)), text).write_to(&mut wire);
            let mut left = wire.as_slice();
            let read = ReplyReader::new().read(&mut left).expect("a reply").expect("whole");
            prop_assert!(left.is_empty());
            prop_assert_eq!(read.code, number);
            prop_assert_eq!(read.enhanced.is_some(), number / 100 != 3);
        }
    }
}
