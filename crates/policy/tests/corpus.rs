//! Replays the committed corpus of the fuzz target `settings_toml` as an ordinary test.

mod drive_settings;

use std::fs;
use std::path::Path;

#[test]
fn every_settings_file_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/settings_toml");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the committed corpus") {
        let path = entry.expect("an entry").path();
        drive_settings::drive(&fs::read(&path).expect("a seed"));
        files += 1;
    }
    assert!(files >= 5, "the corpus is missing");
}
