//! Runs every transcript of `tests/transcripts/smtp_client` whole, cut at every octet, and octet
//! by octet. `UPDATE=1` rewrites the expected lines of the whole run, for review as a diff.
//!
//! The format, one mark per line: the first line cites the RFC section or the bug. Then settings
//! (`facts`, `limits`), then what happens: `S:` the server's line (`S-` without CRLF, `S+` in one
//! piece with the line before), `@ +300s` the clock, `! tls|closed|draining|ended` an event, `#` a remark; and what comes of it: `C:` our
//! line, `?` a question and its answer (`wait` leaves it open), `=` everything else.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod client_transcript;

use std::fs;
use std::path::{Path, PathBuf};

use client_transcript::{Cut, Script};
use mail::{Address, ForwardPath, MailParameters, Recipient, ReversePath, Timestamp};
use proptest::prelude::*;
use smtp::client::{
    Answer, Facts, Fate, Limits, Notice, Output, Question, Session, TlsUse, Transaction,
};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/smtp_client");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of transcripts")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "UPDATE=1 is how transcripts are rewritten"
)]
fn every_transcript_runs_whole_and_cut_at_every_octet() {
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    let files = files();
    assert!(files.len() >= 25, "transcripts are missing");
    let mut failures = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let script = Script::parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let whole = script.run(Cut::Whole);
        if update {
            fs::write(&path, script.rewritten(&whole)).unwrap();
        } else if let Err(difference) = script.compare(&whole) {
            failures.push(format!("{}: {difference}", path.display()));
            continue;
        }
        for cut in script.cuts() {
            let pieces = script.run(cut);
            if pieces != whole {
                failures.push(format!("{path:?}: {cut:?}: {pieces:#?}\nwhole: {whole:#?}"));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_transcript_cites_what_it_is_about() {
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(
            ["RFC ", "CVE-", "S1.", "S3.", "S4."]
                .iter()
                .any(|source| first.starts_with(source)),
            "{path:?} begins with {first:?}"
        );
    }
}

fn transaction(recipients: usize) -> Transaction {
    let address = Address::parse("fred@hotmail.test").unwrap();
    let recipient = Recipient::plain(ForwardPath::Address(address));
    Transaction {
        mail: MailParameters::plain(ReversePath::Null),
        recipients: vec![recipient; recipients],
        size_bytes: 5,
        eight_bit: false,
        utf8_header: false,
    }
}

/// Feeds a server's octets to a session that has a few messages to send; checks what must hold
/// whatever the server says.
fn drive(pieces: &[Vec<u8>], recipients: usize) {
    let now = Timestamp::from_millis(0);
    let facts = Facts {
        host_name: "mail.office.test".to_owned(),
        tls: TlsUse::IfOffered,
        credentials: None,
    };
    let mut session = Session::new(facts, Limits::default(), now);
    let mut closed = false;
    let mut under_way = 0;
    let mut messages = 5;
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(octets) => session.handle_input(now, octets),
            None => session.notify(now, Notice::PeerClosed),
        }
        while let Some(output) = session.poll_output() {
            assert!(!closed, "{output:?} after the end");
            match output {
                Output::Ask(Question::Transaction) if messages == 0 => {
                    session.answer(now, Answer::Quit);
                }
                Output::Ask(Question::Transaction) => {
                    assert_eq!(under_way, 0, "a fate is missing");
                    messages -= 1;
                    under_way = recipients;
                    session.answer(now, Answer::Transaction(transaction(recipients)));
                }
                Output::Ask(Question::Body { .. }) => session.answer(
                    now,
                    Answer::Body {
                        octets: b".a\r\n".to_vec(),
                        last: true,
                    },
                ),
                Output::Finished(fates) => {
                    assert_eq!(fates.len(), under_way);
                    for fate in &fates {
                        if let Fate::Taken { reply } = fate {
                            assert!(reply.is_success());
                        }
                    }
                    under_way = 0;
                }
                Output::StartTls => session.tls_started(now),
                Output::Command(line) => assert!(line.ends_with(b"\r\n")),
                Output::BodyChunk(_) => {}
                Output::Failed(_) => assert_eq!(under_way, 0),
                Output::Close => closed = true,
            }
        }
    }
    assert!(closed && under_way == 0);
}

proptest! {
    #[test]
    fn no_server_makes_a_session_panic_or_forget_a_recipient(
        lines in proptest::collection::vec(
            proptest::sample::select(&[
                "220 hi\r\n", "250 ok\r\n", "250-PIPELINING\r\n", "354 go\r\n", "421 bye\r\n",
                "250-x\r\n250-PIPELINING\r\n250 STARTTLS\r\n", "450 4.2.0 later\r\n",
                "550 5.1.1 no\r\n", "250-x\r\n250 SIZE 3\r\n", "334 \r\n", "250", "\r\n", "\0",
                "250-x\r\n250 DSN\r\n",
            ][..]),
            0..40,
        ),
        recipients in 1_usize..4,
    ) {
        let pieces: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        drive(&pieces, recipients);
    }

    #[test]
    fn no_octets_make_a_session_panic(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..10),
    ) {
        drive(&pieces, 1);
    }
}
