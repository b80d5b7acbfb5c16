//! An office whose clock a test moves, with a pretend DNS and an in-memory store.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contracts::stand_in::MemoryStore;
use contracts::store::AuditEntry;
use contracts::{
    Authenticator as _, Clock, Current, InterfaceSource, InterfacesError, Live, MxAnswer,
    ResolveError, Resolver, Store, UserRecord,
};
use intake::{Intake, IntakeLimits, Parts};
use mail::{Domain, Timestamp};
use policy::facts::{Directory, DomainStanding, Interface, Interfaces, ServiceName};
use policy::settings::starter;
use server::certificates::{AuthorityFolder, CertificateHolder, CertificateOrigin};
use server::sign_in::{SignIn, SignInLimits, Throttle, ThrottleLimits};
use server::{MessageCounters, Permits, ServerLimits, Service, Shared};
use tempfile::TempDir;

use crate::client::Client;

pub(crate) const PASSWORD: &str = "one for both";

/// Stands still until a test moves it; pauses are real.
struct TestClock(AtomicI64);

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, instant: Timestamp) {
        tokio::time::sleep(instant.since(self.now())).await;
    }
}

struct Loopback;

impl InterfaceSource for Loopback {
    fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
        let loopback = Interface {
            name: "lo".to_owned(),
            addresses: vec![([127, 0, 0, 1].into(), 8)],
            default_next_hops: Vec::new(),
            has_default_route: false,
        };
        Ok(Interfaces {
            list: vec![loopback],
        })
    }
}

struct PretendDns;

#[async_trait::async_trait]
impl Resolver for PretendDns {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        Err(ResolveError::NoSuchDomain {
            name: domain.to_string(),
        })
    }

    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        Err(ResolveError::NoSuchDomain {
            name: host.to_string(),
        })
    }

    async fn domain_standing(&self, domain: &Domain) -> Result<DomainStanding, ResolveError> {
        tokio::task::yield_now().await;
        match domain.as_str() {
            "unknown.test" => Ok(DomainStanding::Unknown),
            "null.test" => Ok(DomainStanding::NullMx),
            "broken.test" => Err(ResolveError::NotLearnt {
                name: domain.to_string(),
                failure: "SERVFAIL".to_owned(),
            }),
            _ => Ok(DomainStanding::Exists),
        }
    }
}

pub(crate) struct Office {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: MemoryStore,
    clock: Arc<TestClock>,
    services: BTreeMap<ServiceName, Service>,
    folder: TempDir,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000)));
        let store = MemoryStore::new();
        let kept: Arc<dyn Store> = Arc::new(store.clone());
        let host_name = Domain::parse("mail.office.test").unwrap();
        let live = Live::new(Current {
            revision: 0,
            settings: Arc::new(starter(host_name.clone())),
            directory: Arc::new(Directory {
                enabled: ["bob", "alice"].map(|name| name.parse().unwrap()).into(),
                ..Directory::default()
            }),
        });
        let sign_in = SignIn::start(
            Arc::clone(&kept),
            Arc::clone(&live),
            Arc::clone(&clock) as Arc<dyn Clock>,
            SignInLimits::default(),
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shared = Arc::new(Shared {
            intake: intake(&kept, &clock, &live).await,
            store: kept,
            certificates: certificates(&folder, host_name, clock.now()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            live,
            authenticator: Arc::<SignIn>::clone(&sign_in),
            permits: Permits::new(),
            throttle: Arc::new(Throttle::new(ThrottleLimits::default())),
            limits: ServerLimits::default(),
        });
        let services = [
            ServiceName::Smtp,
            ServiceName::Submission,
            ServiceName::Submissions,
        ];
        let services = services.map(|name| (name, start(name, &shared)));
        let office = Self {
            shared,
            store,
            clock,
            services: services.into(),
            folder,
        };
        for name in ["bob", "alice"] {
            office.employ(name, &sign_in).await;
        }
        office
    }

    async fn employ(&self, name: &str, sign_in: &SignIn) {
        let record = UserRecord {
            name: name.parse().unwrap(),
            full_name: String::new(),
            enabled: true,
            password: Some(sign_in.make_password(PASSWORD).await.unwrap()),
            scram: None,
            app_passwords: Vec::new(),
            created_at: Timestamp::from_millis(0),
            version: 1,
        };
        let audit = AuditEntry {
            at: Timestamp::from_millis(0),
            operator: "test".to_owned(),
            action: "user".to_owned(),
        };
        self.store.put_user(&record, audit).await.unwrap();
    }

    /// Seven seconds later: some counts of the last minute are still there, some are not.
    pub(crate) fn next_minute_part(&self) {
        self.clock.0.fetch_add(7_000, Ordering::Relaxed);
    }

    pub(crate) fn address(&self, service: ServiceName) -> SocketAddr {
        *self.services[&service].addresses().first().unwrap()
    }

    pub(crate) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("tls/authority.pem")).unwrap()
    }

    /// Connections open in all, and those of a peer; only one peer has any at a time.
    pub(crate) fn open_now(&self, _peer: u8) -> (u64, u64) {
        let total = self.shared.permits.open_total();
        (total, total)
    }

    /// Connects so many times to port 25 and waits for each answer, whatever it is.
    pub(crate) async fn open_connections(&self, peer: u8, count: u8) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..count {
            let mut client = Client::from(peer, self.address(ServiceName::Smtp)).await;
            client.reply().await;
            clients.push(client);
        }
        clients
    }

    /// Waits until no connection is left.
    pub(crate) async fn all_gone(&self) {
        while self.shared.permits.open_total() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn start(name: ServiceName, shared: &Arc<Shared>) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Service::start(name, vec![listener], Arc::clone(shared)).unwrap()
}

async fn intake(store: &Arc<dyn Store>, clock: &Arc<TestClock>, live: &Arc<Live>) -> Arc<Intake> {
    Intake::open(Parts {
        store: Arc::clone(store),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        resolver: Arc::new(PretendDns),
        counters: Arc::new(MessageCounters::new()),
        interfaces: Arc::new(Loopback),
        live: Arc::clone(live),
        random: Box::new(|| 7),
        queued: Arc::new(|| ()),
        limits: IntakeLimits {
            // Every refusal has its story, so that it can be compared.
            refusals_per_source_per_minute_max: u32::MAX,
            refusals_batch_pause: Duration::from_millis(1),
            ..IntakeLimits::default()
        },
    })
    .await
    .unwrap()
}

fn certificates(folder: &TempDir, host_name: Domain, now: Timestamp) -> Arc<CertificateHolder> {
    let holder = CertificateHolder::new().unwrap();
    let origin = CertificateOrigin::LocalAuthority(AuthorityFolder {
        folder: folder.path().join("tls"),
        host_name,
        names: Vec::new(),
        addresses: vec![[127, 0, 0, 1].into()],
    });
    holder.load(&origin, now).unwrap();
    holder
}
