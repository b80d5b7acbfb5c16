//! The office that the tests of this room share; for tests only.

use std::net::{IpAddr, SocketAddr};

use mail::{Address, ForwardPath, MailParameters, Recipient, ReversePath, Timestamp};

use crate::facts::{
    ConnectionFacts, Directory, DomainStanding, FactQuery, FactValue, Learnt, LearntFacts,
    ServiceName, Standing, TransactionFacts, Verdict,
};
use crate::scenario::own_server;
use crate::settings::{AddressEntry, DomainEntry, DomainKind, Settings, starter};
use crate::{Decision, UserName};

pub(crate) const LAN: &str = "192.168.0.23";
pub(crate) const STRANGER: &str = "203.0.113.9";

/// Scenario 1 for office.example (alias office.test) with bob and alice, sales for both, and
/// brand.example only to send as.
pub(crate) fn settings() -> Settings {
    let domain = "office.example".parse().unwrap();
    let host = "mail.office.example".parse().unwrap();
    let mut settings = own_server(&starter(host), &domain, &user("bob"), true);
    settings.domains.list[0]
        .aliases
        .push("office.test".parse().unwrap());
    settings.domains.list.push(DomainEntry {
        name: "brand.example".parse().unwrap(),
        kind: DomainKind::SendingOnly,
        aliases: Vec::new(),
    });
    for (name, users) in [
        ("alice@office.example", &["alice"][..]),
        ("sales@office.example", &["bob", "alice"]),
        ("old@office.example", &["carol", "nobody"]),
        ("bob@brand.example", &["bob"]),
    ] {
        settings.addresses.list.push(AddressEntry {
            address: address(name),
            users: users.iter().map(|name| user(name)).collect(),
        });
    }
    settings
}

/// Bob and alice are here, carol is disabled.
pub(crate) fn directory() -> Directory {
    Directory {
        enabled: [user("bob"), user("alice")].into(),
        disabled: [user("carol")].into(),
    }
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A connection to port 25; whether it is internal follows from the address.
pub(crate) fn connection(peer: &str) -> ConnectionFacts {
    let peer: IpAddr = peer.parse().unwrap();
    ConnectionFacts {
        peer: SocketAddr::new(peer, 40_000),
        local: "192.168.0.100:25".parse().unwrap(),
        interface: Some("eth0".to_owned()),
        service: ServiceName::Smtp,
        standing: Standing {
            internal: crate::trust::is_private(peer),
            fact: format!("{peer} is where it is"),
            speaks_for_others: false,
        },
        tls: None,
        user: None,
        greeting_name: None,
    }
}

/// A connection to submission, signed in, from outside.
pub(crate) fn signed_in(name: &str) -> ConnectionFacts {
    ConnectionFacts {
        service: ServiceName::Submissions,
        user: Some(user(name)),
        ..connection(STRANGER)
    }
}

/// Plenty of disk, a low rate, and every domain that is named exists.
pub(crate) fn learnt(source: &str, domains: &[&str]) -> LearntFacts {
    let at = Timestamp::from_millis(1_790_000_000_000);
    let domains = domains.iter().map(|domain| {
        let query = FactQuery::SenderDomain {
            domain: domain.parse().unwrap(),
        };
        let standing = DomainStanding::Exists;
        (query, FactValue::Domain { standing })
    });
    let source = source.parse().unwrap();
    [
        (FactQuery::DiskFree, FactValue::Bytes { bytes: 1 << 40 }),
        (
            FactQuery::MessagesFromSource { source },
            FactValue::Count { count: 1 },
        ),
    ]
    .into_iter()
    .chain(domains)
    .map(|(query, value)| (query, Learnt { value, at }))
    .collect()
}

pub(crate) fn from(text: &str) -> MailParameters {
    MailParameters::plain(text.parse::<ReversePath>().unwrap())
}

pub(crate) fn transaction(sender: &str) -> TransactionFacts {
    TransactionFacts {
        mail: from(sender),
        recipients: Vec::new(),
    }
}

pub(crate) fn to(text: &str) -> Recipient {
    Recipient::plain(text.parse::<ForwardPath>().unwrap())
}

/// The decision, where no fact was missing.
pub(crate) fn decided(verdict: Verdict<Decision>) -> Decision {
    match verdict {
        Verdict::Decided(decision) => decision,
        Verdict::Needs(facts) => panic!("facts are missing: {facts:?}"),
    }
}

/// The reply code and enhanced code of the decision.
pub(crate) fn code(decision: &Decision) -> String {
    let reply = crate::public::reply(decision);
    format!("{} {}", reply.code, reply.status())
}
