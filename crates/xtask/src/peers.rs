//! The Debian root with the real servers and clients that end-to-end tests talk to.
//!
//! Promises: lives in `target/peers` only, is kept between runs, comes from the machine's own apt
//! sources (security included), starts no service, leaves no mount behind. A changed list of
//! packages is added to a root that is there; a half-built root is built again.

use crate::machine;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the root holds beyond Debian's minimum.
const PACKAGES: [&str; 22] = [
    "ca-certificates",
    "curl",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "dovecot-pop3d",
    "fetchmail",
    "iproute2",
    "knot",
    "libio-socket-ssl-perl",
    "libnet-dns-perl",
    "mpop",
    "msmtp",
    "netcat-openbsd",
    "nftables",
    "openssl",
    "postfix",
    "procps",
    "python3-minimal",
    "python3",
    "strace",
    "swaks",
    "unbound",
];

/// Raised when the way the root is made changes, so that old ones are made anew.
const FORMAT: u32 = 1;

/// One apt source of the machine.
struct Source {
    uri: String,
    release: String,
    component: String,
}

/// Builds the root, or brings one that is there up to date; does nothing if it is.
///
/// # Errors
/// When this is not root on a Debian machine, or debootstrap or apt fail.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let root = workspace.root.join("target/peers");
    let release = machine::release()?;
    let base = format!("format {FORMAT}\nrelease {release}\n");
    let wanted = format!("{base}packages {}\n", PACKAGES.join(" "));
    let stamp = root.join("etc/gatepost-peers");
    fs::create_dir_all(workspace.root.join("target"))?;
    let lock = fs::File::create(workspace.root.join("target/peers.lock"))?;
    lock.lock()
        .context("waiting for another build of target/peers")?;
    let present = fs::read_to_string(&stamp).unwrap_or_default();
    if present == wanted {
        return Ok(());
    }
    ensure!(
        machine::is_root(),
        "target/peers needs root to build. Run: sudo cargo xtask peers"
    );
    if !present.starts_with(&base) {
        remove(&root)?;
        println!("xtask: building a Debian {release} root under target/peers");
        bootstrap(&root, &release)?;
    }
    install_packages(&root)?;
    fs::write(&stamp, wanted).context("writing the stamp of target/peers")
}

/// Deletes a root, after making sure that nothing of the machine is mounted inside.
fn remove(root: &Path) -> Result<()> {
    if !root.exists() {
        return Ok(());
    }
    let inside = format!("{}/", root.display());
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mounted = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .find(|place| place.starts_with(&inside));
    if let Some(place) = mounted {
        bail!("{place} is mounted: unmount it before target/peers is built again");
    }
    fs::remove_dir_all(root).context("removing an old target/peers")
}

/// The smallest Debian that apt runs in.
fn bootstrap(root: &Path, release: &str) -> Result<()> {
    let sources = machine_sources(release)?;
    let main = sources
        .iter()
        .find(|source| source.release == release)
        .with_context(|| format!("the machine's apt sources have no {release}"))?;
    let debootstrap = machine::find_program("debootstrap").context("debootstrap is missing")?;
    let mut first = Command::new(debootstrap);
    first
        .args(["--foreign", "--variant=minbase", release])
        .arg(root)
        .arg(&main.uri);
    for (name, value) in proxies()? {
        first.env(name, value);
    }
    quietly(first, "debootstrap")?;
    prepare(root, &sources)?;
    chroot(root, &["/debootstrap/debootstrap", "--second-stage"])?;
    // The second stage writes its own list of sources; ours replaces it.
    write_sources(root, &sources)
}

/// Settings that must be in the root before packages are unpacked.
fn prepare(root: &Path, sources: &[Source]) -> Result<()> {
    // A test root is made again when in doubt: syncing each file would only cost minutes.
    let dpkg = "force-unsafe-io\nforce-confold\npath-exclude=/usr/share/doc/*\n\
                path-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n\
                path-exclude=/usr/share/info/*\n";
    write(root, "etc/dpkg/dpkg.cfg.d/gatepost", dpkg)?;
    let mut apt = String::from(
        "APT::Install-Recommends \"false\";\nAcquire::Languages \"none\";\n\
         APT::Sandbox::User \"root\";\nDpkg::Use-Pty \"false\";\n",
    );
    for line in machine_apt_settings()? {
        apt.push_str(&line);
        apt.push('\n');
    }
    write(root, "etc/apt/apt.conf.d/90gatepost", &apt)?;
    // Debian asks this script before it starts any service: 101 means no.
    write(root, "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(
        root.join("usr/sbin/policy-rc.d"),
        fs::Permissions::from_mode(0o755),
    )?;
    for name in ["resolv.conf", "hosts"] {
        let text = fs::read_to_string(Path::new("/etc").join(name)).unwrap_or_default();
        write(root, &format!("etc/{name}"), &text)?;
    }
    write(root, "etc/hostname", "peers\n")?;
    write_sources(root, sources)
}

