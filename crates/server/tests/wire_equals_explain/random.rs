//! Random settings and random envelopes.

use std::collections::BTreeSet;

use mail::Domain;
use policy::facts::ServiceName;
use policy::settings::{
    AddressEntry, CatchAll, Device, DomainEntry, DomainKind, InnerHost, InnerServer, RelayEntry,
    SendAs, Settings, TlsMode, Who, starter,
};
use policy::{Direction, scenario};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What a case happens in.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) settings: Settings,
    pub(crate) free_bytes: u64,
    /// Connections that the peer has open before.
    pub(crate) already_open: u8,
}

/// One transaction.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Last octet of 127.0.0.x; 1 is internal, all others are strangers.
    pub(crate) peer: u8,
    pub(crate) service: ServiceName,
    pub(crate) user: Option<&'static str>,
    /// In mail syntax, `<>` for null.
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) header_from: Option<String>,
    pub(crate) size_bytes: Option<u64>,
}

const DIRECTIONS: [Direction; 4] = [
    Direction::LocalToLocal,
    Direction::LocalToOutside,
    Direction::OutsideToLocal,
    Direction::OutsideToOutside,
];

fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        Just(Who::Internal),
        Just(Who::SignedIn),
        Just(Who::Anyone),
        (1_u8..=4).prop_map(|last| Who::Host {
            address: [127, 0, 0, last].into()
        }),
    ]
}

/// Half of the time the table of the scenario.
fn relay() -> impl Strategy<Value = Option<Vec<RelayEntry>>> {
    let line = (who(), subsequence(&DIRECTIONS[..], 0..=4));
    let lines = prop::collection::vec(line, 0..4).prop_map(|lines| {
        let named = |(number, (who, allows)): (usize, _)| RelayEntry {
            name: format!("line {number}"),
            who,
            allows,
        };
        lines.into_iter().enumerate().map(named).collect()
    });
    prop::option::of(lines)
}

fn office() -> Settings {
    let mut settings = starter(domain("mail.office.test"));
    for name in ["bob", "alice"] {
        let user = name.parse().unwrap();
        settings = scenario::own_server(&settings, &domain("office.test"), &user, true);
    }
    for (name, kind) in [
        ("passed.test", DomainKind::Passed),
        ("split.test", DomainKind::Split),
        ("brand.test", DomainKind::SendingOnly),
    ] {
        settings.domains.list.push(DomainEntry {
            name: domain(name),
            kind,
            aliases: vec![domain(&format!("also-{name}"))],
        });
    }
    for name in ["passed.test", "split.test"] {
        settings.delivery.inner.push(InnerServer {
            domain: domain(name),
            hosts: vec![InnerHost {
                host: "[192.168.0.5]".parse().unwrap(),
                port: 25,
            }],
            tls: TlsMode::None,
        });
    }
    for (address, users) in [
        ("info@office.test", &["bob", "alice"][..]),
        ("gone@office.test", &["nobody"]),
        ("alice@split.test", &["alice"]),
    ] {
        settings.addresses.list.push(AddressEntry {
            address: address.parse().unwrap(),
            users: users.iter().map(|name| name.parse().unwrap()).collect(),
        });
    }
    settings
}

/// Ticks of the Security and Receiving tabs.
fn ticks() -> impl Strategy<Value = [bool; 9]> {
    any::<[bool; 9]>()
}

fn limits() -> impl Strategy<Value = (u32, u32, u64)> {
    (
        select(vec![1_u32, 2, 20]),
        select(vec![1_u32, 3, 1000]),
        select(vec![65_536_u64, 50 << 20]),
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    (relay(), ticks(), limits(), prop::option::of(3_u8..=4)).prop_map(
        |(relay, ticks, limits, device)| {
            let mut settings = office();
            if let Some(relay) = relay {
                settings.security.relay = relay;
            }
            let [
                held,
                resolve,
                numeric,
                null,
                spoofing,
                smtp,
                submission,
                catch_all,
                as_other,
            ] = ticks;
            settings.security.senders_held_to_own = held;
            settings.receiving.sender_domain_must_resolve = resolve;
            settings.receiving.numeric_domains_refused = numeric;
            settings.receiving.null_reverse_path_refused = null;
            settings.receiving.own_domain_spoofing_refused = spoofing;
            settings.services.smtp_open_to_internet = smtp;
            settings.services.submission_open_to_internet = submission;
            settings.services.submissions_open_to_internet = submission;
            if catch_all {
                settings.addresses.catch_all.push(CatchAll {
                    domain: domain("office.test"),
                    users: vec!["alice".parse().unwrap()],
                });
            }
            if as_other {
                settings.security.may_send_as.push(SendAs {
                    user: "bob".parse().unwrap(),
                    address: None,
                    domain: Some(domain("brand.test")),
                });
            }
            settings.security.devices.extend(device.map(|last| Device {
                name: "scanner".to_owned(),
                address: [127, 0, 0, last].into(),
                may_send_as: vec!["scanner@office.test".parse().unwrap()],
                bare_lf_allowed: false,
            }));
            let (per_source, per_minute, size) = limits;
            settings.receiving.connections_per_source_max = per_source;
            settings.receiving.messages_per_source_per_minute_max = per_minute;
            settings.receiving.message_bytes_max = size;
            settings
        },
    )
}

prop_compose! {
    pub(crate) fn surroundings()(
        settings in settings(),
        free_bytes in prop_oneof![1 => Just(1_u64 << 20), 9 => Just(1 << 40)],
        already_open in 0_u8..=2,
    ) -> Surroundings {
        Surroundings { settings, free_bytes, already_open }
    }
}

fn address() -> impl Strategy<Value = String> {
    let local = select(vec![
        "bob",
        "alice",
        "Info",
        "gone",
        "nobody",
        "postmaster",
        "bob+shop",
        "scanner",
        "fred",
        "fred%far.test",
    ]);
    let host = prop_oneof![
        3 => Just("office.test"),
        2 => select(vec!["passed.test", "split.test", "brand.test", "also-brand.test"]),
        2 => Just("far.test"),
        2 => select(vec!["unknown.test", "null.test", "broken.test", "[192.0.2.1]", "1.2.3.4",
            "[127.0.0.1]", "sub.office.test"]),
    ];
    (local, host).prop_map(|(local, host)| format!("{local}@{host}"))
}

prop_compose! {
    pub(crate) fn case()(
        peer in prop_oneof![2 => Just(1_u8), 3 => 2_u8..=4],
        service in select(vec![
            ServiceName::Smtp, ServiceName::Smtp, ServiceName::Submission, ServiceName::Submissions,
        ]),
        user in prop::option::of(select(vec!["bob", "alice"])),
        from in prop_oneof![1 => Just("<>".to_owned()), 6 => address()],
        to in prop::collection::vec(
            prop_oneof![1 => Just("postmaster".to_owned()), 9 => address()], 1..=3),
        header_from in prop::option::of(address()),
        size_bytes in prop::option::of(select(vec![600_u64, 70_000, 60 << 20])),
    ) -> Case {
        // Port 25 lets nobody from outside sign in, so there is no such wire to listen to.
        let user = user.filter(|_| service != ServiceName::Smtp || peer == 1);
        // A recipient that is named twice is one recipient, and has one line in the story.
        let to = to.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        Case { peer, service, user, from, to, header_from, size_bytes }
    }
}
