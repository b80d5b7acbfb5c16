//! Drives the settings file with any text.
//!
//! There are problems to show, each with a field and a hint, or settings that are the same when
//! written and read again. The fuzz target `settings_toml` calls [`drive`], and so does the replay
//! of its corpus.

use std::collections::BTreeSet;

use policy::UserName;
use policy::settings::{Problem, RawSettings, Settings, check, differences};

/// Checks the promises for one file; octets that are no UTF-8 are replaced.
pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let raw = match RawSettings::from_toml(&text) {
        Ok(raw) => raw,
        Err(problems) => return explained(&problems),
    };
    let written = raw.to_toml();
    let again = RawSettings::from_toml(&written);
    // Compared as text: a number that is none is not equal to itself.
    assert_eq!(again.map(|raw| raw.to_toml()), Ok(written));
    let known: BTreeSet<UserName> = "bob".parse().into_iter().collect();
    match check(&raw, &known) {
        Ok(checked) => {
            for warning in &checked.warnings {
                assert!(!warning.problem.is_empty(), "{warning:?}");
            }
            same_again(&checked.settings, &known);
        }
        Err(problems) => explained(&problems),
    }
}

/// A refusal says what is wrong, where, and what would be right.
fn explained(problems: &[Problem]) {
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(!problem.field.is_empty(), "{problem:?}");
        assert!(!problem.problem.is_empty(), "{problem:?}");
        assert!(!problem.hint.is_empty(), "{problem:?}");
    }
}

/// Settings that passed, written and read again, are the same.
fn same_again(settings: &Settings, known: &BTreeSet<UserName>) {
    let written = RawSettings::from(settings).to_toml();
    let read = RawSettings::from_toml(&written).and_then(|raw| check(&raw, known));
    assert_eq!(
        read.map(|checked| checked.settings).as_ref(),
        Ok(settings),
        "{written}"
    );
    assert_eq!(differences(settings, settings), []);
}
