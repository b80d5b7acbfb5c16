//! Replays the committed corpus of the fuzz target `pop3_session` as an ordinary test.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "test code")]

mod shell;

use std::fs;
use std::path::Path;

#[test]
fn every_corpus_file_is_survived_and_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/pop3_session");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the committed corpus") {
        let path = entry.expect("an entry").path();
        let wire = shell::drive(&fs::read(&path).expect("a seed"));
        assert!(wire.starts_with(b"+OK "), "{path:?}: no greeting");
        files += 1;
    }
    assert!(files >= 10, "the corpus is missing");
}
