//! The Debian root under `target/peers`, and a folder in it for each thing that a test runs there.
//!
//! Promises: a program sees the root as `/`, with `/proc` and `/dev` mounted for it alone, in a
//! namespace of the test's choice and with that namespace's resolver. No mount outlives the program.

use crate::net::Namespace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "gptest-";
static NEXT: AtomicU32 = AtomicU32::new(0);
static SWEEP: Once = Once::new();

/// Mounts for one program, then the program: `ip netns exec` has made a mount namespace for it.
const ENTER: &str = "root=$1; shift; mount -t proc proc \"$root/proc\"; \
    mount --rbind /dev \"$root/dev\"; \
    for file in resolv.conf hosts; do mount --bind /etc/$file \"$root/etc/$file\"; done; \
    exec chroot \"$root\" \"$@\"";

/// The root that `cargo xtask peers` builds.
#[derive(Debug, Clone)]
pub struct DebianRoot {
    path: PathBuf,
}

/// A folder inside the root, removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    /// Where the test sees it.
    pub outside: PathBuf,
    /// Where programs in the root see it.
    pub inside: String,
}

impl DebianRoot {
    /// Finds the root.
    ///
    /// # Errors
    /// When it has not been built: `cargo xtask peers` does that.
    pub fn find() -> Result<Self> {
        let path = std::env::var_os("GATEPOST_PEERS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers"),
            PathBuf::from,
        );
        let built = path.join("etc/gatepost-peers").is_file();
        ensure!(
            built,
            "there are no peers under target/peers: run `cargo xtask peers` as root"
        );
        let root = Self {
            path: path.canonicalize()?,
        };
        SWEEP.call_once(|| root.sweep());
        Ok(root)
    }

    /// A program of the root, run in a namespace.
    pub fn command(&self, namespace: &Namespace, program: &str) -> Command {
        let mut command = namespace.command("sh");
        command
            .args(["-ec", ENTER, "sh"])
            .arg(&self.path)
            .arg(program)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/run")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Makes a folder of a test's own.
    ///
    /// # Errors
    /// When the root cannot be written.
    pub fn scratch(&self, label: &str) -> Result<Scratch> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{label}", std::process::id());
        let outside = self.path.join("run").join(&name);
        fs::create_dir_all(&outside).with_context(|| outside.display().to_string())?;
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o755))?;
        Ok(Scratch {
            outside,
            inside: format!("/run/{name}"),
        })
    }

    /// The number of a user of the root.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn user(&self, name: &str) -> Result<u32> {
        self.number("etc/passwd", name)
    }

    /// The number of a group of the root.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn group(&self, name: &str) -> Result<u32> {
        self.number("etc/group", name)
    }

    /// The third field of a line of passwd or group.
    fn number(&self, file: &str, name: &str) -> Result<u32> {
        let list = fs::read_to_string(self.path.join(file))?;
        let start = format!("{name}:");
        list.lines()
            .find(|line| line.starts_with(&start))
            .and_then(|line| line.split(':').nth(2))
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("target/peers: no {name} in {file}"))
    }

    /// Removes folders whose tests are gone.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.path.join("run")) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if crate::net::is_stale(&name, PREFIX) {
                // The next test's sweep tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

impl Scratch {
    /// Writes a file; answers where programs in the root see it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<String> {
        let file = self.outside.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        Ok(format!("{}/{name}", self.inside))
    }

    /// Makes a folder; answers where programs in the root see it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn folder(&self, name: &str) -> Result<String> {
        fs::create_dir_all(self.outside.join(name))?;
        Ok(format!("{}/{name}", self.inside))
    }

    /// Reads a file; nothing if it is not there.
    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.outside.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // `GATEPOST_KEEP` keeps what servers wrote, for a person who looks for a fault.
        if std::env::var_os("GATEPOST_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.outside);
        }
    }
}
