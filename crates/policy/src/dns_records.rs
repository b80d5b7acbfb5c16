//! The DNS records that a domain needs (S1.7): what to show and to check live.
//!
//! Promises: exact names and values; nothing here refuses mail, a zone may be local only.
//! Does not: DKIM, until messages are signed.
//! Standards: RFC 5321 §5.1, RFC 7208 §3, RFC 7489 §6.1.

use std::fmt;
use std::net::IpAddr;

use mail::Domain;
use serde::{Deserialize, Serialize};

use crate::settings::{DomainKind, RemoteMethod, Settings};

/// Type of a DNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// Mail exchanger.
    Mx,
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Text: SPF and DMARC.
    Txt,
    /// Name of an address.
    Ptr,
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mx => "MX",
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
        })
    }
}

/// One record that should be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRecord {
    /// Its owner name, without the final dot.
    pub name: String,
    /// Its type.
    pub kind: RecordKind,
    /// Its value as it is typed into a zone or a provider's form.
    pub value: String,
    /// What goes wrong without it, as a sentence.
    pub why: String,
}

/// How a wanted record compares with what DNS says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RecordState {
    /// It is there.
    Right,
    /// There is another one in its place.
    Different {
        /// What was found.
        found: Vec<String>,
    },
    /// There is none of its kind.
    Missing,
    /// DNS did not say.
    NotLearnt {
        /// What went wrong.
        failure: String,
    },
}

impl WantedRecord {
    /// Compares with the values that DNS has for its name and type.
    pub fn compare(&self, found: &[String]) -> RecordState {
        let first_word = |text: &str| text.split([' ', ';']).next().unwrap_or("").to_lowercase();
        let same_purpose: Vec<String> = match self.kind {
            // A name may have texts of many purposes; SPF and DMARC tell themselves apart.
            RecordKind::Txt => {
                let purpose = first_word(&self.value);
                found
                    .iter()
                    .filter(|text| first_word(text) == purpose)
                    .cloned()
                    .collect()
            }
            RecordKind::Mx | RecordKind::A | RecordKind::Aaaa | RecordKind::Ptr => found.to_vec(),
        };
        // The preference is the owner's own business: any number will do for one exchanger.
        let host = |value: &str| value.rsplit(' ').next().unwrap_or(value).to_lowercase();
        let right = same_purpose.iter().any(|value| match self.kind {
            RecordKind::Mx => host(value) == host(&self.value),
            RecordKind::A | RecordKind::Aaaa | RecordKind::Txt | RecordKind::Ptr => {
                value.eq_ignore_ascii_case(&self.value)
            }
        });
        if right {
            RecordState::Right
        } else if same_purpose.is_empty() {
            RecordState::Missing
        } else {
            RecordState::Different {
                found: same_purpose,
            }
        }
    }
}

/// The records that the settings call for; `public_addresses` are those the Internet reaches us by.
pub fn dns_wanted(settings: &Settings, public_addresses: &[IpAddr]) -> Vec<WantedRecord> {
    let host = &settings.machine.host_name;
    let mut wanted = of_host(host, public_addresses);
    for entry in &settings.domains.list {
        for domain in std::iter::once(&entry.name).chain(&entry.aliases) {
            of_domain(settings, domain, entry.kind, &mut wanted);
        }
    }
    wanted
}

fn record(name: &str, kind: RecordKind, value: String, why: &str) -> WantedRecord {
    WantedRecord {
        name: name.to_owned(),
        kind,
        value,
        why: why.to_owned(),
    }
}

fn of_host(host: &Domain, addresses: &[IpAddr]) -> Vec<WantedRecord> {
    let mut wanted = Vec::new();
    for address in addresses.iter().map(IpAddr::to_canonical) {
        let kind = if address.is_ipv4() {
            RecordKind::A
        } else {
            RecordKind::Aaaa
        };
        wanted.push(record(
            host.as_str(),
            kind,
            address.to_string(),
            "Other servers find this gateway by it.",
        ));
        wanted.push(record(
            &reverse_name(address),
            RecordKind::Ptr,
            format!("{host}."),
            "Many servers refuse mail from an address without a name; the Internet provider sets it.",
        ));
    }
    wanted
}

