//! A service that runs.
//!
//! Promises: `close` returns when nothing listens any more; `drain` returns when the last session
//! has ended, at the latest shortly after its deadline.

use std::io;
use std::net::{SocketAddr, TcpListener as BoundListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use policy::facts::ServiceName;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::accept::{Reception, accept};
use super::connection::begins_with_tls;
use crate::Shared;
use crate::drive::Phase;

/// How long sessions have for their last word once the deadline has passed.
const LAST_WORD: Duration = Duration::from_secs(3);

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be used.
    #[error("cannot listen: {0}")]
    Listener(#[from] io::Error),
    /// The service begins with TLS, and there is no certificate.
    #[error("{service} needs a certificate, and there is none")]
    NoCertificate {
        /// Which service.
        service: ServiceName,
    },
    /// The service listens nowhere by its nature.
    #[error("{service} takes no connections")]
    NotAListener {
        /// Which service.
        service: ServiceName,
    },
}

/// A service that runs; dropped, it closes its listeners and ends its sessions.
#[derive(Debug)]
pub struct Service {
    name: ServiceName,
    addresses: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    sessions: watch::Receiver<u64>,
    listeners: Mutex<Vec<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

impl Service {
    /// Serves the connections that come to `listeners`, on the present runtime.
    ///
    /// # Errors
    /// `StartError`; the listeners are closed then.
    pub fn start(
        name: ServiceName,
        listeners: Vec<BoundListener>,
        shared: Arc<Shared>,
    ) -> Result<Self, StartError> {
        if name.port().is_none() {
            return Err(StartError::NotAListener { service: name });
        }
        if begins_with_tls(name) && !shared.certificates.is_ready() {
            return Err(StartError::NoCertificate { service: name });
        }
        let mut addresses = Vec::new();
        let mut ready = Vec::new();
        for listener in listeners {
            listener.set_nonblocking(true)?;
            addresses.push(listener.local_addr()?);
            ready.push(TcpListener::from_std(listener)?);
        }
        let (phase, heard) = watch::channel(Phase::Open);
        let (counter, sessions) = watch::channel(0);
        let reception = Arc::new(Reception {
            name,
            phase: heard,
            sessions: counter,
            refusals: Arc::new(Semaphore::new(shared.limits.refusals_max)),
            shared: Arc::clone(&shared),
        });
        let listeners = ready
            .into_iter()
            .map(|listener| tokio::spawn(accept(listener, Arc::clone(&reception))))
            .collect();
        Ok(Self {
            name,
            addresses,
            phase,
            sessions,
            listeners: Mutex::new(listeners),
            shared,
        })
    }

    /// Which service.
    pub const fn name(&self) -> ServiceName {
        self.name
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Sessions under way.
    pub fn sessions(&self) -> u64 {
        *self.sessions.borrow()
    }

    /// Closes the listeners and tells the sessions: idle ones end with a word (421, -ERR), what
    /// is in flight is finished first. Returns when the ports are free again.
    pub async fn close(&self) {
        self.phase.send_if_modified(|phase| {
            let open = *phase == Phase::Open;
            if open {
                *phase = Phase::Draining;
            }
            open
        });
        let listeners = std::mem::take(
            &mut *self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for listener in listeners {
            // A listener that a bug ended is closed as well.
            let _ = listener.await;
        }
    }

    /// `close`, and then waits for the sessions, at most `patience`; those that are left hear 421
    /// or -ERR, and are cut off three seconds later.
    pub async fn drain(&self, patience: Duration) {
        self.close().await;
        for (next, wait) in [(Phase::Ended, patience), (Phase::Cut, LAST_WORD)] {
            if self.none_left_within(wait).await {
                return;
            }
            self.phase.send_replace(next);
        }
        self.none_left_within(LAST_WORD).await;
    }

    async fn none_left_within(&self, wait: Duration) -> bool {
        let clock = &self.shared.clock;
        let mut sessions = self.sessions.clone();
        tokio::select! {
            biased;
            _ = sessions.wait_for(|count| *count == 0) => true,
            () = clock.sleep_until(clock.now().plus(wait)) => false,
        }
    }
}
