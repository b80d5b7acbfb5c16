//! What stands between the supervisor and the rooms that do the work, and small adapters.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use contracts::InterfaceSource;
use delivery::{NoSecrets, Ourselves, Runner, SystemRandom, TcpDialer, Tls};
use nix::unistd::{Uid, User};
use policy::facts::ServiceName;
use server::certificates::CertificateHolder;
use server::sign_in::{Throttle, ThrottleLimits};
use server::{Permits, ServerLimits, Service, Shared};
use tokio::sync::watch;

use crate::gateway::Rooms;
use crate::supervisor::{Running, Starter, Supervisor};

/// The name of a system user, for the audit; its number where it has none.
pub(crate) fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("uid {uid}"),
    }
}

/// A random number for ids and jitter, which only spread load: 0 where the system has none.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[async_trait::async_trait]
impl Running for Service {
    fn sessions(&self) -> u64 {
        Service::sessions(self)
    }

    async fn close(&self) {
        Service::close(self).await;
    }

    async fn drain(&self, limit: Duration) {
        Service::drain(self, limit).await;
    }
}

/// How delivery is reached before it exists: intake is made first and tells of what it queued.
#[derive(Default)]
pub(crate) struct Wake {
    runner: OnceLock<Arc<Runner>>,
}

impl Wake {
    /// Something was queued.
    pub(crate) fn queued(&self) {
        if let Some(runner) = self.runner.get() {
            runner.wake();
        }
    }

    /// An operator wants the queue tried now, what was down included.
    pub(crate) fn retry(&self) {
        if let Some(runner) = self.runner.get() {
            runner.retry_now();
        }
    }
}

/// Delivery as a service: a runner that runs until told to stop.
struct Sending {
    runner: Arc<Runner>,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<bool>,
}

impl Sending {
    fn start(runner: Arc<Runner>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (ending, ended) = watch::channel(false);
        let running = Arc::clone(&runner);
        tokio::spawn(async move {
            running.run(stopping).await;
            ending.send_replace(true);
        });
        Self {
            runner,
            stop,
            ended,
        }
    }
}

#[async_trait::async_trait]
impl Running for Sending {
    fn sessions(&self) -> u64 {
        self.runner.sessions()
    }

    async fn close(&self) {
        self.stop.send_replace(true);
    }

    async fn drain(&self, _limit: Duration) {
        self.close().await;
        // The runner has a limit of its own for what is in flight.
        let mut ended = self.ended.clone();
        drop(ended.wait_for(|ended| *ended).await);
    }
}

/// What a gateway's services are started from.
pub(crate) struct Staff {
    shared: Arc<Shared>,
    runner: Arc<Runner>,
    ourselves: Arc<Ourselves>,
}

impl Staff {
    /// Gets everything ready that services share.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(
        rooms: &Rooms,
        certificates: &Arc<CertificateHolder>,
        wake: &Wake,
    ) -> anyhow::Result<Self> {
        let interfaces: Arc<dyn InterfaceSource> = rooms.interfaces.clone();
        let ourselves = Arc::new(Ourselves::new(Some(interfaces)));
        let runner = Runner::new(delivery::Parts {
            store: rooms.store.clone(),
            resolver: rooms.resolver.clone(),
            clock: Arc::clone(&rooms.clock),
            live: Arc::clone(&rooms.live),
            reports: rooms.intake.reports(),
            ids: rooms.intake.ids(),
            dialer: Arc::new(TcpDialer),
            tls: Tls::new(&[])?,
            secrets: Arc::new(NoSecrets),
            random: Arc::new(SystemRandom),
            ourselves: Arc::clone(&ourselves),
            limits: delivery::Limits::default(),
        });
        drop(wake.runner.set(Arc::clone(&runner)));
        let shared = Arc::new(Shared {
            intake: Arc::clone(&rooms.intake),
            store: rooms.store.clone(),
            clock: Arc::clone(&rooms.clock),
            live: Arc::clone(&rooms.live),
            authenticator: rooms.authenticator.clone(),
            certificates: Arc::clone(certificates),
            permits: Permits::new(),
            throttle: Arc::new(Throttle::new(ThrottleLimits::default())),
            limits: ServerLimits::default(),
        });
        Ok(Self {
            shared,
            runner,
            ourselves,
        })
    }

    /// How each service is started.
    pub(crate) fn starter(&self) -> Starter {
        let (shared, runner) = (Arc::clone(&self.shared), Arc::clone(&self.runner));
        Arc::new(
            move |service, listeners| -> Result<Arc<dyn Running>, String> {
                if service == ServiceName::Delivery {
                    return Ok(Arc::new(Sending::start(Arc::clone(&runner))));
                }
                match Service::start(service, listeners, Arc::clone(&shared)) {
                    Ok(running) => Ok(Arc::new(running)),
                    Err(error) => Err(error.to_string()),
                }
            },
        )
    }

    /// Keeps delivery told of our own listeners, by which it recognises loops.
    pub(crate) async fn tell_of_listeners(self, supervisor: Arc<Supervisor>) {
        let mut changes = supervisor.watch();
        loop {
            changes.borrow_and_update();
            let services = ServiceName::ALL.into_iter();
            let listeners = services.flat_map(|service| supervisor.addresses(service));
            self.ourselves.set(listeners.collect());
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
