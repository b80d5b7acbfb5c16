//! Services, each supervised by one small state machine (ADR 6).
//!
//! Promises: stopping closes the listener at once and lets sessions end politely; a service whose
//! port cannot be had is *failed*, says who holds it, is tried again, and takes nothing else down.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contracts::{Clock, ServiceReport, ServiceState, Services, ServicesError};
use mail::Timestamp;
use policy::facts::ServiceName;
use tokio::sync::watch;

use crate::privilege::Privilege;

/// How soon a failed service is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(15);
/// How long sessions may take to end.
const DRAIN_FOR: Duration = Duration::from_secs(30);

/// Something that runs between start and stop.
#[async_trait::async_trait]
pub(crate) trait Running: Send + Sync {
    /// Sessions under way.
    fn sessions(&self) -> u64;
    /// Takes nothing new from now on; the listener is closed when this returns.
    async fn close(&self);
    /// Lets what is under way end, at most for `limit`, then ends it.
    async fn drain(&self, limit: Duration);
}

/// Starts a service on listeners that are bound already; delivery gets none.
pub(crate) type Starter = Arc<
    dyn Fn(ServiceName, Vec<std::net::TcpListener>) -> Result<Arc<dyn Running>, String>
        + Send
        + Sync,
>;

/// Which ports services listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// 25, 587, 465, 110, 995 on every address.
    Standard,
    /// 2525, 5587, 5465, 1110, 1995 on every address.
    High,
    /// Five ports of 127.0.0.1, for the demonstration and for tests.
    Loopback {
        /// The first of them; 0: any that are free.
        first: u16,
    },
}

impl Ports {
    fn of(self, service: ServiceName) -> Option<Vec<SocketAddr>> {
        let port = match self {
            Self::Standard => service.port()?,
            Self::High => service.high_port()?,
            Self::Loopback { first } => {
                let port = service.port().and(loopback_port(first, service))?;
                return Some(vec![(Ipv4Addr::LOCALHOST, port).into()]);
            }
        };
        let any = [
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ];
        Some(
            any.into_iter()
                .map(|address| SocketAddr::new(address, port))
                .collect(),
        )
    }
}

fn loopback_port(first: u16, service: ServiceName) -> Option<u16> {
    if first == 0 {
        return Some(0);
    }
    let place = ServiceName::ALL.iter().position(|one| *one == service)?;
    first.checked_add(u16::try_from(place).ok()?)
}

struct Slot {
    wanted: bool,
    state: ServiceState,
    addresses: Vec<SocketAddr>,
    running: Option<Arc<dyn Running>>,
    last_error: Option<String>,
}

/// All services of this gateway.
pub(crate) struct Supervisor {
    slots: BTreeMap<ServiceName, Mutex<Slot>>,
    /// Counts every change of any slot, so that waiting needs no polling.
    changes: watch::Sender<u64>,
    ports: Ports,
    privilege: Arc<Privilege>,
    starter: Starter,
    clock: Arc<dyn Clock>,
}

impl Supervisor {
    /// Services that are all stopped; `run` brings up those that are wanted.
    pub(crate) fn new(
        ports: Ports,
        privilege: Arc<Privilege>,
        starter: Starter,
        clock: Arc<dyn Clock>,
        stopped: &[ServiceName],
    ) -> Arc<Self> {
        let slot = |service: ServiceName| {
            let slot = Slot {
                wanted: !stopped.contains(&service),
                state: ServiceState::Stopped,
                addresses: Vec::new(),
                running: None,
                last_error: None,
            };
            (service, Mutex::new(slot))
        };
        let (changes, _) = watch::channel(0);
        let slots = ServiceName::ALL.into_iter().map(slot).collect();
        Arc::new(Self {
            slots,
            changes,
            ports,
            privilege,
            starter,
            clock,
        })
    }

