//! Gatepost as the subject: set up by its own commands, started as root on the standard ports.

use std::cell::OnceCell;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use testkit::net::Office;
use testkit::peers::DebianRoot;
use testkit::running::{self, Outcome, Running};
use testkit::scenario1::{Doors, Gateway, OfficeMail, Subject, User};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_gatepost");

/// The real program; remembers where it was put, so that tests can operate it.
#[derive(Debug, Default)]
pub(crate) struct GatepostGateway {
    operator: OnceCell<Operator>,
}

/// The commands of the program, for one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    data: PathBuf,
}

struct InPlace {
    server: Running,
    operator: Operator,
    doors: Doors,
    _folder: TempDir,
}

impl GatepostGateway {
    /// Who operates it, once it was started.
    pub(crate) fn operator(&self) -> Result<&Operator> {
        self.operator.get().context("the gateway was not started")
    }
}

impl Operator {
    /// Runs a command and answers with what came of it.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> Result<Outcome> {
        let mut command = Command::new(PROGRAM);
        command.arg("--data").arg(&self.data).args(words);
        running::run(command, input.as_bytes())
    }

    /// Runs a command that must succeed, and answers with what it said.
    pub(crate) fn operate(&self, words: &[&str], input: &str) -> Result<String> {
        let outcome = self.run(words, input)?.succeeded()?;
        ensure!(!outcome.output.is_empty(), "{words:?} said nothing");
        Ok(outcome.output)
    }

    /// Replaces a piece of the exported settings by another and applies them.
    pub(crate) fn change_settings(&self, from: &str, to: &str) -> Result<()> {
        let settings = self.operate(&["settings", "export"], "")?;
        ensure!(settings.contains(from), "no {from} in\n{settings}");
        let file = self.data.with_extension("toml");
        std::fs::write(&file, settings.replacen(from, to, 1))?;
        let file = file.to_string_lossy();
        self.operate(&["settings", "apply", &file], "").map(drop)
    }

    /// The certificate of the gateway's own authority, as PEM.
    pub(crate) fn authority(&self) -> Result<String> {
        let file = self.data.join("tls/authority.pem");
        std::fs::read_to_string(&file).with_context(|| file.display().to_string())
    }

    /// The fingerprint that the sheet of a user shows.
    pub(crate) fn fingerprint(&self) -> Result<String> {
        let sheet = self.operate(&["sheet", "bob"], "")?;
        let last = sheet.lines().rev().find(|line| line.contains(':'));
        Ok(last.context("a sheet has lines")?.trim().to_owned())
    }
}

impl Subject for GatepostGateway {
    fn start(
        &self,
        _root: &DebianRoot,
        office: &Office,
        mail: &OfficeMail,
    ) -> Result<Box<dyn Gateway>> {
        let folder = tempfile::tempdir()?;
        // The gateway's own user must be able to reach its data folder.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let data = folder.path().join("data");
        set_up(&data, mail)?;
        let mut serve = office.gateway.namespace.command(PROGRAM);
        serve.arg("serve").arg("--data").arg(&data);
        let server = Running::start(serve, &folder.path().join("log"))?;
        let operator = Operator { data };
        drop(self.operator.set(operator.clone()));
        let gateway = InPlace {
            server,
            operator,
            doors: Doors::standard(office),
            _folder: folder,
        };
        gateway
            .furnish(office, mail)
            .with_context(|| gateway.log())?;
        Ok(Box::new(gateway))
    }
}

/// Scenario 1 for the first user, opened to the Internet, before the first start.
fn set_up(data: &std::path::Path, mail: &OfficeMail) -> Result<()> {
    let first = mail.users.first().context("an office has a user")?;
    let mut command = Command::new(PROGRAM);
    command
        .arg("--data")
        .arg(data)
        .args(["setup", "own-server", mail.domain]);
    command.args(["--user", first.name, "--host-name", mail.host_name]);
    command.args(["--open-internet", "yes", "--password-stdin"]);
    running::run(command, format!("{}\n", first.password).as_bytes())?
        .succeeded()
        .map(drop)
}

impl InPlace {
    fn furnish(&self, office: &Office, mail: &OfficeMail) -> Result<()> {
        for door in [self.doors.smtp_inside, self.doors.pop3_inside] {
            office.gateway.namespace.wait_for_port(door)?;
        }
        for (index, user) in mail.users.iter().enumerate() {
            self.furnish_user(user, index == 0)?;
        }
        Ok(())
    }

    fn furnish_user(&self, user: &User, is_first: bool) -> Result<()> {
        if !is_first {
            let password = format!("{}\n", user.password);
            self.operator
                .operate(&["user", "add", user.name, "--password-stdin"], &password)?;
        }
        for (index, address) in user.addresses.iter().enumerate() {
            // The first user's own address came with the set-up.
            if !(is_first && index == 0) {
                self.operator
                    .operate(&["address", "add", address, user.name], "")?;
            }
        }
        Ok(())
    }
}

impl Gateway for InPlace {
    fn doors(&self) -> Doors {
        self.doors
    }

    fn retry_now(&self) -> Result<()> {
        self.operator
            .operate(&["queue", "retry", "--all"], "")
            .map(drop)
    }

    fn log(&self) -> String {
        let history = self.operator.operate(&["history", "search", "--json"], "");
        let queue = self.operator.operate(&["queue", "list"], "");
        format!("{}\n{queue:?}\n{history:?}", self.server.output())
    }
}
