//! Where the workspace is and what cargo says is in it.
//!
//! Promises: paths are absolute; `metadata` is asked for once per call and never guessed.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The checked-out source tree.
pub(crate) struct Workspace {
    /// Its top folder.
    pub(crate) root: PathBuf,
}

/// A test target that only runs with real peers: it names the feature `e2e` as required.
pub(crate) struct EndToEndTarget {
    /// The package that holds it.
    pub(crate) package: String,
    /// The target's own name.
    pub(crate) name: String,
}

impl Workspace {
    /// Finds the tree that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()
            .context("the folder this program was built from is gone; build it again")?;
        Ok(Self { root })
    }

    /// A `cargo` command that runs in the top folder.
    pub(crate) fn cargo(&self) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Our own packages, as `cargo metadata` tells them.
    pub(crate) fn packages(&self) -> Result<Vec<Value>> {
        let output = self
            .cargo()
            .args(["metadata", "--format-version=1", "--no-deps"])
            .output()
            .context("cargo metadata could not be started")?;
        anyhow::ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        metadata
            .get("packages")
            .and_then(Value::as_array)
            .cloned()
            .context("cargo metadata names no packages")
    }

    /// The test targets that need peers.
    pub(crate) fn end_to_end_targets(&self) -> Result<Vec<EndToEndTarget>> {
        let mut found = Vec::new();
        for package in self.packages()? {
            for target in items(&package, "targets") {
                let is_test = items(target, "kind").any(|kind| kind == "test");
                let needs_peers = items(target, "required-features").any(|name| name == "e2e");
                if is_test && needs_peers {
                    found.push(EndToEndTarget {
                        package: text(&package, "name").to_owned(),
                        name: text(target, "name").to_owned(),
                    });
                }
            }
        }
        Ok(found)
    }
}

/// The members of an array field; none if it is missing.
pub(crate) fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// A text field; empty if it is missing.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
