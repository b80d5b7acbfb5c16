//! The wiring of one gateway: rooms are opened in order, handed their contracts, and closed again.
//!
//! Promises: nothing listens before everything it needs is open; shutting down ends sessions
//! politely and leaves nothing half done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use contracts::{Authenticator, Certificates, Clock, InterfaceSource, Live, Services, Store};
use dns::HickoryResolver;
use intake::{Intake, IntakeLimits};
use mail::{Domain, Timestamp};
use network::SystemInterfaces;
use operate::{Office, OfficeParts};
use policy::settings::CertificateSource;
use server::MessageCounters;
use server::certificates::{AuthorityFolder, CertificateHolder, CertificateOrigin};
use server::sign_in::{SignIn, SignInLimits};
use store::sqlite::SqliteStore;
use tokio::task::JoinSet;

use crate::privilege::Privilege;
use crate::services::{self, Staff, Wake};
use crate::supervisor::{Ports, Supervisor};

/// How often history is trimmed and the certificate looked at.
const HOUSEKEEPING_EVERY: Duration = Duration::from_hours(1);

/// What is open whether or not the gateway runs.
pub(crate) struct Rooms {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) live: Arc<Live>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resolver: Arc<HickoryResolver>,
    pub(crate) interfaces: Arc<SystemInterfaces>,
    pub(crate) authenticator: Arc<SignIn>,
    pub(crate) intake: Arc<Intake>,
    wake: Arc<Wake>,
}

impl Rooms {
    /// Opens the data folder, under its lock. `wake` is called when something is queued.
    pub(crate) async fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        wake: Arc<Wake>,
    ) -> anyhow::Result<Self> {
        let store = SqliteStore::open(store::sqlite::Options::new(folder))?;
        let contract: Arc<dyn Store> = store.clone();
        let live = Live::new(operate::load(contract.as_ref(), host_name()).await?);
        let servers = live.current().settings.machine.dns_servers.clone();
        let resolver = Arc::new(HickoryResolver::new(&servers)?);
        let interfaces = Arc::new(SystemInterfaces::new(Arc::clone(&clock)));
        let authenticator = SignIn::start(
            Arc::clone(&contract),
            Arc::clone(&live),
            Arc::clone(&clock),
            SignInLimits::default(),
        )?;
        let intake = Intake::open(intake::Parts {
            store: contract,
            clock: Arc::clone(&clock),
            resolver: resolver.clone(),
            counters: Arc::new(MessageCounters::new()),
            interfaces: interfaces.clone(),
            live: Arc::clone(&live),
            random: Box::new(services::random),
            queued: {
                let wake = Arc::clone(&wake);
                Arc::new(move || wake.queued())
            },
            limits: IntakeLimits::default(),
        })
        .await?;
        Ok(Self {
            store,
            live,
            clock,
            resolver,
            interfaces,
            authenticator,
            intake,
            wake,
        })
    }

    /// The office of these rooms.
    pub(crate) fn office(
        &self,
        services: Arc<dyn Services>,
        certificates: Arc<dyn Certificates>,
        started_at: Option<Timestamp>,
    ) -> Office {
        let authenticator: Arc<dyn Authenticator> = self.authenticator.clone();
        let interfaces: Arc<dyn InterfaceSource> = self.interfaces.clone();
        Office::new(OfficeParts {
            store: self.store.clone(),
            live: Arc::clone(&self.live),
            authenticator,
            services,
            certificates,
            interfaces,
            records: self.resolver.clone(),
            intake: Arc::clone(&self.intake),
            clock: Arc::clone(&self.clock),
            wake_delivery: {
                let wake = Arc::clone(&self.wake);
                Arc::new(move || wake.retry())
            },
            started_at,
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Writes what waits and closes the folder.
    pub(crate) async fn close(&self) {
        self.intake.flush().await;
        self.store.close().await;
    }
}

/// The machine's own name, or `localhost` where it has none that mail could use.
fn host_name() -> Domain {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let fallback = || Domain::parse("localhost");
    match Domain::parse(&name).or_else(|_| fallback()) {
        Ok(domain) => domain,
        // `localhost` is a domain name; were it not, no gateway could be named at all.
        Err(_) => unreachable!("localhost is a domain name"),
    }
}

/// A gateway that runs.
pub(crate) struct Gateway {
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) office: Arc<Office>,
    rooms: Arc<Rooms>,
    keys: Keys,
    tasks: JoinSet<()>,
}

/// The server certificate, and where it comes from.
#[derive(Clone)]
struct Keys {
    holder: Arc<CertificateHolder>,
    folder: PathBuf,
    privilege: Arc<Privilege>,
    rooms: Arc<Rooms>,
}

impl Gateway {
    /// Opens everything and brings the services up.
    pub(crate) async fn start(
        folder: &Path,
        ports: Ports,
        privilege: Arc<Privilege>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let wake = Arc::new(Wake::default());
        let rooms = Rooms::open(folder, Arc::clone(&clock), Arc::clone(&wake)).await?;
        let rooms = Arc::new(rooms);
        let keys = Keys {
            holder: CertificateHolder::new()?,
            folder: folder.join("tls"),
            privilege: Arc::clone(&privilege),
            rooms: Arc::clone(&rooms),
        };
        keys.load();
        let stopped = rooms.store.stopped_services().await?;
        let staff = Staff::new(&rooms, &keys.holder, &wake)?;
        let supervisor = Supervisor::new(
            ports,
            privilege,
            staff.starter(),
            Arc::clone(&clock),
            &stopped,
        );
        let started_at = Some(clock.now());
        let office = rooms.office(supervisor.clone(), keys.holder.clone(), started_at);
        let office = Arc::new(office);
        // Before any port is open: who sees one answer may ask for more at once.
        let socket = operate::control::bind(folder).context("cannot open the operator's socket")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&supervisor).run());
        tasks.spawn(staff.tell_of_listeners(Arc::clone(&supervisor)));
        let name_of: Arc<dyn Fn(u32) -> String + Send + Sync> = Arc::new(services::user_name);
        tasks.spawn(operate::control::serve(
            socket,
            Arc::clone(&office),
            name_of,
        ));
        tasks.spawn(follow_settings(keys.clone()));
        tasks.spawn(keep_house(keys.clone()));
        Ok(Self {
            supervisor,
            office,
            rooms,
            keys,
            tasks,
        })
    }

    /// Reads the certificate anew (SIGHUP).
    pub(crate) fn reload(&self) {
        self.keys.load();
    }

    /// Ends sessions politely, then everything else.
    pub(crate) async fn shut_down(mut self) {
        self.supervisor.drain_all().await;
        self.tasks.shutdown().await;
        self.rooms.close().await;
    }
}

