//! Programs that people send and collect mail with.
//!
//! Promises: each runs to its end and answers with exit code and output; none keeps a state that
//! another call would see.

use crate::net::Host;
use crate::peers::{DebianRoot, Scratch};
use crate::running::{Outcome, run};
use anyhow::Result;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A machine with mail programs.
#[derive(Debug)]
pub struct Client<'a> {
    root: &'a DebianRoot,
    host: &'a Host,
    pub(super) scratch: Scratch,
    pub(super) authority: Option<String>,
}

/// A message to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The server.
    pub server: SocketAddr,
    /// The reverse-path; empty for the null one.
    pub from: &'a str,
    /// The forward-paths.
    pub to: &'a [&'a str],
    /// Header and body, lines ended by LF.
    pub text: &'a str,
}

/// A mailbox to collect from.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The POP3 server.
    pub server: SocketAddr,
    /// Who collects.
    pub user: &'a str,
    /// In clear: these are test users.
    pub password: &'a str,
}

impl<'a> Client<'a> {
    /// Mail programs on a host.
    ///
    /// # Errors
    /// When the root cannot be written.
    pub fn new(root: &'a DebianRoot, host: &'a Host) -> Result<Self> {
        Ok(Self {
            root,
            host,
            scratch: root.scratch("client")?,
            authority: None,
        })
    }

    /// From now on trusts the certificates that this authority (as PEM) has signed, and no others.
    ///
    /// # Errors
    /// When the root cannot be written.
    pub fn trust(mut self, authority: &str) -> Result<Self> {
        self.authority = Some(self.scratch.write("authority.pem", authority)?);
        Ok(self)
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = self.root.command(&self.host.namespace, program);
        command.env("HOME", &self.scratch.inside);
        command
    }

    /// Sends with swaks. Exit codes: 0 sent, 23 refused at MAIL, 24 at RCPT, 26 after the text.
    ///
    /// # Errors
    /// When swaks cannot be started.
    pub fn swaks(&self, message: Message<'_>, more: &[&str]) -> Result<Outcome> {
        let mut command = self.command("swaks");
        let from = if message.from.is_empty() {
            "<>"
        } else {
            message.from
        };
        command.args(["--server", &message.server.ip().to_string()]);
        command.args(["--port", &message.server.port().to_string()]);
        command.args(["--helo", "client.invalid", "--from", from]);
        command.args(["--to", &message.to.join(",")]);
        // Told not to touch the data, swaks wants it as it goes over the wire.
        command.args(["--no-data-fixup", "--data", "-"]).args(more);
        let wire = message
            .text
            .replace('\n', "\r\n")
            .replace("\r\n.", "\r\n..");
        run(command, format!("{wire}.").as_bytes())
    }

    /// Sends with msmtp.
    ///
    /// # Errors
    /// When msmtp cannot be started.
    pub fn msmtp(&self, message: Message<'_>) -> Result<Outcome> {
        let mut command = self.command("msmtp");
        command.arg(format!("--host={}", message.server.ip()));
        command.arg(format!("--port={}", message.server.port()));
        command.args(["--tls=off", "--auth=off", "--timeout=30"]);
        command.arg(format!("--from={}", message.from));
        command.arg("--").args(message.to);
        run(command, message.text.as_bytes())
    }

    /// Sends with curl.
    ///
    /// # Errors
    /// When curl cannot be started.
    pub fn curl_send(&self, message: Message<'_>) -> Result<Outcome> {
        let mut command = self.command("curl");
        command.args(["--silent", "--show-error", "--verbose", "--max-time", "60"]);
        command.args([
            "--url",
            &format!("smtp://{}/client.invalid", message.server),
        ]);
        command.args(["--mail-from", message.from]);
        for to in message.to {
            command.args(["--mail-rcpt", to]);
        }
        command.args(["--upload-file", "-", "--crlf"]);
        run(command, message.text.as_bytes())
    }

