//! System Services as the operator sees them.

use std::net::SocketAddr;

use mail::Timestamp;
use policy::facts::ServiceName;
use serde::{Deserialize, Serialize};

/// The state machine every service is supervised by (ADR 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ServiceState {
    /// Nothing listens.
    Stopped,
    /// On its way up.
    Starting,
    /// At work.
    Running,
    /// The listener is closed, sessions end.
    Draining,
    /// Could not start; tried again at `retry_at`.
    Failed {
        /// What is in the way, and whose it is.
        why: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Which.
    pub name: ServiceName,
    /// How it is.
    pub state: ServiceState,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// Sessions under way.
    pub sessions: u64,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

/// A service could not be started or stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{service}: {failure}")]
pub struct ServicesError {
    /// Which.
    pub service: ServiceName,
    /// Why.
    pub failure: String,
}

/// Starts, stops and lists services; what was asked is remembered across restarts.
#[async_trait::async_trait]
pub trait Services: Send + Sync {
    /// All services, in the order of `ServiceName::ALL`.
    fn list(&self) -> Vec<ServiceReport>;

    /// Starts a service; returns when it runs or failed.
    ///
    /// # Errors
    /// `ServicesError` with the reason.
    async fn start(&self, service: ServiceName) -> Result<(), ServicesError>;

    /// Stops a service; returns when its listener is closed, sessions drain after that.
    ///
    /// # Errors
    /// `ServicesError` with the reason.
    async fn stop(&self, service: ServiceName) -> Result<(), ServicesError>;
}
