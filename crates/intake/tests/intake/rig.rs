//! An office in scenario 1 with an intake and its stand-ins.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contracts::store::{Acceptance, SpooledContent};
use contracts::{Current, Event, Live, Story};
use intake::{Door, Intake, IntakeLimits, Parts, Ruling};
use mail::{Domain, MailParameters, Recipient, Timestamp};
use policy::facts::{ConnectionFacts, Directory, DomainStanding, ServiceName};
use policy::settings::{
    AddressEntry, DomainEntry, DomainKind, InnerHost, InnerServer, Settings, TlsMode,
};
use policy::{UserName, public};

use crate::stand_ins::{PausedClock, RecordingStore, TestCounters, TestResolver, TwoCards};

pub(crate) const LAN: &str = "192.168.1.20:40000";
pub(crate) const STRANGER: &str = "198.51.100.7:40000";
/// 2026-11-24T14:47:04Z.
pub(crate) const NOW: i64 = 1_795_531_624_000;

pub(crate) struct Rig {
    pub(crate) intake: Arc<Intake>,
    pub(crate) store: Arc<RecordingStore>,
    pub(crate) clock: Arc<PausedClock>,
    pub(crate) resolver: Arc<TestResolver>,
    pub(crate) queued: Arc<AtomicU64>,
    pub(crate) live: Arc<Live>,
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn settings() -> Settings {
    let domain = Domain::parse("office.test").unwrap();
    let host_name = Domain::parse("mail.office.test").unwrap();
    let fresh = policy::settings::starter(host_name);
    let mut settings = policy::scenario::own_server(&fresh, &domain, &user("bob"), true);
    settings.services.submission_open_to_internet = true;
    for (address, users) in [
        ("alice@office.test", &["alice"][..]),
        ("all@office.test", &["alice", "bob"]),
        ("ghost@office.test", &["nobody"]),
    ] {
        settings.addresses.list.push(AddressEntry {
            address: address.parse().unwrap(),
            users: users.iter().map(|name| user(name)).collect(),
        });
    }
    settings.domains.list.push(DomainEntry {
        name: Domain::parse("passed.test").unwrap(),
        kind: DomainKind::Passed,
        aliases: Vec::new(),
    });
    settings.domains.list.push(DomainEntry {
        name: Domain::parse("astray.test").unwrap(),
        kind: DomainKind::Passed,
        aliases: Vec::new(),
    });
    settings.delivery.inner.push(InnerServer {
        domain: Domain::parse("passed.test").unwrap(),
        hosts: vec![InnerHost {
            host: "[192.168.1.9]".parse().unwrap(),
            port: 25,
        }],
        tls: TlsMode::Opportunistic,
    });
    settings
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(settings(), IntakeLimits::default()).await
    }

