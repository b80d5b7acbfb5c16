//! One network namespace: a machine of its own as far as the network is concerned.
//!
//! Promises: a name that no other test has; on drop every process inside is ended and the namespace
//! removed; what tests that died left behind is swept by the next one. Never touches the machine's
//! own interfaces: cables are made inside namespaces only.

use crate::running::{Outcome, run};
use crate::wait;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PREFIX: &str = "gptest-";
static NEXT: AtomicU32 = AtomicU32::new(0);
static SWEEP: Once = Once::new();

/// A network namespace, with a resolver configuration of its own.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

/// One end of a cable: a namespace and the name of the interface there.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Where the interface is.
    pub namespace: &'a Namespace,
    /// What it is called there.
    pub interface: &'a str,
}

impl Namespace {
    /// Makes a namespace whose loopback is up; `label` only helps a person who looks at names.
    ///
    /// # Errors
    /// When this is not root, or iproute2 is missing.
    pub fn new(label: &str) -> Result<Self> {
        SWEEP.call_once(sweep);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{label}", std::process::id());
        ip(&["netns", "add", &name]).context("network namespaces need root and iproute2")?;
        let namespace = Self { name };
        namespace.ip("link set lo up")?;
        // Frames on a bridge are no packets of the router: its rules must not see them.
        namespace.sysctl("net/bridge/bridge-nf-call-iptables", "0");
        namespace.sysctl("net/bridge/bridge-nf-call-ip6tables", "0");
        // Addresses serve at once, without the second that looking for their double takes.
        namespace.sysctl("net/ipv6/conf/all/accept_dad", "0");
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0");
        namespace.resolve_nothing()?;
        Ok(namespace)
    }

