//! Runs every transcript of `tests/transcripts/smtp` whole, cut at every octet, and octet by
//! octet. `UPDATE=1` rewrites the expected lines of the whole run, for review as a diff.
//!
//! The format, one mark per line: the first line cites the RFC section or the bug. Then settings
//! (`facts`, `limits`), then what happens: `C:` the peer's line (`C-` without CRLF), `S:` the
//! expected line (`*` at its end matches the rest), `?` a question and its answer (`wait` leaves
//! it open, what is not scripted is answered with yes), `@ +300s` the clock,
//! `! tls|draining|ended` an event, `#` a remark.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod transcript;

use std::fs;
use std::path::{Path, PathBuf};

use transcript::{Cut, Script};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/smtp");
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
    assert!(files.len() >= 30, "transcripts are missing");
    let mut failures = Vec::new();
    for path in files {
        eprintln!("{}", path.display());
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
            ["RFC ", "CVE-", "S1.", "S4.", "ALPACA"]
                .iter()
                .any(|source| first.starts_with(source)),
            "{path:?} begins with {first:?}"
        );
    }
}