    /// Collects with mpop; the messages stay on the server. The output is the mailbox it wrote.
    ///
    /// # Errors
    /// When mpop cannot be started.
    pub fn mpop(&self, account: Account<'_>) -> Result<Outcome> {
        let mut command = self.command("mpop");
        let inside = &self.scratch.inside;
        command.arg(format!("--host={}", account.server.ip()));
        command.arg(format!("--port={}", account.server.port()));
        command.args(["--tls=off", "--auth=user", "--keep=on", "--timeout=30"]);
        command.arg(format!("--user={}", account.user));
        let password = self.scratch.write("password", account.password)?;
        command.arg(format!("--passwordeval=cat {password}"));
        command.arg(format!("--uidls-file={inside}/uidls"));
        command.arg(format!("--delivery=mbox,{inside}/mpop"));
        self.with_file(command, "mpop")
    }

    /// Collects with fetchmail; the messages stay on the server. The output is what it collected.
    ///
    /// # Errors
    /// When fetchmail cannot be started.
    pub fn fetchmail(&self, account: Account<'_>) -> Result<Outcome> {
        let inside = &self.scratch.inside;
        let settings = self.scratch.write(
            "fetchmailrc",
            &format!(
                "poll {} proto POP3 port {} uidl\n user \"{}\" password \"{}\" keep fetchall\n \
                 sslproto \"\" mda \"cat >> {inside}/fetchmail\"\n",
                account.server.ip(),
                account.server.port(),
                account.user,
                account.password
            ),
        )?;
        let file = self.scratch.outside.join("fetchmailrc");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        let mut command = self.command("fetchmail");
        command.args(["--nodetach", "--verbose", "--fetchmailrc", &settings]);
        command.args(["--pidfile", &format!("{inside}/fetchmail.pid")]);
        command.args(["--idfile", &format!("{inside}/fetchmail.ids")]);
        self.with_file(command, "fetchmail")
    }

    /// Collects one message with curl, by its number from 1; it stays on the server.
    ///
    /// # Errors
    /// When curl cannot be started.
    pub fn curl_collect(&self, account: Account<'_>, number: u32) -> Result<Outcome> {
        let mut command = self.command("curl");
        command.args(["--silent", "--show-error", "--max-time", "60"]);
        command.args(["--user", &format!("{}:{}", account.user, account.password)]);
        command.arg(format!("pop3://{}/{number}", account.server));
        run(command, b"")
    }

    /// Collects everything with Python's poplib and deletes it on the server.
    ///
    /// # Errors
    /// When Python cannot be started.
    pub fn poplib(&self, account: Account<'_>) -> Result<Outcome> {
        let mut command = self.command("python3");
        command.args(["-c", POPLIB, &account.server.ip().to_string()]);
        command.arg(account.server.port().to_string());
        command.args([account.user, account.password]);
        run(command, b"")
    }

    /// Runs a program and answers with a file that it wrote, and its output.
    pub(super) fn with_file(&self, command: Command, name: &str) -> Result<Outcome> {
        let mut outcome = run(command, b"")?;
        outcome.output = format!("{}{}", self.scratch.read(name), outcome.output);
        Ok(outcome)
    }
}

const POPLIB: &str = "\
import poplib, sys
host, port, user, password = sys.argv[1:]
box = poplib.POP3(host, int(port), timeout=30)
box.user(user)
box.pass_(password)
count, octets = box.stat()
uids = [line.split()[1] for line in box.uidl()[1]]
assert len(uids) == count == len(set(uids)), (count, uids)
for number in range(1, count + 1):
    size = int(box.list(number).split()[2])
    answer, lines, _ = box.retr(number)
    assert sum(len(line) + 2 for line in lines) == size, (number, size)
    sys.stdout.buffer.write(b'\\n'.join(lines) + b'\\n')
    box.dele(number)
print('collected', count)
box.quit()
";
