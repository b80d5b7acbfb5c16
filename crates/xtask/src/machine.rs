//! What the machine itself must have before peers can be built and namespaces made.
//!
//! Promises: as root it installs what is missing and says so; otherwise it prints the one command
//! that does, and fails. Nothing that is already there is touched.

use anyhow::{Context, Result, bail};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that must be found, and the Debian package that brings it.
const NEEDED: [(&str, &str); 4] = [
    ("debootstrap", "debootstrap"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("strace", "strace"),
];

/// Whether this process may make namespaces and install packages.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The full path of a program, looked for in `PATH` and in the folders only root's `PATH` has.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let extra = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(extra)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Installs the missing packages.
///
/// # Errors
/// When packages are missing and this is not root, or when apt fails.
pub(crate) fn install_missing() -> Result<()> {
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(program, _)| find_program(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() {
        bail!("this machine lacks {list}. Run: sudo apt-get install {list}");
    }
    println!("xtask: installing on this machine: {list}");
    apt(&["update", "-q"])?;
    let mut words = vec!["install", "-q", "-y", "--no-install-recommends"];
    words.extend(missing);
    apt(&words)
}

/// Runs apt-get on this machine, quietly unless it fails.
pub(crate) fn apt(words: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("apt-get could not be started: this needs a Debian machine")?;
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "apt-get {} failed:\n{}{}",
        words.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The machine's Debian release by name, for example `bookworm`.
pub(crate) fn release() -> Result<String> {
    let file = Path::new("/etc/os-release");
    let text = std::fs::read_to_string(file).context("/etc/os-release cannot be read")?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .context("/etc/os-release names no VERSION_CODENAME: this needs a Debian machine")
}