fn of_domain(
    settings: &Settings,
    domain: &Domain,
    kind: DomainKind,
    wanted: &mut Vec<WantedRecord>,
) {
    let host = &settings.machine.host_name;
    let arrives_here = match kind {
        DomainKind::Hosted | DomainKind::Passed | DomainKind::Split => true,
        DomainKind::SendingOnly => false,
    };
    if arrives_here {
        wanted.push(record(
            domain.as_str(),
            RecordKind::Mx,
            format!("10 {host}."),
            "Mail for the domain comes here by it.",
        ));
    }
    // Through a smart host the provider's SPF record must be included, which only it can name.
    if settings.delivery.remote == RemoteMethod::Direct && arrives_here {
        wanted.push(record(
            domain.as_str(),
            RecordKind::Txt,
            format!("v=spf1 mx a:{host} -all"),
            "Other servers see by it that this gateway may send for the domain.",
        ));
        wanted.push(record(
            &format!("_dmarc.{domain}"),
            RecordKind::Txt,
            format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}"),
            "Large providers ask for it, and report to postmaster who sends as the domain.",
        ));
    }
}

/// The name under in-addr.arpa or ip6.arpa.
fn reverse_name(address: IpAddr) -> String {
    match address {
        // RFC 1035 §3.5: octets in reverse order.
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        // RFC 3596 §2.5: nibbles in reverse order.
        IpAddr::V6(v6) => {
            let nibbles = (0..32).map(|n| (v6.to_bits() >> (4 * n)) & 15);
            let labels: Vec<String> = nibbles.map(|n| format!("{n:x}")).collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::settings;

    fn lines(settings: &Settings, addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        dns_wanted(settings, &addresses)
            .iter()
            .map(|r| format!("{} {} {}", r.name, r.kind, r.value))
            .collect()
    }

    #[test]
    fn a_hosted_domain_wants_mx_spf_and_dmarc_and_the_host_its_addresses() {
        let lines = lines(&settings(), &["203.0.113.2"]);
        assert_eq!(
            lines,
            [
                "mail.office.example A 203.0.113.2",
                "2.113.0.203.in-addr.arpa PTR mail.office.example.",
                "office.example MX 10 mail.office.example.",
                "office.example TXT v=spf1 mx a:mail.office.example -all",
                "_dmarc.office.example TXT v=DMARC1; p=none; rua=mailto:postmaster@office.example",
                "office.test MX 10 mail.office.example.",
                "office.test TXT v=spf1 mx a:mail.office.example -all",
                "_dmarc.office.test TXT v=DMARC1; p=none; rua=mailto:postmaster@office.test",
            ]
        );
    }

    #[test]
    fn a_domain_that_is_only_sent_as_keeps_its_own_records() {
        assert!(!lines(&settings(), &[]).iter().any(|l| l.contains("brand")));
    }

    #[test]
    fn ipv6_addresses_are_reversed_by_nibbles() {
        let lines = lines(&settings(), &["2001:db8::1"]);
        assert_eq!(lines[0], "mail.office.example AAAA 2001:db8::1");
        let name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(lines[1], format!("{name} PTR mail.office.example."));
    }

    #[test]
    fn an_exchanger_counts_whatever_its_preference_and_texts_of_other_purposes_do_not() {
        let wanted = |kind, value: &str| record("office.test", kind, value.to_owned(), "");
        let mx = wanted(RecordKind::Mx, "10 mail.office.test.");
        assert_eq!(
            mx.compare(&["5 MAIL.office.test.".to_owned()]),
            RecordState::Right
        );
        let other = vec!["10 mx.provider.test.".to_owned()];
        assert_eq!(
            mx.compare(&other),
            RecordState::Different {
                found: other.clone()
            }
        );
        assert_eq!(mx.compare(&[]), RecordState::Missing);
        let spf = wanted(RecordKind::Txt, "v=spf1 mx -all");
        assert_eq!(
            spf.compare(&["site-verification=1".to_owned()]),
            RecordState::Missing
        );
        assert_eq!(
            spf.compare(&["v=spf1 mx -all".to_owned()]),
            RecordState::Right
        );
    }
}
