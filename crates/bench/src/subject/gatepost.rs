//! Gatepost, set up as an office's own server by its own commands, on its high ports.
//!
//! Promises: default settings throughout; a data folder of its own on the disk that the other
//! server's mail is on, removed at the end.

use super::{Subject, USERS, end_of};
use crate::mailbox::{PASSWORD, user};
use anyhow::{Context, Result};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::net::Namespace;
use testkit::peers::{DebianRoot, Scratch};
use testkit::running::{Running, run};

/// The ports of `--high-ports`.
const SMTP: u16 = 2525;
const POP3: u16 = 1110;

/// A running Gatepost.
pub(crate) struct Gatepost {
    running: Running,
    namespace: Namespace,
    // Last: the folder goes after the program that writes to it.
    _scratch: Scratch,
}

impl Gatepost {
    /// Sets it up with `sign_ins` users more than those who get mail, and starts it.
    ///
    /// # Errors
    /// When a command fails or a port does not answer.
    pub(crate) fn start(program: &Path, sign_ins: usize) -> Result<Self> {
        let program = program
            .canonicalize()
            .with_context(|| program.display().to_string())?;
        // Beside the other server's mail: on the same disk.
        let scratch = DebianRoot::find()?.scratch("gatepost")?;
        let office = Office {
            program,
            data: scratch.outside.join("data"),
        };
        office.set_up()?;
        let namespace = Namespace::new("gatepost")?;
        let mut serve = namespace.command(&office.program);
        serve.arg("--data").arg(&office.data);
        serve.args(["serve", "--high-ports"]);
        let running = Running::start(serve, &scratch.outside.join("log"))?;
        let gatepost = Self {
            running,
            namespace,
            _scratch: scratch,
        };
        for port in [gatepost.smtp(), gatepost.pop3()] {
            gatepost
                .namespace
                .wait_for_port(port)
                .map_err(|problem| problem.context(gatepost.log()))?;
        }
        office.add_users(sign_ins)?;
        Ok(gatepost)
    }
}

/// The data folder and the program that owns it.
struct Office {
    program: PathBuf,
    data: PathBuf,
}

impl Office {
    /// Domain and first user, before it runs.
    fn set_up(&self) -> Result<()> {
        fs::create_dir_all(&self.data)?;
        let first = user(0);
        let words = ["setup", "own-server", "office.test", "--user", &first];
        let rest = ["--open-internet", "no", "--password-stdin"];
        self.say(&[words.as_slice(), &rest].concat())
    }

    /// All other users and their addresses, while it runs.
    fn add_users(&self, sign_ins: usize) -> Result<()> {
        for number in 1..USERS {
            let name = user(number);
            self.say(&["user", "add", &name, "--password-stdin"])?;
            self.say(&["address", "add", &format!("{name}@office.test"), &name])?;
        }
        for number in 0..sign_ins {
            self.say(&["user", "add", &format!("c{number}"), "--password-stdin"])?;
        }
        Ok(())
    }

    /// Runs one command, with the password on its standard input.
    fn say(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(&self.data).args(words);
        let outcome = run(command, format!("{PASSWORD}\n").as_bytes())?;
        outcome
            .succeeded()
            .with_context(|| format!("gatepost {}", words.join(" ")))?;
        Ok(())
    }
}

impl Subject for Gatepost {
    fn name(&self) -> &'static str {
        "gatepost"
    }

    fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn smtp(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), SMTP)
    }

    fn pop3(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), POP3)
    }

    fn arrivals(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn log(&self) -> String {
        end_of(&self.running.output())
    }
}
