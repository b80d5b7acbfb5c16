//! The bench: builds Gatepost and the load generator for release and compares it with its peers.
//!
//! Promises: builds what is missing, peers included; everything behind `bench` goes to the load
//! generator as it is (`--quick`, `--only PART`, `--rounds N`, `--help`).

use crate::levels::succeed;
use crate::machine;
use crate::peers;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Runs the comparison.
///
/// # Errors
/// When something cannot be built, a server does not start, or a message was lost.
pub(crate) fn bench(workspace: &Workspace, words: &[&str]) -> Result<()> {
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--package=gatepost"]);
    build.args(["--package=bench"]);
    succeed(build)?;
    let programs = target_folder(workspace)?.join("release");
    if !words.contains(&"--help") {
        machine::install_missing()?;
        peers::build(workspace)?;
    }
    let mut bench = Command::new(programs.join("bench"));
    bench.arg("compare").arg("--gatepost");
    bench.arg(programs.join("gatepost")).args(words);
    bench.env("GATEPOST_PEERS", workspace.root.join("target/peers"));
    succeed(bench)
}

/// Where cargo puts what it builds.
fn target_folder(workspace: &Workspace) -> Result<PathBuf> {
    let mut metadata = workspace.cargo();
    metadata.args(["metadata", "--format-version=1", "--no-deps"]);
    let output = metadata.output().context("cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str)
        .map(PathBuf::from)
        .context("cargo metadata names no target folder")
}
