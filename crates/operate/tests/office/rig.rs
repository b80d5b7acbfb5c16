//! An office over stand-ins.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use contracts::stand_in::MemoryStore;
use contracts::{
    AuthenticateError, Authenticator, CertificateReport, Certificates, Clock, Counters, Current,
    InterfaceSource, InterfacesError, Live, MxAnswer, PasswordRecord, RecordSource, ResolveError,
    Resolver, ScramKeys, ServiceReport, Services, ServicesError, SignInRefused, SignedIn, Store,
};
use intake::{Intake, IntakeLimits, Parts};
use mail::{Domain, Timestamp};
use operate::{Answer, Office, OfficeParts, OperateError, Operator, Request, load};
use policy::facts::{Interfaces, ServiceName};
use policy::route::NextHop;
use policy::{RecordKind, UserName};

pub(crate) struct Rig {
    pub(crate) office: Arc<Office>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) live: Arc<Live>,
    pub(crate) outside: Arc<Outside>,
    clock: Arc<StepClock>,
}

impl Rig {
    /// Nothing is set up yet.
    pub(crate) async fn empty() -> Self {
        let store = Arc::new(MemoryStore::new());
        let outside = Arc::new(Outside::default());
        let clock = Arc::new(StepClock(AtomicU64::new(1_790_000_000_000)));
        let host_name = "mail.office.example".parse().unwrap();
        let live = Live::new(load(store.as_ref(), host_name).await.unwrap());
        let intake = Intake::open(Parts {
            store: store.clone(),
            clock: clock.clone(),
            resolver: outside.clone(),
            counters: outside.clone(),
            interfaces: outside.clone(),
            live: live.clone(),
            random: Box::new(|| 7),
            queued: Arc::new(|| {}),
            limits: IntakeLimits::default(),
        });
        let parts = OfficeParts {
            store: store.clone(),
            live: live.clone(),
            authenticator: outside.clone(),
            services: outside.clone(),
            certificates: outside.clone(),
            interfaces: outside.clone(),
            records: outside.clone(),
            intake: intake.await.unwrap(),
            clock: clock.clone(),
            wake_delivery: Arc::new(|| {}),
            started_at: None,
            version: "0.0.0",
        };
        Self {
            office: Arc::new(Office::new(parts)),
            store,
            live,
            outside,
            clock,
        }
    }

    /// Scenario 1 for office.example with bob.
    pub(crate) async fn set_up() -> Self {
        let rig = Self::empty().await;
        rig.ask(set_up("office.example", Some("open sesame")))
            .await
            .unwrap();
        rig
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Answer, OperateError> {
        self.clock.0.fetch_add(1000, Ordering::Relaxed);
        self.office.operate(&root(), request).await
    }

    pub(crate) async fn add_user(&self, name: &str) -> Result<Answer, OperateError> {
        self.ask(Request::UserAdd {
            name: user(name),
            full_name: String::new(),
            password: "open sesame".to_owned(),
        })
        .await
    }

    pub(crate) async fn give(&self, address: &str, users: &[&str]) -> Result<Answer, OperateError> {
        self.ask(Request::AddressAdd {
            address: address.parse().unwrap(),
            users: users.iter().map(|name| user(name)).collect(),
        })
        .await
    }

    /// What is in force is what the next start would read.
    pub(crate) async fn assert_live_is_what_is_stored(&self) {
        let stored = load(self.store.as_ref(), domain("never.example"))
            .await
            .unwrap();
        let live = self.live.current();
        let Current {
            revision,
            settings,
            directory,
        } = live.as_ref();
        assert_eq!(*revision, stored.revision);
        assert_eq!(settings, &stored.settings);
        assert_eq!(directory, &stored.directory);
    }

    pub(crate) async fn revision(&self) -> u64 {
        let latest = self.store.settings().await.unwrap();
        latest.map_or(0, |revision| revision.head.number)
    }

    /// Whether mail for this address comes to a mailbox here.
    pub(crate) fn reaches(&self, address: &str) -> bool {
        let current = self.live.current();
        let path = address.parse().unwrap();
        let routed = policy::route::route(&current.settings, &current.directory, &path);
        routed.is_ok_and(|routed| matches!(routed.next_hop, NextHop::Mailboxes { .. }))
    }
}

pub(crate) fn root() -> Operator {
    Operator {
        name: "root".to_owned(),
    }
}

pub(crate) fn set_up(name: &str, password: Option<&str>) -> Request {
    Request::SetUpOwnServer(operate::SetUpOwnServer {
        domain: domain(name),
        user: user("bob"),
        password: password.map(str::to_owned),
        host_name: None,
        open_to_internet: false,
    })
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

pub(crate) fn warnings(answer: &Answer) -> usize {
    if let Answer::Done { warnings, .. } | Answer::Changes { warnings, .. } = answer {
        warnings.len()
    } else {
        panic!("{answer:?}")
    }
}

/// Time that passes a second with every request.
struct StepClock(AtomicU64);

#[async_trait::async_trait]
impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        let millis = self.0.load(Ordering::Relaxed);
        Timestamp::from_millis(i64::try_from(millis).unwrap())
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

/// Everything outside of the store; remembers what it was told.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) services_fail: std::sync::atomic::AtomicBool,
}

impl Outside {
    fn hear(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }

