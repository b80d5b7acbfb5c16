//! Dovecot: mailboxes with POP3, IMAP and LMTP, users from a list.
//!
//! Promises: each instance keeps everything below a folder of its own; a user is known by the
//! local-part of the address; LMTP is a socket for the Postfix beside it.

use crate::net::Host;
use crate::peers::{DebianRoot, Scratch};
use crate::running::Running;
use anyhow::Result;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    running: Running,
    scratch: Scratch,
}

impl Dovecot {
    /// Starts it on a host, with pairs of user name and password, and waits until POP3 answers.
    ///
    /// # Errors
    /// When Dovecot does not start.
    pub fn start(root: &DebianRoot, host: &Host, users: &[(&str, &str)]) -> Result<Self> {
        Self::start_with(root, host, users, "")
    }

    /// The same with further lines of dovecot.conf, which win over those before them.
    ///
    /// # Errors
    /// When Dovecot does not start.
    pub fn start_with(
        root: &DebianRoot,
        host: &Host,
        users: &[(&str, &str)],
        further: &str,
    ) -> Result<Self> {
        let scratch = root.scratch("dovecot")?;
        let list: Vec<String> = users
            .iter()
            .map(|(name, password)| format!("{name}:{{PLAIN}}{password}::::::\n"))
            .collect();
        scratch.write("users", &list.concat())?;
        scratch.folder("run")?;
        scratch.folder("mail")?;
        // Mail is written as Debian's user `mail`, who must be able to make the mailboxes.
        std::os::unix::fs::chown(scratch.outside.join("mail"), Some(8), Some(8))?;
        let settings = SETTINGS.replace("FOLDER", &scratch.inside) + further;
        let settings = scratch.write("dovecot.conf", &settings)?;
        let mut command = root.command(&host.namespace, "dovecot");
        command.args(["-F", "-c", &settings]);
        let running = Running::start(command, &scratch.outside.join("out"))?;
        let dovecot = Self { running, scratch };
        host.namespace
            .wait_for_port(SocketAddr::new(host.address, 110))
            .map_err(|problem| problem.context(dovecot.log()))?;
        Ok(dovecot)
    }

    /// Where the LMTP socket is, as programs in the root see it.
    pub fn lmtp(&self) -> String {
        format!("{}/lmtp", self.scratch.inside)
    }

    /// The messages in a user's mailbox, each as it was stored, oldest first.
    pub fn messages(&self, user: &str) -> Vec<String> {
        let folder = self.scratch.outside.join("mail").join(user);
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            if let Ok(entries) = fs::read_dir(folder.join(part)) {
                files.extend(entries.flatten().map(|entry| entry.path()));
            }
        }
        files.sort_by_key(|file| file.file_name().map(std::ffi::OsStr::to_owned));
        files.iter().map(|file| read(file)).collect()
    }

    /// What it has logged and said.
    pub fn log(&self) -> String {
        self.scratch.read("log") + &self.running.output()
    }
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

const SETTINGS: &str = "\
base_dir = FOLDER/run
state_dir = FOLDER/run
log_path = FOLDER/log
protocols = pop3 imap lmtp
listen = *
ssl = no
disable_plaintext_auth = no
auth_username_format = %n
mail_location = maildir:FOLDER/mail/%n
first_valid_uid = 1
default_process_limit = 50
mail_fsync = never
passdb {
  driver = passwd-file
  args = FOLDER/users
}
userdb {
  driver = static
  args = uid=8 gid=8 home=FOLDER/mail/%n
}
service lmtp {
  unix_listener FOLDER/lmtp {
    mode = 0666
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
service imap-login {
  inet_listener imaps {
    port = 0
  }
}
";
