//! How standards are cited: `// RFC 5321 §4.5.3.1.1: what the next line obeys`.
//!
//! Promises: a comment that begins with a citation names the section; spellings that a search
//! would miss (no space before the number, a word for the sign) are problems in every comment.

use super::Source;

/// Checks the comments of all Rust files.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let mut after_comment = false;
        for (index, line) in source.text.lines().enumerate() {
            let comment = line.trim_start().strip_prefix("//");
            if let Some(text) = comment
                && let Some(sentence) = fault(text, after_comment)
            {
                problems.push(source.problem(index + 1, sentence));
            }
            after_comment = comment.is_some();
        }
    }
    problems
}

/// What is wrong with one comment line; `inside` says that a comment line came before it.
fn fault(comment: &str, inside: bool) -> Option<&'static str> {
    for (place, _) in comment.match_indices("RFC") {
        let after = comment.get(place + 3..).unwrap_or_default();
        if after.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Some("cite as `RFC 5321 §4.1`, with a space before the number");
        }
        let Some(rest) = after_number(after) else {
            continue;
        };
        let rest = rest.trim_start_matches(',').trim_start();
        let word = rest.split(' ').next().unwrap_or_default();
        if ["section", "sec.", "sect."].contains(&word.to_lowercase().as_str()) {
            return Some("cite the section as `§4.1`");
        }
    }
    // Only a plain comment's first word is a citation: doc comments and prose may just name an RFC.
    let cited = comment.strip_prefix(" RFC")?;
    if inside || after_number(cited)?.trim_start().starts_with('§') {
        return None;
    }
    Some("a comment that begins with a citation names the section: `// RFC 5321 §4.1: …`")
}

/// What follows ` NNNN`, if that is what the text begins with.
fn after_number(text: &str) -> Option<&str> {
    let text = text.strip_prefix(' ')?;
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_is_wanted_where_a_comment_begins_with_a_citation() {
        assert!(fault(" RFC 5321 §4.1: reply", false).is_none());
        assert!(fault(" RFC 5321: reply", false).is_some());
        assert!(fault(" RFC 5321 is long", true).is_none());
        assert!(fault(" as RFC 5321 has it", false).is_none());
    }

    #[test]
    fn spellings_that_a_search_would_miss_are_faults() {
        assert!(fault(" see RFC5321", false).is_some());
        assert!(fault("/ per RFC 5321, Section 4.1", false).is_some());
    }
}
