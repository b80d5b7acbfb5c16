//! The client sheet (S7.1): what a person types into a mail program, as data.
//!
//! Promises: built from live settings, so it changes when a setting does; the entry to recommend
//! comes first. Does not: know which services run. Standards: RFC 8314 §3.3.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mail::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::UserName;
use crate::facts::ServiceName;
use crate::settings::Settings;
use crate::trust::{is_link_local, is_private};

/// How a mail program protects the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// TLS from the first byte ("SSL/TLS").
    Tls,
    /// STARTTLS.
    StartTls,
}

impl Protection {
    /// What mail programs call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tls => "SSL/TLS",
            Self::StartTls => "STARTTLS",
        }
    }
}

/// One server to type in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetServer {
    /// The service behind it.
    pub service: ServiceName,
    /// Host as people type it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS.
    pub security: Protection,
    /// The name to sign in with; the password is the user's own.
    pub login: String,
    /// Whether it also works from outside the office.
    pub open_to_internet: bool,
}

/// Everything that one user types into a mail program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSheet {
    /// The user.
    pub user: UserName,
    /// Their addresses, the first being the one to set up.
    pub addresses: Vec<Address>,
    /// Where mail is collected, the best first.
    pub incoming: Vec<SheetServer>,
    /// Where mail is sent, the best first.
    pub outgoing: Vec<SheetServer>,
    /// The gateway's name, for use where DNS knows it.
    pub host_name: Domain,
    /// SHA-256 fingerprint of the certificate, to compare with what the program shows.
    pub fingerprint: String,
}

/// The sheet of `user`; `addresses` are those of the machine, of which a private one is preferred.
pub fn sheet(
    settings: &Settings,
    user: &UserName,
    addresses: &[IpAddr],
    fingerprint: &str,
) -> ClientSheet {
    let host = host_to_type(settings, addresses);
    // RFC 8314 §3.3: TLS from the first byte is preferred to STARTTLS.
    let servers = |services: [(ServiceName, Protection); 2]| {
        services
            .into_iter()
            .filter_map(|(service, security)| {
                Some(SheetServer {
                    service,
                    host: host.clone(),
                    port: service.port()?,
                    security,
                    login: user.to_string(),
                    open_to_internet: settings.services.is_open(service),
                })
            })
            .collect()
    };
    let own = settings.addresses.list.iter();
    ClientSheet {
        user: user.clone(),
        addresses: own
            .filter(|entry| entry.users.contains(user))
            .map(|entry| entry.address.clone())
            .collect(),
        incoming: servers([
            (ServiceName::Pop3s, Protection::Tls),
            (ServiceName::Pop3, Protection::StartTls),
        ]),
        outgoing: servers([
            (ServiceName::Submissions, Protection::Tls),
            (ServiceName::Submission, Protection::StartTls),
        ]),
        host_name: settings.machine.host_name.clone(),
        fingerprint: fingerprint.to_owned(),
    }
}

impl ClientSheet {
    /// The same sheet for services that listen on other ports than the standard ones.
    #[must_use]
    pub fn on_ports(mut self, ports: &BTreeMap<ServiceName, u16>) -> Self {
        for server in self.incoming.iter_mut().chain(&mut self.outgoing) {
            if let Some(port) = ports.get(&server.service) {
                server.port = *port;
            }
        }
        self
    }
}

/// The address on the office's network, IPv4 before IPv6; else any other; else the host name.
fn host_to_type(settings: &Settings, addresses: &[IpAddr]) -> String {
    let usable = |a: &&IpAddr| !a.is_loopback() && !a.is_unspecified() && !is_link_local(**a);
    let rank = |a: &&IpAddr| (!is_private(**a), a.is_ipv6());
    match addresses.iter().filter(usable).min_by_key(rank) {
        Some(address) => address.to_string(),
        None => settings.machine.host_name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::{address, settings, user};

    fn of_bob(addresses: &[&str]) -> ClientSheet {
        let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        sheet(&settings(), &user("bob"), &addresses, "AA:BB")
    }

    #[test]
    fn both_servers_are_the_gateways_own_address() {
        let sheet = of_bob(&["127.0.0.1", "203.0.113.2", "fd00::100", "192.168.0.100"]);
        let servers: Vec<String> = sheet
            .incoming
            .iter()
            .chain(&sheet.outgoing)
            .map(|s| format!("{}:{} {} {}", s.host, s.port, s.security.label(), s.login))
            .collect();
        assert_eq!(
            servers,
            [
                "192.168.0.100:995 SSL/TLS bob",
                "192.168.0.100:110 STARTTLS bob",
                "192.168.0.100:465 SSL/TLS bob",
                "192.168.0.100:587 STARTTLS bob",
            ]
        );
        assert_eq!(sheet.fingerprint, "AA:BB");
        assert_eq!(
            sheet.addresses,
            [
                address("bob@office.example"),
                address("sales@office.example"),
                address("bob@brand.example"),
            ]
        );
    }

    #[test]
    fn without_an_address_on_the_network_the_host_name_stands_there() {
        let sheet = of_bob(&["127.0.0.1", "fe80::1"]);
        assert_eq!(sheet.incoming[0].host, "mail.office.example");
    }

    #[test]
    fn the_sheet_follows_ports_and_settings() {
        let ports = BTreeMap::from([(ServiceName::Pop3s, 1995)]);
        let sheet = of_bob(&[]).on_ports(&ports);
        assert_eq!(sheet.incoming[0].port, 1995);
        assert_eq!(sheet.incoming[1].port, 110);
        assert!(!sheet.incoming[0].open_to_internet);
        let mut open = settings();
        open.services.pop3s_open_to_internet = true;
        let open = super::sheet(&open, &user("bob"), &[], "");
        assert!(open.incoming[0].open_to_internet);
    }
}