    /// The name by which `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A program inside: same files, other network, and the resolver configuration of this machine.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `ip` inside, words separated by blanks.
    ///
    /// # Errors
    /// When `ip` does not succeed, with what it said.
    pub fn ip(&self, words: &str) -> Result<Outcome> {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name]).args(words.split(' '));
        run(command, b"")?
            .succeeded()
            .with_context(|| format!("{}: ip {words}", self.name))
    }

    /// Loads nftables rules inside.
    ///
    /// # Errors
    /// When nft does not accept them, with what it said.
    pub fn nft(&self, rules: &str) -> Result<Outcome> {
        let mut command = self.command("nft");
        command.args(["-f", "-"]);
        run(command, rules.as_bytes())?
            .succeeded()
            .with_context(|| format!("{}: nft -f", self.name))
    }

    /// Gives an interface an address, for example `192.168.10.1/24`.
    ///
    /// # Errors
    /// When there is no such interface.
    pub fn add_address(&self, interface: &str, address: &str) -> Result<()> {
        self.ip(&format!("addr add {address} dev {interface}"))?;
        Ok(())
    }

    /// Sends everything else to a next hop.
    ///
    /// # Errors
    /// When the next hop is on no network of this machine.
    pub fn default_route(&self, next_hop: IpAddr) -> Result<()> {
        self.ip(&format!("route add default via {next_hop}"))?;
        Ok(())
    }

    /// Lets it pass packets on, as a router does.
    pub fn forward_packets(&self) {
        self.sysctl("net/ipv4/ip_forward", "1");
        self.sysctl("net/ipv6/conf/all/forwarding", "1");
    }

    /// The DNS server that programs inside ask.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn resolve_with(&self, server: IpAddr) -> Result<()> {
        self.write_resolver(&format!(
            "nameserver {server}\noptions timeout:2 attempts:2\n"
        ))
    }

    /// Programs inside have no DNS server: a question fails at once.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn resolve_nothing(&self) -> Result<()> {
        self.write_resolver("nameserver 127.0.0.1\n")
    }

    fn write_resolver(&self, settings: &str) -> Result<()> {
        let folder = resolver_folder(&self.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("resolv.conf"), settings)?;
        let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
        let hosts = format!("127.0.0.1 localhost {}\n::1 localhost\n", host.trim());
        fs::write(folder.join("hosts"), hosts)?;
        Ok(())
    }

    /// Runs a closure on a thread that is inside: sockets made there stay there, wherever they go.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn enter<T: Send>(&self, closure: impl FnOnce() -> T + Send) -> Result<T> {
        let file = fs::File::open(Path::new("/run/netns").join(&self.name))?;
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let kind = rustix::thread::LinkNameSpaceType::Network;
                rustix::thread::move_into_link_name_space(
                    std::os::fd::AsFd::as_fd(&file),
                    Some(kind),
                )?;
                anyhow::Ok(closure())
            });
            inside
                .join()
                .map_err(|_| anyhow::anyhow!("the closure inside {} panicked", self.name))?
        })
    }

    /// Opens a TCP connection from inside.
    ///
    /// # Errors
    /// When nobody answers within two seconds.
    pub fn connect(&self, to: SocketAddr) -> Result<TcpStream> {
        let stream = self.enter(|| TcpStream::connect_timeout(&to, Duration::from_secs(2)))??;
        Ok(stream)
    }

    /// Waits until a port can be connected to from inside.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn wait_for_port(&self, to: SocketAddr) -> Result<()> {
        let what = format!("{to} to answer {}", self.name);
        wait::until(&what, wait::PATIENCE, || self.connect(to).ok().map(drop))
    }

    /// The process ids of the programs inside.
    pub fn processes(&self) -> Vec<String> {
        let listed = ip(&["netns", "pids", &self.name]);
        listed
            .map(|outcome| {
                outcome
                    .output
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Writes a kernel setting of this namespace; one that this kernel lacks is not missed.
    fn sysctl(&self, name: &str, value: &str) {
        let file = PathBuf::from("/proc/sys").join(name);
        let value = value.to_owned();
        let written = self.enter(move || fs::write(file, value).is_ok());
        debug_assert!(written.is_ok(), "the namespace was just made");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Lays a cable between two namespaces, both ends up.
///
/// # Errors
/// When one of the interface names is taken.
pub(super) fn cable(one: Link<'_>, other: Link<'_>) -> Result<()> {
    ip(&[
        "link",
        "add",
        one.interface,
        "netns",
        one.namespace.name(),
        "type",
        "veth",
        "peer",
        "name",
        other.interface,
        "netns",
        other.namespace.name(),
    ])?;
    one.namespace
        .ip(&format!("link set {} up", one.interface))?;
    other
        .namespace
        .ip(&format!("link set {} up", other.interface))?;
    Ok(())
}

/// Runs `ip` on the machine itself; only ever about namespaces of ours.
fn ip(words: &[&str]) -> Result<Outcome> {
    let mut command = Command::new("ip");
    command.args(words);
    let outcome = run(command, b"")?;
    ensure!(outcome.ok(), "ip {}: {}", words.join(" "), outcome.output);
    Ok(outcome)
}

fn resolver_folder(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name)
}

/// Ends every process inside and removes the namespace.
fn remove(name: &str) {
    for _ in 0..50 {
        let Ok(inside) = ip(&["netns", "pids", name]) else {
            break;
        };
        let pids: Vec<&str> = inside.output.split_whitespace().collect();
        if pids.is_empty() {
            break;
        }
        let mut kill = Command::new("kill");
        kill.arg("-9").args(pids);
        // A process that ended by itself in between is no failure; the next round looks again.
        let _ = run(kill, b"");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nothing more can be done about a namespace that will not go: the next sweep tries again.
    let _ = ip(&["netns", "del", name]);
    let _ = fs::remove_dir_all(resolver_folder(name));
}

/// Removes what tests left behind whose process is gone.
fn sweep() {
    let Ok(entries) = fs::read_dir("/run/netns") else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_stale(&name, PREFIX) {
            remove(&name);
        }
    }
}

/// Whether a name of ours carries the process id of a test that is gone.
pub(crate) fn is_stale(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .and_then(|rest| rest.split('-').next())
        .and_then(|pid| pid.parse::<u32>().ok())
        .is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_living_tests_are_not_stale() {
        let own = format!("{PREFIX}{}-0-lan", std::process::id());
        assert!(!is_stale(&own, PREFIX));
        assert!(!is_stale("somebody-else", PREFIX));
        assert!(is_stale(&format!("{PREFIX}4294967295-0-lan"), PREFIX));
    }
}
