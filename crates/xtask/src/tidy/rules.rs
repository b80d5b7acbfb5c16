//! Rules about single files: size, first line, name, words that do not belong.
//!
//! Promises: each rule answers with the line it found. Words are looked for in code, not comments.

use super::Source;

/// Production lines a file may have.
const LINES_MAX: usize = 600;

/// File names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "manager", "helper", "helpers"];

/// Words that no code of ours may hold, with the reason. Written in halves: this file is read too.
const BANNED: [(&str, &str); 3] = [
    (
        concat!("#[", "ignore"),
        "assert today's behaviour instead of skipping the test",
    ),
    (concat!("todo", "!("), "finish it, or leave it out"),
    (concat!("unimplemented", "!("), "finish it, or leave it out"),
];

/// Words that rings 0 and 1 may not hold.
const IMPURE: [&str; 7] = [
    "tokio::",
    "rusqlite::",
    "HashMap",
    "HashSet",
    "SystemTime::now",
    "Instant::now",
    "std::net::Tcp",
];

const PURE_ROOMS: [&str; 5] = ["mail", "smtp", "pop3", "imap", "policy"];

/// Checks every file.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        problems.extend(first_line(source));
        problems.extend(name(source));
        problems.extend(size(source));
        problems.extend(banned_words(source));
        problems.extend(purity(source));
    }
    problems
}

fn first_line(source: &Source) -> Option<String> {
    let described = source.text.starts_with("//!");
    (!described).then(|| source.problem(1, "begins with `//!`: what it is, promises, does not do"))
}

fn name(source: &Source) -> Option<String> {
    let stem = source.path.file_stem()?.to_str()?;
    EMPTY_NAMES
        .contains(&stem)
        .then(|| source.problem(1, "this file's name says nothing: name it after its noun"))
}

fn size(source: &Source) -> Option<String> {
    let lines = source.production_lines().count();
    let sentence = format!("{lines} production lines; {LINES_MAX} are the limit: split by noun");
    (source.is_production() && lines > LINES_MAX).then(|| source.problem(LINES_MAX, &sentence))
}

fn banned_words(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let code = code_of(line);
        for (word, reason) in BANNED {
            if code.contains(word) {
                problems.push(source.problem(index + 1, &format!("`{word}`: {reason}")));
            }
        }
    }
    problems
}

fn purity(source: &Source) -> Vec<String> {
    let pure = source.room().is_some_and(|room| PURE_ROOMS.contains(&room));
    if !pure || !source.is_production() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (number, line) in source.production_lines() {
        for word in IMPURE.iter().filter(|word| code_of(line).contains(**word)) {
            problems.push(source.problem(number, &format!("`{word}` in a pure crate")));
        }
    }
    problems
}

/// A line without the comment it ends in.
fn code_of(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn file(path: &str, text: &str) -> Source {
        Source {
            path: PathBuf::from(path),
            text: text.to_owned(),
        }
    }

    #[test]
    fn pure_crate_may_not_hold_a_hash_map() {
        let text = "//! x\nuse std::collections::HashMap;\n";
        assert_eq!(check(&[file("crates/mail/src/a.rs", text)]).len(), 1);
        assert!(check(&[file("crates/store/src/a.rs", text)]).is_empty());
    }

    #[test]
    fn comments_and_tests_of_a_pure_crate_are_free() {
        let text = "//! x\n// no HashMap\n#[cfg(test)]\nuse std::collections::HashMap;\n";
        assert!(check(&[file("crates/mail/src/a.rs", text)]).is_empty());
    }

    #[test]
    fn long_file_is_a_problem_only_before_its_tests() {
        let long = format!("//! x\n{}", "//\n".repeat(LINES_MAX));
        assert_eq!(check(&[file("crates/mail/src/a.rs", &long)]).len(), 1);
        let tested = format!("//! x\n#[cfg(test)]\n{}", "//\n".repeat(LINES_MAX));
        assert!(check(&[file("crates/mail/src/a.rs", &tested)]).is_empty());
    }

    #[test]
    fn unnamed_and_undescribed_files_are_problems() {
        assert_eq!(check(&[file("crates/mail/src/util.rs", "use a;")]).len(), 2);
    }
}
