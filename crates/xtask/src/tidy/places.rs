//! Where files lie: one clippy.toml, no file that nothing uses, no path of somebody's machine.

use super::Source;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// Checks the tree as a whole.
pub(super) fn check(workspace: &Workspace, sources: &[Source]) -> Vec<String> {
    let mut problems = local_clippy_settings(sources);
    problems.extend(dead_files(sources));
    problems.extend(machine_paths(
        &workspace.root.display().to_string(),
        sources,
    ));
    problems
}

/// A crate's own clippy.toml replaces the workspace's whole: its bans would silently vanish.
fn local_clippy_settings(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.path.ends_with("clippy.toml"))
        .filter(|source| source.path.components().count() > 1)
        .map(|source| source.problem(1, "there is one clippy.toml, at the top"))
        .collect()
}

/// Source files that no `mod` names are built by nobody.
fn dead_files(sources: &[Source]) -> Vec<String> {
    let mut named: BTreeSet<(&str, &str)> = BTreeSet::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some(room) = source.room() else { continue };
        for line in source.text.lines() {
            let line = line.trim().trim_end_matches(';');
            let mut words = line.split(' ').rev();
            if let (Some(name), Some("mod")) = (words.next(), words.next()) {
                named.insert((room, name));
            }
        }
    }
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.is_production()) {
        let Some(room) = source.room() else { continue };
        let mut stem = source.path.file_stem().and_then(|stem| stem.to_str());
        if stem == Some("mod") {
            let folder = source.path.parent().and_then(|folder| folder.file_name());
            stem = folder.and_then(|folder| folder.to_str());
        }
        let is_program = source
            .path
            .components()
            .any(|part| part.as_os_str() == "bin");
        let Some(stem) = stem else { continue };
        if !is_program && !["lib", "main"].contains(&stem) && !named.contains(&(room, stem)) {
            problems.push(source.problem(1, "no `mod` names this file: it is built by nobody"));
        }
    }
    problems
}

/// Paths that exist on one person's machine only.
fn machine_paths(root: &str, sources: &[Source]) -> Vec<String> {
    // Written in halves: this file is read too.
    let homes = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    let mut problems = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            let found = homes.iter().any(|home| line.contains(home)) || line.contains(root);
            if found {
                problems.push(source.problem(index + 1, "a path of one machine"));
            }
        }
    }
    problems
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
    fn file_that_no_mod_names_is_dead() {
        let tree = [
            file("crates/mail/src/lib.rs", "pub mod path;\nmod reply {"),
            file("crates/mail/src/path/mod.rs", ""),
            file("crates/mail/src/stray.rs", ""),
        ];
        assert_eq!(dead_files(&tree).len(), 1);
    }

    #[test]
    fn second_clippy_file_is_a_problem() {
        let tree = [file("clippy.toml", ""), file("crates/mail/clippy.toml", "")];
        assert_eq!(local_clippy_settings(&tree).len(), 1);
    }

    #[test]
    fn path_below_the_checkout_is_a_problem() {
        let tree = [file("README.md", "see /somewhere/checkout/x")];
        assert_eq!(machine_paths("/somewhere/checkout", &tree).len(), 1);
    }
}