impl Keys {
    fn load(&self) {
        // `report` shows what went wrong, and `status` asks for it; the old one stays in use.
        if let Err(error) = self.holder.load(&self.origin(), self.rooms.clock.now()) {
            tracing::error!(%error, "the certificate could not be loaded");
        }
    }

    fn origin(&self) -> CertificateOrigin {
        let current = self.rooms.live.current();
        let machine = &current.settings.machine;
        match &machine.certificate {
            CertificateSource::Files { chain, key } => match (self.read(chain), self.read(key)) {
                (Ok(chain), Ok(key)) => CertificateOrigin::Pem { chain, key },
                (Err(why), _) | (_, Err(why)) => {
                    tracing::error!(why, "a certificate file cannot be read");
                    // Tried once more without privilege, so that the report names the file.
                    CertificateOrigin::Files {
                        chain: chain.clone(),
                        key: key.clone(),
                    }
                }
            },
            CertificateSource::LocalAuthority => {
                let found = self.rooms.interfaces.interfaces();
                let list = found.map(|found| found.list).unwrap_or_default();
                let addresses = list.into_iter().flat_map(|interface| interface.addresses);
                let domains = current.settings.domains.list.iter();
                CertificateOrigin::LocalAuthority(AuthorityFolder {
                    folder: self.folder.clone(),
                    host_name: machine.host_name.clone(),
                    names: domains.map(|entry| entry.name.clone()).collect(),
                    addresses: addresses.map(|(address, _)| address).collect(),
                })
            }
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let mut file = self.privilege.open_pem(path)?;
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut text)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text)
    }
}

/// Tells the parts that hold settings of their own about each new revision.
async fn follow_settings(keys: Keys) {
    let mut changes = keys.rooms.live.watch();
    let mut servers = keys
        .rooms
        .live
        .current()
        .settings
        .machine
        .dns_servers
        .clone();
    while changes.changed().await.is_ok() {
        let wanted = keys
            .rooms
            .live
            .current()
            .settings
            .machine
            .dns_servers
            .clone();
        if wanted != servers {
            match keys.rooms.resolver.reconfigure(&wanted) {
                Ok(()) => servers = wanted,
                Err(error) => tracing::error!(%error, "the DNS servers before stay in use"),
            }
        }
        keys.load();
    }
}

/// Trims the history and renews the certificate, now and then every hour.
async fn keep_house(keys: Keys) {
    loop {
        let now = keys.rooms.clock.now();
        let history = keys.rooms.live.current().settings.machine.history;
        let oldest = now.minus(Duration::from_hours(24) * history.days);
        let trimmed = keys.rooms.store.trim_history(
            oldest,
            history.size_bytes_max,
            history.refusals_bytes_max,
        );
        if let Err(error) = trimmed.await {
            tracing::warn!(%error, "the history could not be trimmed");
        }
        keys.rooms
            .clock
            .sleep_until(now.plus(HOUSEKEEPING_EVERY))
            .await;
        keys.load();
    }
}
