//! The cheapest level: rules about the source tree that no compiler checks.
//!
//! Promises: reads only, needs no network, answers every problem at once as `place: sentence`.
//! Does not: judge style that rustfmt or clippy judge.

mod citations;
mod edges;
mod places;
mod rules;

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A text file of the tree.
pub(crate) struct Source {
    /// Its path below the top folder.
    pub(crate) path: PathBuf,
    /// Its whole text.
    pub(crate) text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "rs")
    }

    /// The crate it belongs to, if it lies below `crates/`.
    fn room(&self) -> Option<&str> {
        self.path
            .strip_prefix("crates")
            .ok()?
            .components()
            .next()?
            .as_os_str()
            .to_str()
    }

    /// Whether it is part of what is built into the product.
    fn is_production(&self) -> bool {
        let inside = self.path.components().nth(2);
        self.is_rust() && inside.is_some_and(|part| part.as_os_str() == "src")
    }

    /// Its lines before the unit tests, numbered from 1.
    fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }

    /// A problem at a line of this file.
    fn problem(&self, line: usize, sentence: &str) -> String {
        format!("{}:{line}: {sentence}", self.path.display())
    }
}

/// Checks the whole tree.
///
/// # Errors
/// Only when the tree cannot be read; what is wrong with it is the answer, not an error.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    read_tree(&workspace.root, Path::new(""), &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let mut problems = edges::check(workspace, &sources)?;
    problems.extend(rules::check(&sources));
    problems.extend(citations::check(&sources));
    problems.extend(places::check(workspace, &sources));
    Ok(problems)
}

/// Reads the text files below a folder; built things and git's own are left out.
fn read_tree(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    const TEXT: [&str; 8] = ["rs", "toml", "md", "txt", "html", "sql", "css", "yml"];
    let place = root.join(folder);
    let entries = std::fs::read_dir(&place).with_context(|| place.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() && name != "target" && name != ".git" {
            read_tree(root, &path, sources)?;
        }
        let known = path
            .extension()
            .is_some_and(|end| TEXT.iter().any(|text| end == *text));
        if kind.is_file() && known {
            let text = std::fs::read(root.join(&path))?;
            let text = String::from_utf8_lossy(&text).into_owned();
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_is_tidy() {
        let workspace = Workspace::find().unwrap();
        let problems = check(&workspace).unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
