//! Replays the committed corpus of the fuzz target `smtp_session` as an ordinary test.

mod shell;

use std::fs;
use std::path::Path;

#[test]
fn every_corpus_file_is_survived_and_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/smtp_session");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the committed corpus") {
        let path = entry.expect("an entry").path();
        let wire = shell::drive(&fs::read(&path).expect("a seed"));
        assert!(wire.starts_with(b"220 "), "{path:?}: no greeting");
        files += 1;
    }
    assert!(files >= 15, "the corpus is missing");
}
