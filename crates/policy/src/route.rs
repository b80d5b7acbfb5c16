//! Where a recipient's mail goes: one of four next hops, or nowhere.
//!
//! Promises: pure; the same answer at acceptance and at every attempt for the same settings.

use std::fmt;

use mail::{Address, Domain, ForwardPath, LocalPart, MailHost};
use serde::{Deserialize, Serialize};

use crate::address_book::{self, Found};
use crate::facts::Directory;
use crate::recipient::{local_target, unroutable};
use crate::settings::{DomainEntry, DomainKind, InnerServer, RemoteMethod, Settings, SmartHost};
use crate::{Because, UserName};

/// The next hop of one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case")]
pub enum NextHop {
    /// Mailboxes here.
    Mailboxes {
        /// Whose.
        users: Vec<UserName>,
    },
    /// The inner server of a passed or split domain.
    InnerServer {
        /// Its settings.
        server: InnerServer,
    },
    /// The smart host.
    SmartHost {
        /// Its settings.
        host: SmartHost,
    },
    /// The mail exchangers of a domain.
    Mx {
        /// The recipient's domain.
        domain: Domain,
    },
    /// A recipient with an address literal.
    Literal {
        /// The address.
        address: std::net::IpAddr,
    },
}

/// A next hop and the setting behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// Where the mail goes.
    pub next_hop: NextHop,
    /// Always `RoutedBy`.
    pub because: Because,
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailboxes { users } => {
                let users: Vec<&str> = users.iter().map(UserName::as_str).collect();
                write!(f, "the mailbox of {}", users.join(", "))
            }
            Self::InnerServer { server } => {
                let hosts: Vec<String> = server
                    .hosts
                    .iter()
                    .map(|host| format!("{}:{}", host.host, host.port))
                    .collect();
                write!(f, "the inner server {}", hosts.join(", then "))
            }
            Self::SmartHost { host } => write!(f, "the smart host {}:{}", host.host, host.port),
            Self::Mx { domain } => write!(f, "the mail exchangers of {domain}"),
            Self::Literal { address } => write!(f, "the host at {address}"),
        }
    }
}

/// Where mail for `path` goes.
///
/// # Errors
/// Why it goes nowhere: nobody here has the address, or settings name no host for it.
pub fn route(
    settings: &Settings,
    directory: &Directory,
    path: &ForwardPath,
) -> Result<Routed, Because> {
    if let Some((domain, local)) = local_target(settings, path) {
        return inward(settings, directory, domain, &local);
    }
    if let Some(because) = unroutable(path) {
        return Err(because);
    }
    match path {
        ForwardPath::Address(address) => outward(settings, address),
        ForwardPath::Postmaster => Err(Because::RecipientNotRoutable {
            recipient: path.to_string(),
        }),
    }
}

fn inward(
    settings: &Settings,
    directory: &Directory,
    domain: &DomainEntry,
    local: &LocalPart,
) -> Result<Routed, Because> {
    if domain.kind == DomainKind::Passed {
        return inner_server(settings, domain);
    }
    match address_book::find(settings, directory, domain, local) {
        Found::Users { users, via, .. } => Ok(routed(via, NextHop::Mailboxes { users })),
        Found::NoUser { address, users } => Err(Because::AddressWithoutUser { address, users }),
        Found::Nobody if domain.kind == DomainKind::Split => inner_server(settings, domain),
        Found::Nobody => Err(address_book::unknown(settings, domain, local)),
    }
}

fn inner_server(settings: &Settings, domain: &DomainEntry) -> Result<Routed, Because> {
    let mut servers = settings.delivery.inner.iter();
    match servers.find(|server| server.domain == domain.name && !server.hosts.is_empty()) {
        Some(server) => Ok(routed(
            format!("delivery.inner for {}", domain.name),
            NextHop::InnerServer {
                server: server.clone(),
            },
        )),
        None => Err(Because::Unreachable {
            failure: format!("delivery.inner names no server for {}", domain.name),
        }),
    }
}

/// By the smart host or to the recipient's own hosts (S3.1); inner servers are not looked at (S2.6).
fn outward(settings: &Settings, address: &Address) -> Result<Routed, Because> {
    let next_hop = match (settings.delivery.remote, &address.host) {
        (RemoteMethod::SmartHost, _) => match &settings.delivery.smart_host {
            Some(host) => NextHop::SmartHost { host: host.clone() },
            None => {
                return Err(Because::Unreachable {
                    failure: "delivery.remote is smart-host, but delivery.smart_host is empty"
                        .to_owned(),
                });
            }
        },
        (RemoteMethod::Direct, MailHost::Domain(domain)) => NextHop::Mx {
            domain: domain.clone(),
        },
        (RemoteMethod::Direct, MailHost::Address(address)) => NextHop::Literal {
            address: address.to_canonical(),
        },
    };
    let setting = match settings.delivery.remote {
        RemoteMethod::SmartHost => "delivery.remote = smart-host",
        RemoteMethod::Direct => "delivery.remote = direct",
    };
    Ok(routed(setting.to_owned(), next_hop))
}

