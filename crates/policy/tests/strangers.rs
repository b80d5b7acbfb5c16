//! No table that `check` accepts lets a stranger send mail outside, and no network makes the
//! router internal.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mail::{MailParameters, Recipient, Timestamp};
use policy::facts::{
    ConnectionFacts, Directory, DomainStanding, FactQuery, FactValue, Interface, Interfaces,
    Learnt, LearntFacts, ServiceName, TransactionFacts, Verdict,
};
use policy::recipient::recipient;
use policy::route::{NextHop, route};
use policy::scenario::own_server;
use policy::sender::sender;
use policy::settings::{
    Device, DomainEntry, DomainKind, InnerHost, InnerServer, Network, RawSettings, RelayEntry,
    Settings, TlsMode, Who, check, starter,
};
use policy::trust::{is_private, standing};
use policy::{Direction, UserName};
use proptest::prelude::*;

const DIRECTIONS: [Direction; 4] = [
    Direction::LocalToLocal,
    Direction::LocalToOutside,
    Direction::OutsideToLocal,
    Direction::OutsideToOutside,
];

/// The machine has one card behind a router, or one at the Internet and one inside.
fn interfaces(two_cards: bool) -> Interfaces {
    let card = |name: &str, address: &str, prefix, hop: Option<&str>| Interface {
        name: name.to_owned(),
        addresses: vec![(address.parse().unwrap(), prefix)],
        default_next_hops: hop.map(|hop| hop.parse().unwrap()).into_iter().collect(),
        has_default_route: hop.is_some(),
    };
    let mut list = vec![card("lo", "127.0.0.1", 8, None)];
    if two_cards {
        list.push(card("wan", "203.0.113.2", 24, Some("203.0.113.1")));
        list.push(card("lan", "192.168.0.100", 24, None));
    } else {
        list.push(card("eth0", "192.168.0.100", 24, Some("192.168.0.1")));
    }
    Interfaces { list }
}

fn any_v4() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        (0_u8..=255).prop_map(|last| IpAddr::from([203, 0, 113, last])),
        (0_u8..=255).prop_map(|last| IpAddr::from([192, 168, 0, last])),
        (0_u8..=255).prop_map(|last| IpAddr::from([127, 0, 0, last])),
        Just(IpAddr::from([203, 0, 113, 1])),
        Just(IpAddr::from([192, 168, 0, 1])),
    ]
}

fn any_who() -> impl Strategy<Value = Who> {
    prop_oneof![
        1 => Just(Who::Internal),
        1 => Just(Who::SignedIn),
        3 => Just(Who::Anyone),
        1 => any_v4().prop_map(|address| Who::Host { address }),
        2 => (16_u8..=32).prop_map(|prefix| Who::Range {
            network: Network::new(IpAddr::from([192, 168, 0, 9]), prefix).unwrap(),
        }),
        1 => (any_v4(), 0_u8..=32).prop_map(|(address, prefix)| Who::Range {
            network: Network::new(address, prefix).unwrap(),
        }),
    ]
}

