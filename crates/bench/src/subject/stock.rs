//! Postfix with Dovecot, as Debian ships them, from `target/peers`.
//!
//! Promises: Postfix delivers by its own virtual(8) into the maildirs that Dovecot serves, which is
//! the faster of the two usual ways; syncing as shipped; no limit that the load would run into.

use super::{Subject, USERS, end_of};
use crate::mailbox::{PASSWORD, user};
use anyhow::{Context, Result};
use argon2::password_hash::PasswordHasher;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use testkit::net::{Host, Namespace};
use testkit::peers::{DebianRoot, Dovecot, Postfix, PostfixSettings, Scratch};

/// The domain of all mailboxes.
const DOMAIN: &str = "office.test";

/// Both, running.
pub(crate) struct Stock {
    host: Host,
    mail: PathBuf,
    dovecot: Dovecot,
    postfix: Postfix,
    _scratch: Scratch,
}

impl Stock {
    /// Starts both; `sign_ins` users more than those who get mail, at most `processes` of a kind.
    ///
    /// # Errors
    /// When there is no `target/peers`, or one does not start.
    pub(crate) fn start(sign_ins: usize, processes: usize) -> Result<Self> {
        let root = DebianRoot::find()?;
        let host = Host {
            namespace: Namespace::new("stock")?,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let scratch = root.scratch("bench")?;
        let users = scratch.write("users", &users(sign_ins)?)?;
        // Dovecot takes the later of two equal settings; the test kit's own does not sync.
        let further = format!(
            "mail_fsync = optimized\ndefault_process_limit = {processes}\n\
             default_client_limit = 5000\n\
             passdb {{\n  driver = passwd-file\n  args = {users}\n}}\n"
        );
        let dovecot = Dovecot::start_with(&root, &host, &[], &further)?;
        let lmtp = dovecot.lmtp();
        let folder = lmtp.strip_suffix("/lmtp").context("Dovecot's folder")?;
        let top = scratch
            .outside
            .ancestors()
            .nth(2)
            .context("the Debian root")?;
        let mail = top.join(folder.trim_start_matches('/')).join("mail");
        let addresses: Vec<String> = (0..USERS)
            .map(|number| format!("{}@{DOMAIN}", user(number)))
            .collect();
        let pairs: Vec<(&str, &str)> = addresses
            .iter()
            .map(|address| (address.as_str(), address.as_str()))
            .collect();
        let postfix = Postfix::start(
            &root,
            &host,
            &PostfixSettings {
                host_name: "mail.office.test",
                domains: DOMAIN,
                addresses: &pairs,
                main: &main_cf(&format!("{folder}/mail"), processes),
                lmtp,
            },
        )?;
        Ok(Self {
            host,
            mail,
            dovecot,
            postfix,
            _scratch: scratch,
        })
    }
}

/// Dovecot's list of users: all with one password, hashed as Gatepost does by default.
fn users(sign_ins: usize) -> Result<String> {
    let salt = b"one-salt-for-all";
    let hash = argon2::Argon2::default()
        .hash_password_with_salt(PASSWORD.as_bytes(), salt)
        .map_err(|problem| anyhow::anyhow!("hashing: {problem}"))?;
    let mail = (0..USERS).map(user);
    let others = (0..sign_ins).map(|number| format!("c{number}"));
    let mut list = String::new();
    for name in mail.chain(others) {
        writeln!(list, "{name}:{{ARGON2ID}}{hash}::::::")?;
    }
    Ok(list)
}

/// Mailboxes by virtual(8), and what the test kit sets otherwise than Postfix ships.
fn main_cf(mail: &str, processes: usize) -> String {
    let boxes: Vec<String> = (0..USERS)
        .map(|number| format!("{{ {name}@{DOMAIN} = {name}/ }}", name = user(number)))
        .collect();
    format!(
        "virtual_transport = virtual\n\
         virtual_mailbox_base = {mail}\n\
         virtual_mailbox_maps = inline:{{ {} }}\n\
         virtual_uid_maps = static:8\n\
         virtual_gid_maps = static:8\n\
         virtual_minimum_uid = 1\n\
         minimal_backoff_time = 300s\n\
         queue_run_delay = 300s\n\
         default_process_limit = {processes}",
        boxes.join(", ")
    )
}

impl Subject for Stock {
    fn name(&self) -> &'static str {
        "postfix+dovecot"
    }

    fn namespace(&self) -> &Namespace {
        &self.host.namespace
    }

    fn smtp(&self) -> SocketAddr {
        SocketAddr::new(self.host.address, 25)
    }

    fn pop3(&self) -> SocketAddr {
        SocketAddr::new(self.host.address, 110)
    }

    fn arrivals(&self) -> Vec<PathBuf> {
        let folder = |number| self.mail.join(user(number)).join("new");
        (0..USERS).map(folder).collect()
    }

    fn log(&self) -> String {
        format!(
            "{}\n{}",
            end_of(&self.postfix.log()),
            end_of(&self.dovecot.log())
        )
    }
}
