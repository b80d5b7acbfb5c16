//! Mail programs that use TLS and sign in, as people set them up for a server of their own.
//!
//! Promises: every program checks the server's certificate against the authority that the client
//! trusts, its name included where the program can; a certificate that does not fit fails the run.

use super::clients::{Account, Client, Message};
use crate::running::{Outcome, run};
use anyhow::{Context, Result};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// How a program protects the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// In clear, upgraded by STARTTLS or STLS before anything else.
    Upgraded,
    /// From the first byte.
    Implicit,
}

/// TLS, and who signs in by which mechanism.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// How the connection is protected.
    pub tls: Tls,
    /// The name.
    pub user: &'a str,
    /// In clear: these are test users.
    pub password: &'a str,
    /// As SASL calls it, such as `PLAIN`.
    pub mechanism: &'a str,
}

impl Client<'_> {
    /// Sends with swaks, over TLS and signed in. Exit codes as without, and 28 where sign-in failed.
    ///
    /// # Errors
    /// When swaks cannot be started.
    pub fn swaks_signed_in(
        &self,
        message: Message<'_>,
        sign_in: SignIn<'_>,
        more: &[&str],
    ) -> Result<Outcome> {
        let authority = self.authority()?;
        let tls = match sign_in.tls {
            Tls::Upgraded => "--tls",
            Tls::Implicit => "--tls-on-connect",
        };
        let mut words = vec![tls, "--tls-verify", "--tls-ca-path", authority];
        words.extend(["--auth", sign_in.mechanism, "--auth-user", sign_in.user]);
        words.extend(["--auth-password", sign_in.password]);
        words.extend(more);
        self.swaks(message, &words)
    }

    /// Sends with msmtp, over TLS and signed in. The certificate is known by its authority, or by
    /// its SHA-256 `fingerprint` where one is given.
    ///
    /// # Errors
    /// When msmtp cannot be started.
    pub fn msmtp_signed_in(
        &self,
        message: Message<'_>,
        sign_in: SignIn<'_>,
        fingerprint: Option<&str>,
    ) -> Result<Outcome> {
        let mut command = self.command("msmtp");
        command.arg(format!("--host={}", message.server.ip()));
        command.arg(format!("--port={}", message.server.port()));
        command.args(["--timeout=30", "--tls=on"]);
        command.arg(starttls(sign_in.tls));
        match fingerprint {
            Some(fingerprint) => command.args([
                "--tls-trust-file=",
                &format!("--tls-fingerprint={fingerprint}"),
            ]),
            None => command.arg(format!("--tls-trust-file={}", self.authority()?)),
        };
        command.arg(format!("--auth={}", sign_in.mechanism.to_lowercase()));
        command.arg(format!("--user={}", sign_in.user));
        command.arg(self.password_command(sign_in.password)?);
        command.arg(format!("--from={}", message.from));
        command.arg("--").args(message.to);
        run(command, message.text.as_bytes())
    }

    /// Sends with curl, over TLS and signed in.
    ///
    /// # Errors
    /// When curl cannot be started.
    pub fn curl_send_signed_in(
        &self,
        message: Message<'_>,
        sign_in: SignIn<'_>,
    ) -> Result<Outcome> {
        let mut command = self.curl(sign_in)?;
        let scheme = match sign_in.tls {
            Tls::Upgraded => "smtp",
            Tls::Implicit => "smtps",
        };
        let url = format!("{scheme}://{}/client.invalid", message.server);
        command.args(["--verbose", "--url", &url, "--mail-from", message.from]);
        for to in message.to {
            command.args(["--mail-rcpt", to]);
        }
        command.args(["--upload-file", "-", "--crlf"]);
        run(command, message.text.as_bytes())
    }

    /// Collects one message with curl over TLS; it stays on the server.
    ///
    /// # Errors
    /// When curl cannot be started.
    pub fn curl_collect_signed_in(
        &self,
        server: std::net::SocketAddr,
        sign_in: SignIn<'_>,
        number: u32,
    ) -> Result<Outcome> {
        let mut command = self.curl(sign_in)?;
        let scheme = match sign_in.tls {
            Tls::Upgraded => "pop3",
            Tls::Implicit => "pop3s",
        };
        command.args(["--verbose", &format!("{scheme}://{server}/{number}")]);
        run(command, b"")
    }

    /// curl with what both directions share: its host name check is always on.
    fn curl(&self, sign_in: SignIn<'_>) -> Result<Command> {
        let mut command = self.command("curl");
        command.args(["--silent", "--show-error", "--max-time", "60", "--ssl-reqd"]);
        command.args(["--cacert", self.authority()?]);
        command.args(["--user", &format!("{}:{}", sign_in.user, sign_in.password)]);
        let mechanism = format!("AUTH={}", sign_in.mechanism);
        command.args(["--login-options", &mechanism]);
        Ok(command)
    }

    /// Collects with mpop over TLS; the messages stay on the server. The output is its mailbox.
    ///
    /// # Errors
    /// When mpop cannot be started.
    pub fn mpop_signed_in(&self, account: Account<'_>, tls: Tls) -> Result<Outcome> {
        let mut command = self.command("mpop");
        let inside = &self.scratch.inside;
        command.arg(format!("--host={}", account.server.ip()));
        command.arg(format!("--port={}", account.server.port()));
        command.args(["--tls=on", starttls(tls)]);
        command.arg(format!("--tls-trust-file={}", self.authority()?));
        command.args(["--auth=plain", "--keep=on", "--timeout=30"]);
        command.arg(format!("--user={}", account.user));
        command.arg(self.password_command(account.password)?);
        command.arg(format!("--uidls-file={inside}/uidls-tls"));
        command.arg(format!("--delivery=mbox,{inside}/mpop-tls"));
        self.with_file(command, "mpop-tls")
    }

    /// Collects with fetchmail over TLS; the messages stay on the server. `how` are the words of its
    /// settings that say how the certificate is known; AUTHORITY in them is the file trusted here.
    ///
    /// # Errors
    /// When fetchmail cannot be started.
    pub fn fetchmail_signed_in(
        &self,
        account: Account<'_>,
        tls: Tls,
        how: &str,
    ) -> Result<Outcome> {
        let inside = &self.scratch.inside;
        let protection = match tls {
            Tls::Upgraded => "sslproto \"tls1.2+\"",
            Tls::Implicit => "ssl",
        };
        let settings = self.scratch.write(
            "fetchmailrc-tls",
            &format!(
                "poll {} proto POP3 port {} uidl\n user \"{}\" password \"{}\" keep fetchall\n \
                 {protection} {} mda \"cat >> {inside}/fetchmail-tls\"\n",
                account.server.ip(),
                account.server.port(),
                account.user,
                account.password,
                how.replace("AUTHORITY", self.authority()?),
            ),
        )?;
        let file = self.scratch.outside.join("fetchmailrc-tls");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        let mut command = self.command("fetchmail");
        command.args(["--nodetach", "--verbose", "--fetchmailrc", &settings]);
        command.args(["--pidfile", &format!("{inside}/fetchmail.pid")]);
        command.args(["--idfile", &format!("{inside}/fetchmail-tls.ids")]);
        self.with_file(command, "fetchmail-tls")
    }

    /// Runs a Python script; its arguments are those given here, `input` is its standard input.
    /// The file of the authority that the client trusts is the environment's `AUTHORITY`.
    ///
    /// # Errors
    /// When Python cannot be started.
    pub fn python(&self, script: &str, arguments: &[&str], input: &[u8]) -> Result<Outcome> {
        let mut command = self.command("python3");
        if let Some(authority) = &self.authority {
            command.env("AUTHORITY", authority);
        }
        command.args(["-c", script]).args(arguments);
        run(command, input)
    }

    fn authority(&self) -> Result<&str> {
        let trusted = self.authority.as_deref();
        trusted.context("this client trusts no authority yet")
    }

    fn password_command(&self, password: &str) -> Result<String> {
        let file = self.scratch.write("password", password)?;
        Ok(format!("--passwordeval=cat {file}"))
    }
}

/// What msmtp and mpop, two programs of one author, call it.
const fn starttls(tls: Tls) -> &'static str {
    match tls {
        Tls::Upgraded => "--tls-starttls=on",
        Tls::Implicit => "--tls-starttls=off",
    }
}
