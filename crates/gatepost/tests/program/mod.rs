//! The real program, run by a test in a folder of its own, and what tests talk to it with.
//!
//! Promises: nothing is shared between two tests; what was started ends with its value. Works as
//! root (the gateway then is `nobody`) and as anybody else.
#![allow(
    dead_code,
    reason = "not all tests that share this folder use all of it"
)]

mod pop3;
mod smtp;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use testkit::running::{self, Outcome, Running};
use testkit::wait;

pub(crate) use pop3::Pop3;
pub(crate) use smtp::Smtp;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_gatepost");
/// The password of every user here.
pub(crate) const PASSWORD: &str = "correct horse 7";
/// `nobody` of Debian: whom the gateway becomes when tests run as root.
const NOBODY: u32 = 65_534;

/// An office with users bob and alice, whose outside mail goes to a host on loopback.
pub(crate) fn office_toml(sink: SocketAddr) -> String {
    format!(
        r#"
[machine]
host_name = "mail.office.test"
[[domains.list]]
name = "office.test"
kind = "hosted"
[[addresses.list]]
address = "bob@office.test"
users = ["bob"]
[[addresses.list]]
address = "alice@office.test"
users = ["alice"]
[addresses]
postmaster = ["bob"]
[[security.relay]]
name = "the office"
who = "internal"
allows = ["local-to-local", "local-to-outside", "outside-to-local"]
[[security.relay]]
name = "our users"
who = "signed-in"
allows = ["local-to-local", "local-to-outside"]
[[security.relay]]
name = "mail for us"
who = "anyone"
allows = ["outside-to-local"]
[delivery]
remote = "smart-host"
[delivery.smart_host]
host = "{}"
port = {}
tls = "none"
[services]
smtp_open_to_internet = true
"#,
        sink.ip(),
        sink.port()
    )
}

/// A data folder that is thrown away at the end.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) data: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            // The gateway becomes the owner of its folder, and must be able to reach it.
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { folder, data }
    }

    /// A path beside the data.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with `--data` and these words.
    pub(crate) fn gatepost(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--data").arg(&self.data).args(words);
        command
    }

    /// Runs a command to its end, however it ends.
    pub(crate) fn ask(&self, words: &[&str], input: &str) -> Outcome {
        running::run(self.gatepost(words), input.as_bytes()).unwrap()
    }

    /// Runs a command that must succeed; what it said.
    pub(crate) fn done(&self, words: &[&str], input: &str) -> String {
        let outcome = self.ask(words, input);
        assert!(outcome.ok(), "{words:?}: {outcome:?}");
        outcome.output
    }

    /// The one document of a command.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let output = self.done(&[&["--json"], words].concat(), "");
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
    }

    /// The program's `serve` on free ports of loopback, not started yet.
    pub(crate) fn serve(&self, first_port: u16) -> Command {
        self.gatepost(&["serve", "--loopback-ports", &first_port.to_string()])
    }

    /// A running gateway on free ports.
    pub(crate) fn start(&self) -> Gateway {
        self.start_as(self.serve(0))
    }

    /// A running gateway, started by `command`.
    pub(crate) fn start_as(&self, command: Command) -> Gateway {
        let running = Running::start(command, &self.beside("log")).unwrap();
        let mut gateway = Gateway { running };
        gateway.wait_until_ready();
        gateway
    }

    /// A running gateway with users bob and alice, whose outside mail goes to `sink`.
    pub(crate) fn open_office(&self, sink: SocketAddr) -> Gateway {
        let gateway = self.start();
        self.furnish(sink);
        gateway
    }

    /// Sets up the office of a running gateway.
    pub(crate) fn furnish(&self, sink: SocketAddr) {
        for user in ["bob", "alice"] {
            self.done(&["user", "add", user, "--password-stdin"], PASSWORD);
        }
        self.done(&["settings", "apply", "-"], &office_toml(sink));
    }

    /// What the gateway says of one service.
    pub(crate) fn service(&self, name: &str) -> Value {
        let document = self.json(&["service", "list"]);
        let services = document["services"].as_array().unwrap();
        let named = services.iter().find(|service| service["name"] == name);
        named.unwrap().clone()
    }

    /// Where a service listens.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        let service = self.service(service);
        let address = service["addresses"][0].as_str();
        address
            .unwrap_or_else(|| panic!("{service}"))
            .parse()
            .unwrap()
    }

    pub(crate) fn smtp(&self) -> Smtp {
        Smtp::greeted(self.address("smtp")).unwrap()
    }

    pub(crate) fn pop3(&self, user: &str) -> Pop3 {
        Pop3::signed_in(self.address("pop3"), user, PASSWORD).unwrap()
    }

    /// The entries of the queue.
    pub(crate) fn queue(&self) -> Vec<Value> {
        let document = self.json(&["queue", "list"]);
        document["entries"].as_array().unwrap().clone()
    }

    /// Waits until a question about the gateway is answered with yes.
    pub(crate) fn wait_until(&self, what: &str, mut ask: impl FnMut(&Self) -> bool) {
        wait::until(what, wait::PATIENCE, || ask(self).then_some(())).unwrap();
    }
}

/// A gateway that runs; killed when dropped.
pub(crate) struct Gateway {
    pub(crate) running: Running,
}

impl Gateway {
    fn wait_until_ready(&mut self) {
        let ready = wait::until("the gateway", wait::PATIENCE, || {
            let over = self.running.ended();
            let output = self.running.output();
            assert!(over.is_none(), "{over:?}: {output}");
            output.contains("gatepost is ready").then_some(())
        });
        ready.unwrap_or_else(|error| panic!("{error}: {}", self.running.output()));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(self.running.id(), signal);
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(&mut self, patience: Duration) -> ExitStatus {
        let ended = wait::until("the gateway's end", patience, || self.running.ended());
        ended.unwrap_or_else(|error| panic!("{error}: {}", self.running.output()))
    }
}

pub(crate) fn send_signal(process: u32, signal: Signal) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, signal).unwrap();
}

/// The first of five ports of 127.0.0.1 that nobody uses now: as root below 1024, where the
/// privileged helper opens them and may see who holds them.
pub(crate) fn free_ports() -> u16 {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
    let mut low = 600 + u16::try_from(std::process::id() % 80).unwrap() * 5;
    wait::until("five free ports in a row", wait::PATIENCE, || {
        let first = if rustix::process::geteuid().is_root() {
            low = if low < 1015 { low + 5 } else { 600 };
            bind(low)?
        } else {
            bind(0)?
        };
        let port = first.local_addr().unwrap().port();
        let others = (1..5).map(|more| bind(port.checked_add(more)?));
        others.collect::<Option<Vec<_>>>().map(|_| port)
    })
    .unwrap()
}

/// Whether a folder of `/proc` shows the process alive.
pub(crate) fn is_alive(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}
