//! The loop that takes connections from one listener.
//!
//! Promises: never spins: without descriptors it pauses; connections that are open go on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use policy::facts::ServiceName;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::connection::{Arrival, serve, turn_away};
use crate::Shared;
use crate::drive::Phase;

/// What the listeners of one service share.
pub(super) struct Reception {
    pub(super) name: ServiceName,
    pub(super) shared: Arc<Shared>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Sessions under way; each counts itself.
    pub(super) sessions: watch::Sender<u64>,
    /// Places for peers that are being turned away.
    pub(super) refusals: Arc<Semaphore>,
}

/// Counts one session until it is dropped.
struct Counted(watch::Sender<u64>);

impl Counted {
    fn new(sessions: &watch::Sender<u64>) -> Self {
        sessions.send_modify(|count| *count += 1);
        Self(sessions.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Accepts until the service stops.
pub(super) async fn accept(listener: TcpListener, reception: Arc<Reception>) {
    let mut phase = reception.phase.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            // Nobody left who could stop it means that it is stopped.
            _ = phase.wait_for(|phase| *phase != Phase::Open) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => reception.receive(stream, peer),
            Err(failed) if is_shortage(&failed) => {
                tracing::warn!(%failed, service = %reception.name, "cannot take connections");
                let clock = &reception.shared.clock;
                let pause = reception.shared.limits.accept_pause;
                tokio::select! {
                    biased;
                    _ = phase.wait_for(|phase| *phase != Phase::Open) => return,
                    () = clock.sleep_until(clock.now().plus(pause)) => {}
                }
            }
            // The peer has left before it was taken.
            Err(failed) => tracing::debug!(%failed, service = %reception.name, "not accepted"),
        }
    }
}

/// Whether the system lacks something that others may give back (F-FD).
fn is_shortage(failed: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(failed),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)
    )
}

impl Reception {
    fn receive(&self, stream: TcpStream, peer: SocketAddr) {
        // A connection that is gone already is found out by its first use.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let shared = &self.shared;
        let connection = shared.intake.connection_facts(peer, local, self.name);
        let permit = shared.permits.take(peer.ip());
        let (total, of_source) = (permit.others_total, permit.others_of_source);
        let decision = shared.intake.admit(&connection, total, of_source);
        if decision.is_accept() {
            let counted = Counted::new(&self.sessions);
            let arrival = Arrival {
                shared: Arc::clone(shared),
                connection,
                phase: self.phase.clone(),
                permit,
            };
            tokio::spawn(async move {
                serve(stream, arrival).await;
                drop(counted);
            });
            return;
        }
        tracing::debug!(%peer, service = %self.name, because = %decision.because, "turned away");
        if let Ok(place) = Arc::clone(&self.refusals).try_acquire_owned() {
            let away = turn_away(stream, Arc::clone(shared), self.name, decision);
            tokio::spawn(async move {
                away.await;
                drop(place);
            });
        }
    }
}