fn any_table() -> impl Strategy<Value = Vec<RelayEntry>> {
    let line = (
        any_who(),
        proptest::sample::subsequence(&DIRECTIONS[..], 0..=4),
    );
    // Most tables let mail in, else there would be little to see.
    let inward = proptest::bool::weighted(0.8)
        .prop_map(|wanted| wanted.then(|| (Who::Anyone, vec![Direction::OutsideToLocal])));
    (proptest::collection::vec(line, 0..4), inward).prop_map(|(lines, inward)| {
        (1..)
            .zip(lines.into_iter().chain(inward))
            .map(|(number, (who, allows))| RelayEntry {
                name: format!("line {number}"),
                who,
                allows,
            })
            .collect()
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let local = prop_oneof![
        Just("bob"),
        Just("nobody"),
        Just("postmaster"),
        Just("fred%out.example"),
        Just("out.example!fred"),
        Just("\"fred@out.example\""),
        Just("bob+fred"),
    ];
    let domain = prop_oneof![
        Just("office.example"),
        Just("inner.example"),
        Just("brand.example"),
        Just("out.example"),
        Just("[192.0.2.1]"),
        Just("[127.0.0.1]"),
        Just("sub.office.example"),
    ];
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

prop_compose! {
    fn any_settings()(
        table in any_table(),
        flags in any::<[bool; 5]>(),
        declared in proptest::option::of((any_v4(), 8_u8..=32)),
        device in proptest::option::of(any_v4()),
    ) -> Settings {
        let office = "office.example".parse().unwrap();
        let fresh = starter("mail.office.example".parse().unwrap());
        let mut settings = own_server(&fresh, &office, &"bob".parse().unwrap(), true);
        for (name, kind) in [
            ("inner.example", DomainKind::Passed),
            ("brand.example", DomainKind::SendingOnly),
        ] {
            settings.domains.list.push(DomainEntry {
                name: name.parse().unwrap(),
                kind,
                aliases: Vec::new(),
            });
        }
        settings.delivery.inner.push(InnerServer {
            domain: "inner.example".parse().unwrap(),
            hosts: vec![InnerHost { host: "[192.168.0.5]".parse().unwrap(), port: 25 }],
            tls: TlsMode::None,
        });
        settings.security.relay = table;
        settings.security.devices.extend(device.map(|address| Device {
            name: "device".to_owned(),
            address,
            may_send_as: Vec::new(),
            bare_lf_allowed: false,
        }));
        settings.security.internal_public = declared
            .and_then(|(address, prefix)| Network::new(address, prefix))
            .into_iter()
            .collect();
        let [held, resolve, numeric, null, spoofing] = flags;
        settings.security.senders_held_to_own = held;
        settings.receiving.sender_domain_must_resolve = resolve;
        settings.receiving.numeric_domains_refused = numeric;
        settings.receiving.null_reverse_path_refused = null;
        settings.receiving.own_domain_spoofing_refused = spoofing;
        settings
    }
}

fn directory() -> Directory {
    Directory {
        enabled: BTreeSet::from(["bob".parse::<UserName>().unwrap()]),
        disabled: BTreeSet::new(),
    }
}

/// Whatever is asked for, the answer is the one most in the stranger's favour.
fn decide<F>(mut ask: F) -> bool
where
    F: FnMut(&LearntFacts) -> Verdict<policy::Decision>,
{
    let mut facts = LearntFacts::new();
    loop {
        match ask(&facts) {
            Verdict::Decided(decision) => return decision.is_accept(),
            Verdict::Needs(missing) => {
                for query in missing {
                    let value = match query {
                        FactQuery::SenderDomain { .. } => FactValue::Domain {
                            standing: DomainStanding::Exists,
                        },
                        FactQuery::DiskFree => FactValue::Bytes { bytes: u64::MAX },
                        FactQuery::MessagesFromSource { .. } => FactValue::Count { count: 1 },
                    };
                    let at = Timestamp::from_millis(0);
                    facts.insert(query, Learnt { value, at });
                }
            }
        }
    }
}

fn connection(
    settings: &Settings,
    two_cards: bool,
    peer: IpAddr,
    service: ServiceName,
) -> ConnectionFacts {
    let local: SocketAddr = if two_cards {
        "203.0.113.2:25".parse().unwrap()
    } else {
        "192.168.0.100:25".parse().unwrap()
    };
    let net = interfaces(two_cards);
    ConnectionFacts {
        peer: SocketAddr::new(peer, 40_000),
        local,
        interface: None,
        service,
        standing: standing(&net, &settings.security, peer, local, None),
        tls: None,
        user: None,
        greeting_name: None,
    }
}

/// Whether somebody wrote this very address, or a range around it, into the settings.
fn is_named(settings: &Settings, peer: IpAddr) -> bool {
    let listed = settings.security.relay.iter().any(|line| match &line.who {
        Who::Host { address } => *address == peer,
        Who::Internal | Who::Range { .. } | Who::SignedIn | Who::Anyone => false,
    });
    let declared = settings.security.internal_public.iter();
    listed || declared.into_iter().any(|network| network.contains(peer))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_table_that_passes_lets_a_stranger_send_mail_outside(
        settings in any_settings(),
        two_cards in any::<bool>(),
        peer in any_v4(),
        from in proptest::option::of(any_path()),
        to in any_path(),
    ) {
        let Ok(checked) = check(&RawSettings::from(&settings), &BTreeSet::new()) else {
            return Ok(());
        };
        let settings = checked.settings;
        let known = is_private(peer) || peer.is_loopback() || is_named(&settings, peer);
        let peer = connection(&settings, two_cards, peer, ServiceName::Smtp);
        // A next hop stays a stranger even if somebody wrote its address down.
        if known && !peer.standing.speaks_for_others {
            return Ok(());
        }
        prop_assert!(!peer.standing.internal, "{}", peer.standing.fact);
        let reverse_path = from.unwrap_or_default().parse().unwrap();
        let mail = MailParameters::plain(reverse_path);
        let said_yes = decide(|facts| sender(&settings, &directory(), &peer, facts, &mail));
        if !said_yes {
            return Ok(());
        }
        let transaction = TransactionFacts { mail, recipients: Vec::new() };
        let towards = Recipient::plain(to.parse().unwrap());
        let accepted = decide(|facts| {
            recipient(&settings, &directory(), &peer, facts, &transaction, &towards)
        });
        if accepted {
            let routed = route(&settings, &directory(), &towards.path).map(|r| r.next_hop);
            let inside = matches!(
                routed,
                Ok(NextHop::Mailboxes { .. } | NextHop::InnerServer { .. })
            );
            prop_assert!(inside, "{to} went to {routed:?}");
            if matches!(routed, Ok(NextHop::InnerServer { .. })) {
                prop_assert!(!to.contains(['%', '!', '"']), "{to} reached the inner server");
            }
        }
    }

    #[test]
    fn settings_that_passed_read_back_equal(settings in any_settings()) {
        if let Ok(checked) = check(&RawSettings::from(&settings), &BTreeSet::new()) {
            let text = RawSettings::from(&checked.settings).to_toml();
            let again = check(&RawSettings::from_toml(&text).unwrap(), &BTreeSet::new());
            prop_assert_eq!(again.map(|c| c.settings), Ok(checked.settings));
        }
    }

    #[test]
    fn next_hops_own_addresses_and_public_strangers_are_never_internal(
        settings in any_settings(),
        two_cards in any::<bool>(),
        peer in any_v4(),
    ) {
        let net = interfaces(two_cards);
        for interface in &net.list {
            for hop in &interface.default_next_hops {
                let facts = connection(&settings, two_cards, *hop, ServiceName::Smtp);
                prop_assert!(!facts.standing.internal);
            }
            for (own, _) in interface.addresses.iter().filter(|(a, _)| !a.is_loopback()) {
                let facts = connection(&settings, two_cards, *own, ServiceName::Smtp);
                prop_assert!(!facts.standing.internal);
            }
        }
        let mapped = match peer {
            IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
            IpAddr::V6(_) => peer,
        };
        let one = connection(&settings, two_cards, peer, ServiceName::Smtp).standing;
        let other = connection(&settings, two_cards, mapped, ServiceName::Smtp).standing;
        prop_assert_eq!(&one, &other);
        if one.internal {
            let declared = settings.security.internal_public.iter().any(|n| n.contains(peer));
            prop_assert!(is_private(peer) || declared, "{}", one.fact);
        }
    }
}
