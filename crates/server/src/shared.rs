//! What all services share.

use std::sync::Arc;
use std::time::Duration;

use contracts::{Authenticator, Clock, Live, Store};
use intake::Intake;

use crate::certificates::CertificateHolder;
use crate::drive::Patience;
use crate::listen::Permits;
use crate::sign_in::Throttle;

/// Numbers of the services that are not on any tab; tests choose others.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Limits of SMTP sessions; size, recipients and bad commands come from the settings.
    pub smtp: smtp::server::Limits,
    /// Limits of POP3 sessions.
    pub pop3: pop3::Limits,
    /// Longest TLS handshake. Default: 30 s.
    pub handshake: Duration,
    /// How long a peer may take over 64 KiB that are written to it. Default: 5 min.
    pub write: Duration,
    /// Pause after the system had no descriptor left for a connection. Default: 200 ms.
    pub accept_pause: Duration,
    /// Peers that are being told that they are not served; more are cut off without a word.
    /// Default: 64.
    pub refusals_max: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            smtp: smtp::server::Limits::default(),
            pop3: pop3::Limits::default(),
            handshake: Duration::from_secs(30),
            write: Duration::from_mins(5),
            accept_pause: Duration::from_millis(200),
            refusals_max: 64,
        }
    }
}

/// What all services share.
pub struct Shared {
    /// The way in for messages, and who is internal.
    pub intake: Arc<Intake>,
    /// The mailboxes.
    pub store: Arc<dyn Store>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Settings and users in force.
    pub live: Arc<Live>,
    /// Who verifies passwords.
    pub authenticator: Arc<dyn Authenticator>,
    /// The certificate in use.
    pub certificates: Arc<CertificateHolder>,
    /// Connections that are open, of all services together.
    pub permits: Arc<Permits>,
    /// Who failed to sign in.
    pub throttle: Arc<Throttle>,
    /// Numbers.
    pub limits: ServerLimits,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            clock: Arc::clone(&self.clock),
            write: self.limits.write,
            handshake: self.limits.handshake,
        }
    }
}
