//! Values that are written as short texts: amounts of octets, hosts with ports, DNS servers.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use mail::{Domain, DomainSyntax, MailHost};

use crate::settings::InnerHost;

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads `50 MiB`, or a plain number of octets.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    for (unit, size) in UNITS {
        if let Some(number) = text.strip_suffix(unit) {
            return number.trim().parse::<u64>().ok()?.checked_mul(size);
        }
    }
    text.strip_suffix('B').unwrap_or(text).trim().parse().ok()
}

/// Writes octets in the largest unit that divides them.
pub(crate) fn bytes_in_words(bytes: u64) -> String {
    for (unit, size) in UNITS {
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{} {unit}", bytes / size);
        }
    }
    bytes.to_string()
}

/// The text with a capital in front and a full stop behind.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

/// A host as people write it: a name, an IP address, or an address literal of RFC 5321.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host(pub(super) MailHost);

/// The text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a name such as mail.example.net or an IP address such as 192.168.0.5")]
pub(super) struct HostSyntax;

impl FromStr for Host {
    type Err = HostSyntax;

    fn from_str(text: &str) -> Result<Self, HostSyntax> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(MailHost::Address(address.to_canonical())));
        }
        match MailHost::parse(text) {
            Ok(MailHost::Domain(domain)) if domain.is_numeric() => Err(HostSyntax),
            Ok(host) => Ok(Self(host)),
            Err(DomainSyntax::Empty | DomainSyntax::TooLong | DomainSyntax::BadLabel) => {
                Err(HostSyntax)
            }
        }
    }
}

/// The host as people write it.
pub(super) fn host(host: &MailHost) -> String {
    match host {
        MailHost::Domain(domain) => domain.to_string(),
        MailHost::Address(address) => address.to_string(),
    }
}

/// A host with a port, 25 if none is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostAndPort(pub(super) InnerHost);

/// The text is no host with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a host and, if it is not 25, a port, such as 192.168.0.5:2525 or [fd00::5]:2525")]
pub(super) struct HostAndPortSyntax;

impl FromStr for HostAndPort {
    type Err = HostAndPortSyntax;

    fn from_str(text: &str) -> Result<Self, HostAndPortSyntax> {
        if let Ok(Host(host)) = text.parse() {
            return Ok(Self(InnerHost { host, port: 25 }));
        }
        let (host, port) = text.rsplit_once(':').ok_or(HostAndPortSyntax)?;
        let Host(host) = host.parse().map_err(|_| HostAndPortSyntax)?;
        match port.parse() {
            Ok(port) if port != 0 => Ok(Self(InnerHost { host, port })),
            Ok(_) | Err(_) => Err(HostAndPortSyntax),
        }
    }
}

/// The host with its port, as `HostAndPort` reads it.
pub(super) fn host_and_port(inner: &InnerHost) -> String {
    match &inner.host {
        MailHost::Address(address) => SocketAddr::new(*address, inner.port).to_string(),
        MailHost::Domain(domain) => format!("{domain}:{}", inner.port),
    }
}

/// A DNS server, port 53 if none is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DnsServer(pub(super) SocketAddr);

/// The text is no DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an IP address such as 192.0.2.53, and a port if it is not 53")]
pub(super) struct DnsServerSyntax;

impl FromStr for DnsServer {
    type Err = DnsServerSyntax;

    fn from_str(text: &str) -> Result<Self, DnsServerSyntax> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(SocketAddr::new(address, 53)));
        }
        match text.parse::<SocketAddr>() {
            Ok(server) if server.port() != 0 => Ok(Self(server)),
            Ok(_) | Err(_) => Err(DnsServerSyntax),
        }
    }
}

/// Whether the name itself is one under which others register theirs, by the public suffix list;
/// the second value tells registries (`co.uk`) from hosting companies (`github.io`).
pub(super) fn public_suffix(domain: &Domain) -> Option<bool> {
    let suffix = psl::suffix(domain.as_str().as_bytes())?;
    let is_suffix = suffix.is_known() && suffix.as_bytes() == domain.as_str().as_bytes();
    is_suffix.then(|| suffix.typ() == Some(psl::Type::Icann))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_read_in_units_and_written_back() {
        for (written, octets) in [("50 MiB", 50 << 20), ("1GiB", 1 << 30), ("64 KiB", 65_536)] {
            assert_eq!(bytes(written), Some(octets));
            assert_eq!(bytes(&bytes_in_words(octets)), Some(octets));
        }
        assert_eq!(bytes("1500"), Some(1500));
        assert_eq!(bytes("1500 B"), Some(1500));
        assert_eq!(bytes_in_words(1500), "1500");
        assert_eq!(bytes_in_words(0), "0");
        for wrong in ["", "MiB", "-1", "1.5 MiB", "99999999999 GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hosts_and_ports_round_trip() {
        for written in ["192.168.0.5:25", "[fd00::5]:2525", "mail.lan:26"] {
            let HostAndPort(inner) = written.parse().unwrap();
            assert_eq!(host_and_port(&inner), written);
        }
        let HostAndPort(inner) = "fd00::5".parse().unwrap();
        assert_eq!(inner.port, 25);
        for wrong in ["", "a b", "mail.lan:0", "mail.lan:70000", "300.1.1.1"] {
            assert!(wrong.parse::<HostAndPort>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn registries_are_public_suffixes_and_private_names_are_not() {
        let suffix = |name: &str| public_suffix(&name.parse().unwrap());
        assert_eq!(suffix("co.uk"), Some(true));
        assert_eq!(suffix("com"), Some(true));
        assert_eq!(suffix("github.io"), Some(false));
        for fine in [
            "office.test",
            "office.example",
            "office.local",
            "lan",
            "example.co.uk",
        ] {
            assert_eq!(suffix(fine), None, "{fine}");
        }
    }
}