fn routed(setting: String, next_hop: NextHop) -> Routed {
    Routed {
        because: Because::RoutedBy {
            setting,
            next_hop: next_hop.to_string(),
        },
        next_hop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::{directory, settings, user};
    use crate::settings::{InnerHost, TlsMode};

    fn way(settings: &Settings, path: &str) -> Result<NextHop, Because> {
        route(settings, &directory(), &path.parse().unwrap()).map(|routed| routed.next_hop)
    }

    fn inner() -> InnerServer {
        InnerServer {
            domain: "office.example".parse().unwrap(),
            hosts: vec![InnerHost {
                host: "[192.168.0.5]".parse().unwrap(),
                port: 25,
            }],
            tls: TlsMode::Opportunistic,
        }
    }

    fn smart_host() -> SmartHost {
        SmartHost {
            host: "smtp.provider.example".parse().unwrap(),
            port: 587,
            tls: TlsMode::Required,
            sign_in: None,
        }
    }

    #[test]
    fn hosted_addresses_go_to_mailboxes_and_unknown_ones_nowhere() {
        let settings = settings();
        let users = vec![user("bob")];
        for path in ["bob@office.test", "Postmaster"] {
            let users = users.clone();
            assert_eq!(way(&settings, path), Ok(NextHop::Mailboxes { users }));
        }
        let unknown = way(&settings, "nobody@office.example");
        assert!(matches!(unknown, Err(Because::AddressUnknown { .. })));
        let gone = way(&settings, "old@office.example");
        assert!(matches!(gone, Err(Because::AddressWithoutUser { .. })));
    }

    #[test]
    fn outside_mail_goes_to_mail_exchangers_or_to_a_literal() {
        let settings = settings();
        let domain: Domain = "else.example".parse().unwrap();
        assert_eq!(way(&settings, "x@else.example"), Ok(NextHop::Mx { domain }));
        let address = "192.0.2.1".parse().unwrap();
        let literal = way(&settings, "x@[192.0.2.1]");
        assert_eq!(literal, Ok(NextHop::Literal { address }));
        let only_sent_as = way(&settings, "bob@brand.example");
        assert!(matches!(only_sent_as, Ok(NextHop::Mx { .. })));
    }

    #[test]
    fn with_a_smart_host_everything_outside_goes_there_and_nothing_inside_does() {
        let mut settings = settings();
        settings.delivery.remote = RemoteMethod::SmartHost;
        assert!(way(&settings, "x@else.example").is_err());
        let host = smart_host();
        settings.delivery.smart_host = Some(host.clone());
        for path in ["x@else.example", "x@[192.0.2.1]"] {
            let host = host.clone();
            assert_eq!(way(&settings, path), Ok(NextHop::SmartHost { host }));
        }
        let inside = way(&settings, "bob@office.example");
        assert!(matches!(inside, Ok(NextHop::Mailboxes { .. })));
    }

    #[test]
    fn inner_servers_take_passed_domains_and_the_rest_of_split_ones() {
        let mut settings = settings();
        settings.domains.list[0].kind = DomainKind::Passed;
        let nowhere = way(&settings, "bob@office.example");
        assert!(matches!(nowhere, Err(Because::Unreachable { .. })));
        settings.delivery.inner.push(inner());
        for path in ["bob@office.example", "any@office.test", "postmaster"] {
            let server = inner();
            assert_eq!(way(&settings, path), Ok(NextHop::InnerServer { server }));
        }
        settings.domains.list[0].kind = DomainKind::Split;
        let listed = way(&settings, "bob@office.example");
        assert!(matches!(listed, Ok(NextHop::Mailboxes { .. })));
        let rest = way(&settings, "any@office.example");
        assert!(matches!(rest, Ok(NextHop::InnerServer { .. })));
    }

    #[test]
    fn inbound_and_outbound_routes_do_not_touch_each_other() {
        let mut one = settings();
        one.domains.list[0].kind = DomainKind::Passed;
        one.delivery.inner.push(inner());
        let mut other = one.clone();
        other.delivery.remote = RemoteMethod::SmartHost;
        other.delivery.smart_host = Some(smart_host());
        assert_eq!(
            way(&one, "a@office.example"),
            way(&other, "a@office.example")
        );
        let mut moved = one.clone();
        moved.delivery.inner[0].hosts[0].port = 2525;
        assert_eq!(way(&one, "x@else.example"), way(&moved, "x@else.example"));
    }

    #[test]
    fn the_reason_names_setting_and_next_hop() {
        let routed = route(
            &settings(),
            &directory(),
            &"x@else.example".parse().unwrap(),
        );
        assert_eq!(
            routed.map(|r| r.because.to_string()).as_deref(),
            Ok("It goes to the mail exchangers of else.example, by delivery.remote = direct.")
        );
    }
}
