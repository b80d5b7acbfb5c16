//! One accepted connection: served, or turned away.
//!
//! Promises: a panic ends this connection only, with a word where one can be read; a connection
//! that is turned away hears why, in one line, and no more of them than allowed at once.

use std::future::pending;
use std::io;
use std::sync::Arc;

use policy::facts::{ConnectionFacts, ServiceName};
use policy::{Because, Decision};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::caught::Caught;
use super::permits::Permit;
use crate::drive::{Circumstances, Phase, Pop3Talk, SmtpTalk, Wire, drive};
use crate::{Shared, replies};

/// A connection that was admitted.
pub(super) struct Arrival {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: ConnectionFacts,
    pub(super) phase: watch::Receiver<Phase>,
    /// Counts the connection among all; held, not read.
    pub(super) permit: Permit,
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, arrival: Arrival) {
    let Arrival {
        shared,
        connection,
        mut phase,
        permit,
    } = arrival;
    let mut wire = Wire::Plain(stream);
    let name = connection.service;
    let outcome = {
        let talk = converse(&mut wire, &shared, connection, phase.clone());
        tokio::select! {
            biased;
            outcome = Caught::new(talk) => outcome,
            () = cut(&mut phase) => Ok(Ok(())),
        }
    };
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(failed)) => tracing::debug!(%failed, service = %name, "a connection broke"),
        Err(panicked) => {
            tracing::error!(?panicked, service = %name, "a session ended by a bug");
            last_word(&mut wire, &shared, name).await;
        }
    }
    drop(permit);
}

/// Returns when what is left of the service is to be cut off.
async fn cut(phase: &mut watch::Receiver<Phase>) {
    let gone = phase.wait_for(|phase| *phase == Phase::Cut).await.is_err();
    if gone {
        // Whoever ran the service has gone: the session ends by itself, with a word.
        pending::<()>().await;
    }
}

/// After a panic. POP3 gets none: a message may be half sent, and a line would be taken for a
/// part of it.
async fn last_word(wire: &mut Wire<TcpStream>, shared: &Shared, name: ServiceName) {
    if protocol(name) == Protocol::Pop3 {
        return;
    }
    let current = shared.live.current();
    let mut line = Vec::new();
    replies::panicked(current.settings.machine.host_name.as_str()).write_to(&mut line);
    let _ = say_and_close(wire, shared, &line).await;
}

async fn converse(
    wire: &mut Wire<TcpStream>,
    shared: &Arc<Shared>,
    mut connection: ConnectionFacts,
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let protocol = protocol(connection.service);
    let mut with = Circumstances {
        patience: shared.patience(),
        tls: protocol.tls(shared),
        phase,
    };
    if begins_with_tls(connection.service) {
        let config = Arc::clone(&with.tls);
        connection.tls = Some(wire.secure(config, &with.patience).await?);
    }
    let current = shared.live.current();
    match protocol {
        Protocol::Smtp => {
            let mut talk = SmtpTalk::new(shared, current, connection);
            drive(wire, &mut talk, &mut with).await
        }
        Protocol::Pop3 => {
            let mut talk = Pop3Talk::new(shared, current, connection);
            drive(wire, &mut talk, &mut with).await
        }
    }
}

/// Tells a peer that it is not served.
pub(super) async fn turn_away(
    stream: TcpStream,
    shared: Arc<Shared>,
    name: ServiceName,
    decision: Decision,
) {
    let mut wire = Wire::Plain(stream);
    if begins_with_tls(name) {
        // A handshake costs more than a word is worth to those who are too many.
        if !matches!(decision.because, Because::NotOpenToInternet { .. }) {
            return;
        }
        let config = protocol(name).tls(&shared);
        if wire.secure(config, &shared.patience()).await.is_err() {
            return;
        }
    }
    let line = match protocol(name) {
        Protocol::Pop3 => replies::pop3_line(&decision),
        Protocol::Smtp => {
            let current = shared.live.current();
            let host_name = current.settings.machine.host_name.as_str();
            let mut line = Vec::new();
            replies::refused_connection(host_name, &decision).write_to(&mut line);
            line
        }
    };
    let _ = say_and_close(&mut wire, &shared, &line).await;
}

async fn say_and_close(wire: &mut Wire<TcpStream>, shared: &Shared, line: &[u8]) -> io::Result<()> {
    let patience = shared.patience();
    wire.write(line, &patience).await?;
    wire.flush(&patience).await?;
    wire.close(&patience).await;
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Smtp,
    Pop3,
}

impl Protocol {
    fn tls(self, shared: &Shared) -> Arc<ServerConfig> {
        match self {
            Self::Smtp => shared.certificates.smtp(),
            Self::Pop3 => shared.certificates.pop3(),
        }
    }
}

const fn protocol(name: ServiceName) -> Protocol {
    match name {
        ServiceName::Pop3 | ServiceName::Pop3s => Protocol::Pop3,
        ServiceName::Smtp
        | ServiceName::Submission
        | ServiceName::Submissions
        | ServiceName::Delivery => Protocol::Smtp,
    }
}

/// RFC 8314 §3.2, §3.3: 995 and 465.
pub(super) const fn begins_with_tls(name: ServiceName) -> bool {
    matches!(name, ServiceName::Submissions | ServiceName::Pop3s)
}
