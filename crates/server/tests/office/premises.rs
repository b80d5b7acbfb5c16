//! An office for tests: scenario 1 over the in-memory store, with a network of loopback only.
//!
//! 127.0.0.1 is internal, 127.0.0.2 is a stranger (ADR 3).

use std::sync::Arc;
use std::time::Duration;

use contracts::stand_in::MemoryStore;
use contracts::store::AuditEntry;
use contracts::{
    Authenticator, Clock, Current, InterfaceSource, InterfacesError, Live, MxAnswer, MxHost,
    ResolveError, Resolver, Store, UserRecord,
};
use intake::{Intake, IntakeLimits, Parts};
use mail::{Domain, Timestamp};
use policy::facts::{Directory, DomainStanding, Interface, Interfaces};
use policy::settings::{Settings, starter};
use policy::{UserName, scenario};
use server::certificates::{AuthorityFolder, CertificateHolder, CertificateOrigin};
use server::sign_in::{SignIn, SignInLimits, Throttle, ThrottleLimits};
use server::{MessageCounters, Permits, ServerLimits, Shared};
use tempfile::TempDir;

pub(crate) const BOBS_PASSWORD: &str = "bobs secret";

/// The parts of a running office.
#[allow(
    dead_code,
    reason = "not all tests that share this file look at all parts"
)]
pub(crate) struct Premises {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: MemoryStore,
    pub(crate) live: Arc<Live>,
    pub(crate) sign_in: Arc<SignIn>,
    pub(crate) folder: TempDir,
}

/// What tests may choose.
pub(crate) struct Choices {
    pub(crate) settings: Settings,
    pub(crate) limits: ServerLimits,
    pub(crate) clock: Arc<dyn Clock>,
}

struct Loopback;

impl InterfaceSource for Loopback {
    fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
        Ok(Interfaces {
            list: vec![Interface {
                name: "lo".to_owned(),
                addresses: vec![
                    ([127, 0, 0, 1].into(), 8),
                    (std::net::Ipv6Addr::LOCALHOST.into(), 128),
                ],
                default_next_hops: Vec::new(),
                has_default_route: false,
            }],
        })
    }
}

struct EverybodyExists;

#[async_trait::async_trait]
impl Resolver for EverybodyExists {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        Ok(MxAnswer::Hosts(vec![MxHost {
            preference: 10,
            host: domain.clone(),
        }]))
    }

    async fn addresses(&self, _: &Domain) -> Result<Vec<std::net::IpAddr>, ResolveError> {
        Ok(vec![[127, 0, 0, 2].into()])
    }

    async fn domain_standing(&self, domain: &Domain) -> Result<DomainStanding, ResolveError> {
        // A task switch, as a real one takes.
        tokio::task::yield_now().await;
        assert!(!domain.as_str().starts_with("panic."), "as planned");
        Ok(DomainStanding::Exists)
    }
}

/// Time of the runtime, so that a paused one stands still.
#[derive(Debug)]
pub(crate) struct RuntimeClock(tokio::time::Instant);

impl RuntimeClock {
    #[allow(
        dead_code,
        reason = "only some of the tests that share this file pause time"
    )]
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }
}

#[async_trait::async_trait]
impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000).plus(self.0.elapsed())
    }

    async fn sleep_until(&self, instant: Timestamp) {
        tokio::time::sleep(instant.since(self.now())).await;
    }
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().expect("a user name")
}

pub(crate) fn office_settings(open_internet: bool) -> Settings {
    let host = Domain::parse("mail.office.test").expect("a domain");
    let domain = Domain::parse("office.test").expect("a domain");
    let mut settings = starter(host);
    for name in ["bob", "alice"] {
        settings = scenario::own_server(&settings, &domain, &user(name), open_internet);
    }
    settings
}

impl Premises {
    pub(crate) async fn build(choices: Choices) -> Self {
        let store = MemoryStore::new();
        let kept: Arc<dyn Store> = Arc::new(store.clone());
        let directory = Directory {
            enabled: [user("bob"), user("alice")].into(),
            ..Directory::default()
        };
        let live = Live::new(Current {
            revision: 1,
            settings: Arc::new(choices.settings),
            directory: Arc::new(directory),
        });
        let clock = choices.clock;
        let sign_in = SignIn::start(
            Arc::clone(&kept),
            Arc::clone(&live),
            Arc::clone(&clock),
            SignInLimits::default(),
        )
        .expect("threads");
        let intake = Intake::open(Parts {
            store: Arc::clone(&kept),
            clock: Arc::clone(&clock),
            resolver: Arc::new(EverybodyExists),
            counters: Arc::new(MessageCounters::new()),
            interfaces: Arc::new(Loopback),
            live: Arc::clone(&live),
            random: Box::new(|| 7),
            queued: Arc::new(|| ()),
            limits: IntakeLimits::default(),
        })
        .await
        .expect("a way in");
        let folder = tempfile::tempdir().expect("a folder");
        let shared = Arc::new(Shared {
            intake,
            store: kept,
            certificates: certificates(&folder, clock.now()),
            clock,
            live: Arc::clone(&live),
            authenticator: Arc::<SignIn>::clone(&sign_in),
            permits: Permits::new(),
            throttle: Arc::new(Throttle::new(ThrottleLimits::default())),
            limits: choices.limits,
        });
        Self {
            shared,
            store,
            live,
            sign_in,
            folder,
        }
    }

    /// Makes or changes a user; the password is `BOBS_PASSWORD`, SCRAM keys of few rounds.
    #[allow(
        dead_code,
        reason = "only some of the tests that share this file sign in"
    )]
    pub(crate) async fn put(&self, name: &str, enabled: bool, version: u64) {
        let password = self.sign_in.make_password(BOBS_PASSWORD).await;
        let record = UserRecord {
            name: user(name),
            full_name: String::new(),
            enabled,
            password: Some(password.expect("a record")),
            scram: None,
            app_passwords: Vec::new(),
            created_at: Timestamp::from_millis(0),
            version,
        };
        self.put_record(&record).await;
    }

    #[allow(
        dead_code,
        reason = "only some of the tests that share this file sign in"
    )]
    pub(crate) async fn put_record(&self, record: &UserRecord) {
        let audit = AuditEntry {
            at: Timestamp::from_millis(0),
            operator: "test".to_owned(),
            action: "user".to_owned(),
        };
        self.store.put_user(record, audit).await.expect("kept");
    }
}

fn certificates(folder: &TempDir, now: Timestamp) -> Arc<CertificateHolder> {
    let holder = CertificateHolder::new().expect("TLS");
    let origin = CertificateOrigin::LocalAuthority(AuthorityFolder {
        folder: folder.path().join("tls"),
        host_name: Domain::parse("mail.office.test").expect("a domain"),
        names: Vec::new(),
        addresses: vec![[127, 0, 0, 1].into()],
    });
    holder.load(&origin, now).expect("a certificate");
    holder
}

/// Limits with short waits, for tests over real sockets.
#[allow(
    dead_code,
    reason = "only some of the tests that share this file use sockets"
)]
pub(crate) fn patient_limits() -> ServerLimits {
    ServerLimits {
        handshake: Duration::from_secs(20),
        ..ServerLimits::default()
    }
}
