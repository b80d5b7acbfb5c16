//! From an address to a session that is ready: connect, TLS as the next hop wants it, sign-in.
//!
//! Promises: where TLS is required nothing is said in clear text; where it is only wished for, a
//! handshake that fails is followed by one try without.
//! Standards: RFC 3207, RFC 7435, RFC 8314 §3.

use std::sync::Arc;

use contracts::Clock;
use mail::Domain;
use policy::Because;
use policy::route::NextHop;
use policy::settings::{SmartHostSignIn, TlsMode};
use smtp::client::{Credentials, Facts, Session, Stage, TlsUse, Trouble};
use tokio::sync::watch;

use crate::connection::{Connection, Turn};
use crate::dialer::{Dialer, Stream};
use crate::hosts::Target;
use crate::limits::Limits;
use crate::phase::{Phase, reached};
use crate::tls::{Tls, Trust};
use crate::why::Why;

/// Passwords for smart hosts, sealed elsewhere and named by settings.
pub trait Secrets: Send + Sync {
    /// The secret of this name; `None` where there is none.
    fn secret(&self, name: &str) -> Option<String>;
}

/// No secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn secret(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Why there is no session.
pub(crate) enum NotOpened {
    /// This address is of no use now.
    Failed(Why),
    /// The handshake failed; clear text may work.
    Handshake(Why),
    /// Delivery is stopping.
    Stopped,
}

/// What opening needs.
pub(crate) struct Opener {
    pub(crate) dialer: Arc<dyn Dialer>,
    pub(crate) tls: Tls,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) phases: watch::Receiver<Phase>,
}

impl Opener {
    /// A session at `target` that waits for a transaction.
    pub(crate) async fn open(
        &self,
        next_hop: &NextHop,
        target: &Target,
        host_name: &Domain,
    ) -> Result<Connection, NotOpened> {
        let opened = async {
            let wish = tls_of(next_hop);
            match self.try_open(next_hop, target, host_name, wish).await {
                Err(NotOpened::Handshake(why)) if wish == TlsMode::Opportunistic => {
                    tracing::info!(host = %target.far.host, because = %why.because,
                        "TLS failed, going on in clear text");
                    self.try_open(next_hop, target, host_name, TlsMode::None)
                        .await
                }
                other => other,
            }
        };
        tokio::select! {
            biased;
            opened = opened => opened,
            () = reached(self.phases.clone(), Phase::Draining) => Err(NotOpened::Stopped),
        }
    }

    async fn try_open(
        &self,
        next_hop: &NextHop,
        target: &Target,
        host_name: &Domain,
        mode: TlsMode,
    ) -> Result<Connection, NotOpened> {
        let facts = Facts {
            host_name: host_name.to_string(),
            tls: match mode {
                TlsMode::None | TlsMode::Implicit => TlsUse::Never,
                TlsMode::Opportunistic => TlsUse::IfOffered,
                TlsMode::Required => TlsUse::Required,
            },
            credentials: self
                .credentials(next_hop)
                .map_err(|why| NotOpened::Failed(*why))?,
        };
        let mut stream = self.dial(target).await?;
        let mut version = None;
        if mode == TlsMode::Implicit {
            let secured = self.shake_hands(stream, target, Trust::ByName).await?;
            stream = secured.0;
            version = Some(secured.1);
        }
        let session = Session::new(facts, self.limits.session, self.clock.now());
        let mut connection = Connection::new(
            stream,
            session,
            (next_hop.clone(), target.clone()),
            Arc::clone(&self.clock),
            self.phases.clone(),
        );
        connection.tls = version;
        self.until_ready(connection, mode).await
    }

    async fn until_ready(
        &self,
        mut connection: Connection,
        mode: TlsMode,
    ) -> Result<Connection, NotOpened> {
        let target = connection.target.clone();
        loop {
            match connection.turn().await {
                Turn::Ready => return Ok(connection),
                Turn::StartTls => {
                    let trust = match mode {
                        TlsMode::None | TlsMode::Opportunistic => Trust::Anybody,
                        TlsMode::Required | TlsMode::Implicit => Trust::ByName,
                    };
                    let stream = connection.take_stream();
                    let (stream, version) = self.shake_hands(stream, &target, trust).await?;
                    connection.secured(stream, version);
                }
                Turn::Failed(failure) => {
                    let why = Why::trouble(&target.far, failure.stage, &failure.trouble);
                    let after_tls = connection.tls.is_some() && failure.stage == Stage::Hello;
                    // A server that shook hands and hung up: it may talk without.
                    let hung_up = matches!(failure.trouble, Trouble::Closed);
                    return Err(if after_tls && hung_up {
                        NotOpened::Handshake(why)
                    } else {
                        NotOpened::Failed(why)
                    });
                }
                Turn::Body | Turn::Finished(_) | Turn::Closed => {
                    let why = Why::unreachable(&target.far, "the session ended before it began");
                    return Err(NotOpened::Failed(why));
                }
            }
        }
    }

    async fn dial(&self, target: &Target) -> Result<Box<dyn Stream>, NotOpened> {
        let deadline = self.clock.now().plus(self.limits.connect_timeout);
        let failed = |failure: &str| {
            let failure = format!("{}: {failure}", target.address);
            NotOpened::Failed(Why::unreachable(&target.far, &failure))
        };
        tokio::select! {
            dialled = self.dialer.dial(target.address) => {
                dialled.map_err(|error| failed(&error.to_string()))
            }
            () = self.clock.sleep_until(deadline) => Err(failed("no answer to the connection")),
        }
    }

    async fn shake_hands(
        &self,
        stream: Box<dyn Stream>,
        target: &Target,
        trust: Trust,
    ) -> Result<(Box<dyn Stream>, String), NotOpened> {
        let deadline = self.clock.now().plus(self.limits.connect_timeout);
        let failed = |failure: &str| {
            let failure = format!("TLS: {failure}");
            NotOpened::Handshake(Why::unreachable(&target.far, &failure))
        };
        tokio::select! {
            secured = self.tls.connect(stream, &target.host, trust) => match secured {
                Ok(secured) => Ok((secured.stream, secured.version)),
                Err(error) => Err(failed(&error.to_string())),
            },
            () = self.clock.sleep_until(deadline) => Err(failed("no answer to the handshake")),
        }
    }

    fn credentials(&self, next_hop: &NextHop) -> Result<Option<Credentials>, Box<Why>> {
        let NextHop::SmartHost { host } = next_hop else {
            return Ok(None);
        };
        let Some(SmartHostSignIn { user, secret }) = &host.sign_in else {
            return Ok(None);
        };
        let Some(password) = self.secrets.secret(secret) else {
            let failure = format!("there is no secret {secret} for {}", host.host);
            let because = Because::Unreachable { failure };
            return Err(Box::new(Why::plain(because, 7, 0)));
        };
        Ok(Some(Credentials {
            name: user.clone(),
            password,
        }))
    }
}

/// How TLS is used towards a next hop.
const fn tls_of(next_hop: &NextHop) -> TlsMode {
    match next_hop {
        NextHop::InnerServer { server } => server.tls,
        NextHop::SmartHost { host } => host.tls,
        // RFC 7435 §3: strangers' exchangers get TLS where they offer it.
        NextHop::Mx { .. } | NextHop::Literal { .. } | NextHop::Mailboxes { .. } => {
            TlsMode::Opportunistic
        }
    }
}