    /// Supervises until dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut tasks = tokio::task::JoinSet::new();
        for service in ServiceName::ALL {
            let supervisor = Arc::clone(&self);
            tasks.spawn(async move { supervisor.supervise(service).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Waits until every service runs, failed, or is not wanted.
    pub(crate) async fn settled(&self) {
        let mut changes = self.changes.subscribe();
        let waiting = |slot: &Slot| {
            slot.wanted && matches!(slot.state, ServiceState::Stopped | ServiceState::Starting)
        };
        while ServiceName::ALL
            .into_iter()
            .any(|service| self.slot(service).is_some_and(|slot| waiting(&slot)))
        {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Ends all services politely; none is started again.
    pub(crate) async fn drain_all(&self) {
        let mut draining = tokio::task::JoinSet::new();
        for service in ServiceName::ALL {
            let running = self.slot(service).and_then(|mut slot| {
                slot.wanted = false;
                slot.state = ServiceState::Draining;
                slot.running.clone()
            });
            if let Some(running) = running {
                draining.spawn(async move { running.drain(DRAIN_FOR).await });
            }
        }
        self.changes.send_modify(|count| *count += 1);
        while draining.join_next().await.is_some() {}
    }

    /// The addresses a service listens on now.
    pub(crate) fn addresses(&self, service: ServiceName) -> Vec<SocketAddr> {
        self.slot(service)
            .map(|slot| slot.addresses.clone())
            .unwrap_or_default()
    }

    /// Sees a new number after each change of any service.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn slot(&self, service: ServiceName) -> Option<MutexGuard<'_, Slot>> {
        self.slots
            .get(&service)
            .map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, service: ServiceName, edit: impl FnOnce(&mut Slot)) {
        if let Some(mut slot) = self.slot(service) {
            edit(&mut slot);
        }
        self.changes.send_modify(|count| *count += 1);
    }

    async fn supervise(&self, service: ServiceName) {
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let now = self.clock.now();
            match self.next_step(service, now) {
                Step::Start => self.start_now(service),
                Step::Drain(running) => {
                    running.close().await;
                    self.change(service, |slot| {
                        slot.state = ServiceState::Draining;
                        slot.addresses.clear();
                    });
                    running.drain(DRAIN_FOR).await;
                    self.change(service, |slot| {
                        slot.state = ServiceState::Stopped;
                        slot.running = None;
                    });
                }
                Step::WaitUntil(retry_at) => {
                    tokio::select! {
                        () = self.clock.sleep_until(retry_at) => {}
                        heard = changes.changed() => if heard.is_err() { return },
                    }
                }
                Step::Wait => {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn next_step(&self, service: ServiceName, now: Timestamp) -> Step {
        let Some(mut slot) = self.slot(service) else {
            return Step::Wait;
        };
        match (slot.wanted, &slot.state) {
            (true, ServiceState::Stopped) => {
                slot.state = ServiceState::Starting;
                Step::Start
            }
            (true, ServiceState::Failed { retry_at, .. }) if *retry_at <= now => Step::Start,
            (true, ServiceState::Failed { retry_at, .. }) => Step::WaitUntil(*retry_at),
            (false, ServiceState::Failed { .. }) => {
                slot.state = ServiceState::Stopped;
                Step::Wait
            }
            (false, ServiceState::Running) => slot.running.clone().map_or(Step::Wait, Step::Drain),
            _ => Step::Wait,
        }
    }

    fn start_now(&self, service: ServiceName) {
        let started = self.bind(service).and_then(|listeners| {
            let addresses = listeners
                .iter()
                .filter_map(|one| one.local_addr().ok())
                .collect();
            let running = (self.starter)(service, listeners)?;
            Ok((addresses, running))
        });
        let retry_at = self.clock.now().plus(RETRY_AFTER);
        self.change(service, |slot| match started {
            Ok((addresses, running)) => {
                tracing::info!(%service, ?addresses, "service runs");
                slot.state = ServiceState::Running;
                slot.addresses = addresses;
                slot.running = Some(running);
            }
            Err(why) => {
                tracing::warn!(%service, why, "service does not run; it is tried again");
                slot.last_error = Some(why.clone());
                slot.state = ServiceState::Failed { why, retry_at };
            }
        });
    }

    /// Listeners on every address of a service; a machine without IPv6 does with IPv4.
    fn bind(&self, service: ServiceName) -> Result<Vec<std::net::TcpListener>, String> {
        let Some(addresses) = self.ports.of(service) else {
            return Ok(Vec::new());
        };
        let mut listeners = Vec::new();
        for address in addresses {
            match self.privilege.listen(address) {
                Ok(listener) => listeners.push(listener),
                Err(_) if address.is_ipv6() && !has_ipv6() => {}
                Err(why) => return Err(why),
            }
        }
        Ok(listeners)
    }
}

fn has_ipv6() -> bool {
    std::path::Path::new("/proc/net/if_inet6").exists()
}

enum Step {
    Start,
    Drain(Arc<dyn Running>),
    WaitUntil(Timestamp),
    Wait,
}

#[async_trait::async_trait]
impl Services for Supervisor {
    fn list(&self) -> Vec<ServiceReport> {
        let report = |service: ServiceName| {
            let slot = self.slot(service)?;
            Some(ServiceReport {
                name: service,
                state: slot.state.clone(),
                addresses: slot.addresses.clone(),
                sessions: slot
                    .running
                    .as_ref()
                    .map_or(0, |running| running.sessions()),
                last_error: slot.last_error.clone(),
            })
        };
        ServiceName::ALL.into_iter().filter_map(report).collect()
    }

    async fn start(&self, service: ServiceName) -> Result<(), ServicesError> {
        let mut changes = self.changes.subscribe();
        self.change(service, |slot| {
            slot.wanted = true;
            // A person who asks now does not want to wait for the next try.
            if matches!(slot.state, ServiceState::Failed { .. }) {
                slot.state = ServiceState::Stopped;
            }
        });
        loop {
            changes.borrow_and_update();
            let state = self.slot(service).map(|slot| slot.state.clone());
            match state {
                Some(ServiceState::Running) | None => return Ok(()),
                Some(ServiceState::Failed { why, .. }) => {
                    return Err(ServicesError {
                        service,
                        failure: why,
                    });
                }
                Some(ServiceState::Stopped | ServiceState::Starting | ServiceState::Draining) => {}
            }
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    async fn stop(&self, service: ServiceName) -> Result<(), ServicesError> {
        let mut changes = self.changes.subscribe();
        self.change(service, |slot| slot.wanted = false);
        // The supervising task closes the listener; until then connections still come in.
        loop {
            changes.borrow_and_update();
            let open = self.slot(service).is_some_and(|slot| {
                matches!(slot.state, ServiceState::Running | ServiceState::Starting)
            });
            if !open || changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}
