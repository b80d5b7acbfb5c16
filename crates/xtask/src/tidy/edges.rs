//! Which of our crates may use which: ARCHITECTURE.md compared with `cargo metadata`.
//!
//! Promises: an arrow that the table lacks, an arrow of the table that no crate uses, and a crate
//! that the table does not name are problems. Dev-dependencies are free.

use super::Source;
use crate::workspace::{Workspace, items, text};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Crates of rings 0 and 1, and what they may not be built on.
const PURE: [&str; 5] = ["mail", "smtp", "pop3", "imap", "policy"];
const IMPURE: [&str; 6] = ["tokio", "rusqlite", "axum", "rustls", "nix", "rustix"];

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Compares table and truth.
pub(super) fn check(workspace: &Workspace, sources: &[Source]) -> Result<Vec<String>> {
    let document = sources
        .iter()
        .find(|source| source.path == Path::new("ARCHITECTURE.md"))
        .context("ARCHITECTURE.md is missing: it holds the table of allowed edges")?;
    let allowed = read_table(&document.text);
    let (ours, impure) = actual(workspace)?;
    let mut problems: Vec<String> = impure;
    problems.extend(compare(&allowed, &ours));
    Ok(problems)
}

/// The fenced block ```` ```edges ````: one line per crate, `name: crate crate`.
fn read_table(document: &str) -> Edges {
    document
        .lines()
        .skip_while(|line| line.trim() != "```edges")
        .skip(1)
        .take_while(|line| line.trim() != "```")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, uses)| {
            let uses = uses.split_whitespace().map(str::to_owned).collect();
            (name.trim().to_owned(), uses)
        })
        .collect()
}

/// The normal dependencies between our crates, and problems of pure crates with others.
fn actual(workspace: &Workspace) -> Result<(Edges, Vec<String>)> {
    let mut edges = Edges::new();
    let mut problems = Vec::new();
    for package in workspace.packages()? {
        let name = text(&package, "name").to_owned();
        let mut uses = BTreeSet::new();
        let normal = items(&package, "dependencies")
            .filter(|edge| edge.get("kind").is_none_or(serde_json::Value::is_null));
        for dependency in normal {
            let other = text(dependency, "name");
            if dependency.get("path").is_some() {
                uses.insert(other.to_owned());
            }
            if PURE.contains(&name.as_str()) && IMPURE.contains(&other) {
                problems.push(format!(
                    "crates/{name}/Cargo.toml: a pure crate uses {other}"
                ));
            }
        }
        edges.insert(name, uses);
    }
    Ok((edges, problems))
}

fn compare(allowed: &Edges, actual: &Edges) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, uses) in actual {
        let Some(may) = allowed.get(name) else {
            problems.push(format!(
                "ARCHITECTURE.md: the edges table lacks crate {name}"
            ));
            continue;
        };
        for other in uses.difference(may) {
            problems.push(format!(
                "crates/{name}/Cargo.toml: {name} may not use {other} (ARCHITECTURE.md, edges)"
            ));
        }
        for other in may.difference(uses) {
            problems.push(format!(
                "ARCHITECTURE.md: {name} does not use {other}; take the edge out of the table"
            ));
        }
    }
    for name in allowed.keys().filter(|name| !actual.contains_key(*name)) {
        problems.push(format!("ARCHITECTURE.md: there is no crate {name}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_read_from_the_fenced_block_only() {
        let table = read_table("a: b\n```edges\nsmtp: mail\nmail:\n```\nc: d\n");
        assert_eq!(table.len(), 2);
        assert!(table["smtp"].contains("mail"));
        assert!(table["mail"].is_empty());
    }

    #[test]
    fn edge_outside_the_table_is_a_problem() {
        let allowed = read_table("```edges\nsmtp:\nmail:\n```");
        let actual = read_table("```edges\nsmtp: mail\nmail:\n```");
        assert_eq!(compare(&allowed, &actual).len(), 1);
        assert_eq!(compare(&actual, &allowed).len(), 1);
        assert!(compare(&actual, &actual).is_empty());
    }
}
