//! Unbound as the Internet's DNS server: zones from text, everything else does not exist.
//!
//! Promises: answers as a recursive resolver does (aliases across zones are followed); a name in no
//! zone is NXDOMAIN; a domain named in `silent` is never answered for (SERVFAIL after its patience).

use crate::net::Host;
use crate::peers::{DebianRoot, Scratch};
use crate::running::Running;
use anyhow::Result;
use std::fmt::Write as _;
use std::net::SocketAddr;

const ROOT_ZONE: &str = "\
@ 300 IN SOA ns.invalid. root.invalid. 1 3600 600 86400 60
@ 300 IN NS ns.invalid.
";

/// A running DNS server.
#[derive(Debug)]
pub struct DnsServer {
    running: Running,
    _scratch: Scratch,
}

impl DnsServer {
    /// Starts the server at port 53 of a host and waits until it answers.
    ///
    /// `zones` are pairs of a name and the records in it, one per line, without the SOA and NS
    /// records that every zone must have: these are added.
    ///
    /// # Errors
    /// When Unbound does not start.
    pub fn start(
        root: &DebianRoot,
        host: &Host,
        zones: &[(&str, &str)],
        silent: &[&str],
    ) -> Result<Self> {
        let scratch = root.scratch("dns")?;
        let mut settings = format!(
            "server:\n interface: {}\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n \
             directory: \"{inside}\"\n pidfile: \"\"\n use-syslog: no\n log-queries: yes\n \
             access-control: 0.0.0.0/0 allow\n access-control: ::/0 allow\n num-threads: 1\n \
             module-config: \"iterator\"\n do-not-query-localhost: no\n cache-max-ttl: 5\n \
             unblock-lan-zones: yes\n insecure-lan-zones: yes\n local-zone: \"test.\" nodefault\n",
            host.address,
            inside = scratch.inside
        );
        for zone in ["113.0.203", "100.51.198", "2.0.192"] {
            // Unbound denies the reverse zones of the documentation ranges unless told not to.
            writeln!(settings, " local-zone: \"{zone}.in-addr.arpa.\" nodefault")?;
        }
        settings.push_str("remote-control:\n control-enable: no\n");
        for name in silent {
            // The discard port: nobody listens there, and nobody refuses on this address either.
            writeln!(
                settings,
                "stub-zone:\n name: \"{name}\"\n stub-addr: 192.0.2.1@9"
            )?;
        }
        for (name, records) in [(".", ROOT_ZONE)].iter().chain(zones) {
            let file = format!("{}.zone", if *name == "." { "root" } else { name });
            let head = if *name == "." { "" } else { ROOT_ZONE };
            let text = format!(
                "$ORIGIN {}.\n$TTL 300\n{head}{records}",
                name.trim_end_matches('.')
            );
            let file = scratch.write(&file, &text)?;
            writeln!(
                settings,
                "auth-zone:\n name: \"{name}\"\n zonefile: \"{file}\"\n for-downstream: no\n \
                 for-upstream: yes\n fallback-enabled: no"
            )?;
        }
        let settings = scratch.write("unbound.conf", &settings)?;
        let mut command = root.command(&host.namespace, "unbound");
        command.args(["-d", "-c", &settings]);
        let running = Running::start(command, &scratch.outside.join("log"))?;
        host.namespace
            .wait_for_port(SocketAddr::new(host.address, 53))?;
        Ok(Self {
            running,
            _scratch: scratch,
        })
    }

    /// The questions that were asked, one per line, as Unbound logs them.
    pub fn log(&self) -> String {
        self.running.output()
    }
}
