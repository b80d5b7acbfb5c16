//! Postfix: a mail server on port 25 with settings, queue and log of its own.
//!
//! Promises: no service is chrooted a second time (Debian's default, where only the init script
//! copies resolv.conf in), the log is a file, many instances run at once.

use crate::net::{Host, Namespace};
use crate::peers::{DebianRoot, Scratch};
use crate::running::{Outcome, Running, run};
use anyhow::Result;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// What differs between one Postfix and another.
#[derive(Debug, Clone, Default)]
pub struct PostfixSettings<'a> {
    /// The name that it greets with.
    pub host_name: &'a str,
    /// The domains whose mailboxes it holds, separated by blanks.
    pub domains: &'a str,
    /// Pairs of an address and the mailbox's own address.
    pub addresses: &'a [(&'a str, &'a str)],
    /// Where mailboxes are: the path of an LMTP socket.
    pub lmtp: String,
    /// Further lines of main.cf.
    pub main: &'a str,
}

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    running: Running,
    root: DebianRoot,
    scratch: Scratch,
}

impl Postfix {
    /// Starts it on a host and waits until port 25 greets.
    ///
    /// # Errors
    /// When Postfix does not start.
    pub fn start(root: &DebianRoot, host: &Host, settings: &PostfixSettings<'_>) -> Result<Self> {
        let scratch = root.scratch("postfix")?;
        scratch.folder("config")?;
        make_folders(root, &scratch)?;
        let mut addresses = String::new();
        for (address, mailbox) in settings.addresses {
            writeln!(addresses, "{address} {mailbox}")?;
        }
        for (name, text) in [
            ("addresses", addresses.as_str()),
            ("master.cf", MASTER),
            ("main.cf", &main_cf(&scratch, settings)),
        ] {
            let name = format!("config/{name}");
            scratch.write(&name, text)?;
            // Postfix reads a file again and again until it is two seconds old.
            std::fs::File::options()
                .write(true)
                .open(scratch.outside.join(name))?
                .set_modified(std::time::UNIX_EPOCH + Duration::from_hours(1))?;
        }
        // What `postfix start` does besides takes seconds: the folders are there already.
        let mut command = root.command(&host.namespace, "/usr/lib/postfix/sbin/master");
        command.args(["-d", "-c", &format!("{}/config", scratch.inside)]);
        let running = Running::start(command, &scratch.outside.join("out"))?;
        let postfix = Self {
            running,
            root: root.clone(),
            scratch,
        };
        host.namespace
            .wait_for_port(SocketAddr::new(host.address, 25))
            .map_err(|problem| problem.context(postfix.log()))?;
        Ok(postfix)
    }

    /// What it has logged and said.
    pub fn log(&self) -> String {
        self.scratch.read("log") + &self.running.output()
    }

    /// Tries everything in the queue at once.
    ///
    /// # Errors
    /// When `postqueue` cannot be started.
    pub fn flush(&self) -> Result<Outcome> {
        // Asks by way of a socket of the queue's: any network does.
        let network = Namespace::new("postqueue")?;
        let mut command = self.root.command(&network, "postqueue");
        command.args(["-c", &format!("{}/config", self.scratch.inside), "-f"]);
        run(command, b"")
    }
}

/// The queue's folders, with the owners that Postfix insists on.
fn make_folders(root: &DebianRoot, scratch: &Scratch) -> Result<()> {
    let owner = root.user("postfix")?;
    let group = root.group("postdrop")?;
    let mail = [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace",
    ];
    let own = mail.map(|name| (format!("queue/{name}"), owner, None, 0o700));
    let shared = [
        ("data".to_owned(), owner, None, 0o755),
        ("queue/pid".to_owned(), 0, None, 0o755),
        ("queue/public".to_owned(), owner, Some(group), 0o710),
        ("queue/maildrop".to_owned(), owner, Some(group), 0o1730),
    ];
    for (name, owner, group, mode) in own.into_iter().chain(shared) {
        scratch.folder(&name)?;
        let folder = scratch.outside.join(&name);
        std::os::unix::fs::chown(&folder, Some(owner), group)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn main_cf(scratch: &Scratch, settings: &PostfixSettings<'_>) -> String {
    let PostfixSettings {
        host_name,
        domains,
        lmtp,
        main,
        ..
    } = settings;
    let folder = &scratch.inside;
    let usual = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {folder}/queue\n\
         data_directory = {folder}/data\n\
         maillog_file = {folder}/log\n\
         maillog_file_prefixes = /run\n\
         myhostname = {host_name}\n\
         mydestination =\n\
         alias_maps =\n\
         inet_protocols = all\n\
         virtual_mailbox_domains = {domains}\n\
         virtual_alias_maps = texthash:{folder}/config/addresses\n\
         virtual_mailbox_maps = texthash:{folder}/config/addresses\n\
         virtual_transport = lmtp:unix:{lmtp}\n\
         smtpd_peername_lookup = no\n\
         smtp_tls_security_level = may\n\
         minimal_backoff_time = 5s\n\
         queue_run_delay = 5s\n"
    );
    // Each setting once: Postfix warns of two, and its log daemon then waits for itself for ever.
    let name = |line: &str| line.split('=').next().map(|name| name.trim().to_owned());
    let stated: Vec<_> = main.lines().map(name).collect();
    let kept = usual.lines().filter(|line| !stated.contains(&name(line)));
    kept.chain(main.lines())
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// Debian's services, none of them chrooted.
const MASTER: &str = "\
smtp      inet  n - n - -    smtpd
pickup    unix  n - n 60 1   pickup
cleanup   unix  n - n - 0    cleanup
qmgr      unix  n - n 300 1  qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - -    trivial-rewrite
bounce    unix  - - n - 0    bounce
defer     unix  - - n - 0    bounce
trace     unix  - - n - 0    bounce
verify    unix  - - n - 1    verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - -    proxymap
proxywrite unix - - n - 1    proxymap
smtp      unix  - - n - -    smtp
relay     unix  - - n - -    smtp
showq     unix  n - n - -    showq
error     unix  - - n - -    error
retry     unix  - - n - -    error
discard   unix  - - n - -    discard
local     unix  - n n - -    local
virtual   unix  - n n - -    virtual
lmtp      unix  - - n - -    lmtp
anvil     unix  - - n - 1    anvil
scache    unix  - - n - 1    scache
postlog   unix-dgram n - n - 1 postlogd
";