/// Writes the machine's sources into the root.
fn write_sources(root: &Path, sources: &[Source]) -> Result<()> {
    let lines: Vec<String> = sources
        .iter()
        .map(|source| format!("deb {} {} {}", source.uri, source.release, source.component))
        .collect();
    let text = lines.join("\n") + "\n";
    write(root, "etc/apt/sources.list", &text)
}

/// One apt run for everything.
fn install_packages(root: &Path) -> Result<()> {
    println!(
        "xtask: installing into target/peers: {}",
        PACKAGES.join(" ")
    );
    let selections = root.join("tmp/selections");
    fs::write(
        &selections,
        "postfix postfix/main_mailer_type select No configuration\n",
    )?;
    chroot(root, &["apt-get", "update", "-q"])?;
    chroot(root, &["debconf-set-selections", "/tmp/selections"])?;
    let mut install = vec!["apt-get", "install", "-q", "-y"];
    install.extend(PACKAGES);
    chroot(root, &install)?;
    chroot(root, &["apt-get", "upgrade", "-q", "-y"])?;
    chroot(root, &["apt-get", "clean"])?;
    fs::remove_file(selections)?;
    Ok(())
}

/// Runs a command inside the root, with `/proc` and `/dev` mounted for it alone.
fn chroot(root: &Path, words: &[&str]) -> Result<()> {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "slave", "sh", "-ec"])
        .arg(
            "root=$1; shift; mount -t proc proc \"$root/proc\"; mount --rbind /dev \"$root/dev\"; \
             exec chroot \"$root\" \"$@\"",
        )
        .arg("sh")
        .arg(root)
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBCONF_NONINTERACTIVE_SEEN", "true")
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    quietly(command, &words.join(" "))
}

/// The machine's sources of this Debian release: the release itself, its updates, its security.
fn machine_sources(release: &str) -> Result<Vec<Source>> {
    let format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)";
    let output = Command::new("apt-get")
        // Without release information apt also names sources whose lists it has not fetched yet.
        .args(["indextargets", "--no-release-info", "--format", format])
        .arg("Created-By: Packages")
        .output()
        .context("apt-get could not be started: this needs a Debian machine")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut sources: Vec<Source> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('|').map(str::to_owned);
        let (Some(uri), Some(name), Some(component)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let ours = ["", "-updates", "-security"]
            .iter()
            .any(|suffix| name == format!("{release}{suffix}"));
        let known = sources.iter().any(|source| source.release == name);
        if ours && component == "main" && !known {
            sources.push(Source {
                uri,
                release: name,
                component,
            });
        }
    }
    ensure!(
        !sources.is_empty(),
        "the machine's apt sources have no {release} main"
    );
    Ok(sources)
}

/// The machine's own way to its mirror: proxies, time-outs, and how strict it is about dates.
fn machine_apt_settings() -> Result<Vec<String>> {
    let output = Command::new("apt-config").arg("dump").output()?;
    let wanted = [
        "Acquire::http::",
        "Acquire::https::",
        "Acquire::Check-",
        "Acquire::Retries",
    ];
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| wanted.iter().any(|start| line.starts_with(start)))
        .map(str::to_owned)
        .collect())
}

/// The proxies apt is told to use, as the environment variables that debootstrap understands.
fn proxies() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for line in machine_apt_settings()? {
        for scheme in ["http", "https"] {
            let start = format!("Acquire::{scheme}::Proxy \"");
            if let Some(rest) = line.strip_prefix(&start) {
                let value = rest.trim_end_matches([';', '"']).to_owned();
                found.push((format!("{scheme}_proxy"), value));
            }
        }
    }
    Ok(found)
}

/// Runs a command and shows its output only if it fails.
fn quietly(mut command: Command, name: &str) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    if output.status.success() {
        return Ok(());
    }
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let lines: Vec<&str> = shown.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(40)..).unwrap_or(&[]);
    bail!("{name}: {}\n{}", output.status, tail.join("\n"))
}

/// Writes a file below the root, making its folder.
fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let file: PathBuf = root.join(path);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
}
