//! The loop that every protocol shares.
//!
//! Promises: what the session says is done in its order; a service that stops is heard by every
//! connection, after the answer under way.

use std::io;
use std::sync::Arc;

use mail::Timestamp;
use policy::facts::TlsFacts;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::alarm::Alarm;
use super::wire::{Patience, Wire};

/// How a service goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves.
    Open,
    /// It finishes what is under way.
    Draining,
    /// Its sessions end now, with a word.
    Ended,
    /// What is left is cut off.
    Cut,
}

/// What a session hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Draining,
    Ended,
}

/// Why a session says nothing more for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It is the peer's turn.
    Listen,
    /// TLS is to start.
    StartTls,
    /// The connection is to end.
    Close,
}

/// A session together with whoever answers its questions.
pub(crate) trait Conversation: Send {
    fn handle_input(&mut self, now: Timestamp, octets: &[u8]);
    fn wants_input(&self) -> bool;
    fn poll_timeout(&self) -> Option<Timestamp>;
    fn handle_timeout(&mut self, now: Timestamp);
    fn notify(&mut self, now: Timestamp, notice: Notice);
    fn tls_started(&mut self, now: Timestamp, tls: TlsFacts);
    /// Writes what the session says and answers what it asks, until it pauses.
    fn speak<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        wire: &mut Wire<S>,
        patience: &Patience,
    ) -> impl Future<Output = io::Result<Pause>> + Send;
}

/// What surrounds a conversation.
pub(crate) struct Circumstances {
    pub(crate) patience: Patience,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// What the loop waits for.
enum Event {
    Input(io::Result<usize>),
    Deadline(Timestamp),
    Phase(Phase),
}

/// Talks until either side has had enough; the connection is closed then.
pub(crate) async fn drive<C: Conversation, S: AsyncRead + AsyncWrite + Unpin + Send>(
    wire: &mut Wire<S>,
    talk: &mut C,
    with: &mut Circumstances,
) -> io::Result<()> {
    let clock = Arc::clone(&with.patience.clock);
    let mut alarm = Alarm::new(Arc::clone(&clock));
    loop {
        match talk.speak(wire, &with.patience).await? {
            Pause::Close => {
                wire.close(&with.patience).await;
                return Ok(());
            }
            Pause::StartTls => {
                let tls = wire.secure(Arc::clone(&with.tls), &with.patience).await?;
                talk.tls_started(clock.now(), tls);
                continue;
            }
            Pause::Listen => {}
        }
        let deadline = talk.poll_timeout();
        let wanted = talk.wants_input();
        let event = tokio::select! {
            biased;
            octets = wire.read(|octets| talk.handle_input(clock.now(), octets)), if wanted => {
                Event::Input(octets)
            }
            changed = with.phase.changed() => Event::Phase(match changed {
                Ok(()) => *with.phase.borrow_and_update(),
                // Whoever ran the service has gone without a word.
                Err(_) => Phase::Ended,
            }),
            instant = alarm.reached(deadline) => Event::Deadline(instant),
        };
        match event {
            Event::Input(Ok(1..)) | Event::Phase(Phase::Open) => {}
            Event::Input(Ok(0)) => return Ok(()),
            Event::Input(Err(failed)) => return Err(failed),
            Event::Deadline(instant) => talk.handle_timeout(instant),
            Event::Phase(Phase::Draining) => talk.notify(clock.now(), Notice::Draining),
            Event::Phase(Phase::Ended | Phase::Cut) => talk.notify(clock.now(), Notice::Ended),
        }
    }
}
