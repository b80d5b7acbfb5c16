//! Replays the committed corpus of the fuzz target `smtp_client` as an ordinary test.

mod client_shell;

use std::fs;
use std::path::Path;

#[test]
fn every_server_of_the_corpus_is_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/smtp_client");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the committed corpus") {
        let path = entry.expect("an entry").path();
        client_shell::drive(&fs::read(&path).expect("a seed"));
        files += 1;
    }
    assert!(files >= 8, "the corpus is missing");
}