    pub(crate) async fn with(settings: Settings, limits: IntakeLimits) -> Self {
        let store = Arc::new(RecordingStore::default());
        store.disk_free_bytes.store(1 << 40, Ordering::Relaxed);
        let clock = Arc::new(PausedClock::at(Timestamp::from_millis(NOW)));
        let resolver = Arc::new(TestResolver::default());
        for (name, standing) in [
            ("hotmail.test", DomainStanding::Exists),
            ("nowhere.test", DomainStanding::Unknown),
            ("null.test", DomainStanding::NullMx),
        ] {
            let mut standings = resolver.standings.lock().unwrap();
            standings.insert(name.to_owned(), standing);
        }
        let live = Live::new(Current {
            revision: 7,
            settings: Arc::new(settings),
            directory: Arc::new(Directory {
                enabled: ["bob", "alice"].into_iter().map(user).collect(),
                disabled: std::collections::BTreeSet::new(),
            }),
        });
        let queued = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&queued);
        let intake = Intake::open(Parts {
            store: Arc::clone(&store) as Arc<_>,
            clock: Arc::clone(&clock) as Arc<_>,
            resolver: Arc::clone(&resolver) as Arc<_>,
            counters: Arc::new(TestCounters::default()),
            interfaces: Arc::new(TwoCards),
            live: Arc::clone(&live),
            random: Box::new(|| 5),
            queued: Arc::new(move || {
                told.fetch_add(1, Ordering::Relaxed);
            }),
            limits,
        })
        .await
        .unwrap();
        Self {
            intake,
            store,
            clock,
            resolver,
            queued,
            live,
        }
    }

    pub(crate) fn connection(&self, peer: &str, service: ServiceName) -> ConnectionFacts {
        let peer: SocketAddr = peer.parse().unwrap();
        let internal = peer.ip().to_string().starts_with("192.168.1.");
        let local = if internal {
            "192.168.1.1:25"
        } else {
            "203.0.113.5:25"
        };
        self.intake
            .connection_facts(peer, local.parse().unwrap(), service)
    }

    /// A door at port 25 for `peer`, which has said EHLO.
    pub(crate) fn door(&self, peer: &str) -> Door {
        let mut door = self.intake.begin(self.connection(peer, ServiceName::Smtp));
        door.greeted(Some("client.test".to_owned()), true);
        door
    }

    /// The stories of transactions that left no message.
    pub(crate) async fn refusals(&self) -> Vec<Story> {
        self.intake.flush().await;
        self.store.refused.lock().unwrap().clone()
    }

    /// The one message that was accepted.
    pub(crate) fn the_message(&self) -> Acceptance {
        let mut accepted = self.store.accepted.lock().unwrap();
        assert_eq!(accepted.len(), 1);
        accepted.pop().unwrap()
    }
}

pub(crate) fn mail_from(path: &str) -> MailParameters {
    MailParameters::plain(path.parse().unwrap())
}

pub(crate) fn rcpt_to(path: &str) -> Recipient {
    Recipient::plain(path.parse().unwrap())
}

/// The whole of a message through a door; the first ruling that is no acceptance, or the last.
pub(crate) async fn send(door: &mut Door, from: &str, to: &[&str], content: &[u8]) -> Ruling {
    let ruling = door.mail(&mail_from(from)).await;
    if !ruling.decision.is_accept() {
        return ruling;
    }
    for path in to {
        let ruling = door.recipient(&rcpt_to(path)).await;
        if !ruling.decision.is_accept() {
            return ruling;
        }
    }
    let ruling = door.body();
    if !ruling.decision.is_accept() {
        return ruling;
    }
    door.write(content).await;
    door.finish().await
}

/// `550 5.1.1`
pub(crate) fn code(ruling: &Ruling) -> String {
    let said = public::reply(&ruling.decision);
    format!("{} {}", said.code, said.status())
}

/// What a reader of the first mailbox gets (`None`: the next hop).
pub(crate) fn as_read(message: &Acceptance, mailbox: Option<usize>) -> Vec<u8> {
    let SpooledContent::Memory(body) = &message.body.content else {
        panic!("the stand-in keeps bodies in memory");
    };
    let mut read = mailbox.map_or(Vec::new(), |no| message.deliveries[no].prefix.clone());
    read.extend_from_slice(&message.rendition.prefix);
    let mut at = 0;
    for cut in &message.rendition.cuts {
        read.extend_from_slice(&body[at..usize::try_from(cut.start).unwrap()]);
        at = usize::try_from(cut.end).unwrap();
    }
    read.extend_from_slice(&body[at..]);
    read
}

/// The kinds of the entries of a story, in order.
pub(crate) fn kinds(story: &Story) -> Vec<&'static str> {
    let kind = |event: &Event| match event {
        Event::SenderDecided { .. } => "sender",
        Event::RecipientDecided { .. } => "recipient",
        Event::MessageDecided { .. } => "message",
        Event::Aborted { .. } => "aborted",
        Event::Queued { .. } => "queued",
        Event::Ended { .. } => "ended",
        other => panic!("the intake does not tell of {other:?}"),
    };
    story.entries.iter().map(|e| kind(&e.event)).collect()
}
