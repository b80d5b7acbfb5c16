//! Replays the committed corpora of the fuzz targets `mail_address` and `mail_header`.
#![expect(clippy::expect_used, reason = "test code")]

mod drive_address;
mod drive_header;

use std::fs;
use std::path::Path;

/// Gives each file of a corpus to `drive`; answers how many there are.
fn replay(corpus: &str, drive: impl Fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(corpus);
    let entries = fs::read_dir(&folder).expect("the committed corpus");
    entries
        .map(|entry| drive(&fs::read(entry.expect("an entry").path()).expect("a seed")))
        .count()
}

#[test]
fn every_address_of_the_corpus_keeps_the_promises() {
    assert!(replay("mail_address", drive_address::drive) >= 10);
}

#[test]
fn every_message_of_the_corpus_keeps_the_promises() {
    assert!(replay("mail_header", drive_header::drive) >= 8);
}