    fn service(&self, verb: &str, service: ServiceName) -> Result<(), ServicesError> {
        self.hear(format!("{verb} {service}"));
        if self.services_fail.load(Ordering::Relaxed) {
            let failure = "port 25 is taken".to_owned();
            return Err(ServicesError { service, failure });
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Authenticator for Outside {
    async fn verify(
        &self,
        _: &str,
        _: &str,
    ) -> Result<Result<SignedIn, SignInRefused>, AuthenticateError> {
        Ok(Err(SignInRefused))
    }

    async fn scram_keys(&self, _: &str) -> Result<ScramKeys, AuthenticateError> {
        Err(AuthenticateError::Busy)
    }

    async fn make_password(&self, password: &str) -> Result<PasswordRecord, AuthenticateError> {
        tokio::task::yield_now().await;
        Ok(PasswordRecord(format!("hash of {password}")))
    }

    async fn make_scram_keys(&self, _: &str) -> Result<ScramKeys, AuthenticateError> {
        Ok(ScramKeys {
            salt: String::new(),
            rounds: 1,
            stored_key: String::new(),
            server_key: String::new(),
        })
    }

    fn make_app_password(&self) -> (String, String) {
        ("plain text".to_owned(), "sha256 of it".to_owned())
    }

    fn forget(&self, user: &UserName) {
        self.hear(format!("forget {user}"));
    }
}

#[async_trait::async_trait]
impl Services for Outside {
    fn list(&self) -> Vec<ServiceReport> {
        Vec::new()
    }

    async fn start(&self, service: ServiceName) -> Result<(), ServicesError> {
        self.service("start", service)
    }

    async fn stop(&self, service: ServiceName) -> Result<(), ServicesError> {
        self.service("stop", service)
    }
}

impl Certificates for Outside {
    fn report(&self) -> Option<CertificateReport> {
        None
    }
}

impl InterfaceSource for Outside {
    fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
        Ok(Interfaces::default())
    }
}

#[async_trait::async_trait]
impl Resolver for Outside {
    async fn mx(&self, _: &Domain) -> Result<MxAnswer, ResolveError> {
        Ok(MxAnswer::NoMx)
    }

    async fn addresses(&self, _: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        Ok(Vec::new())
    }
}

impl Counters for Outside {
    fn count_message(&self, _: IpAddr, _: Timestamp) -> u64 {
        1
    }

    fn messages_from(&self, _: IpAddr, _: Timestamp) -> u64 {
        1
    }
}

/// Knows the exchanger of office.example, and that its SPF record is another one.
#[async_trait::async_trait]
impl RecordSource for Outside {
    async fn values(&self, name: &Domain, kind: RecordKind) -> Result<Vec<String>, ResolveError> {
        Ok(match (name.as_str(), kind) {
            ("office.example", RecordKind::Mx) => vec!["5 mail.office.example.".to_owned()],
            ("office.example", RecordKind::Txt) => vec!["v=spf1 -all".to_owned()],
            _ => Vec::new(),
        })
    }
}
