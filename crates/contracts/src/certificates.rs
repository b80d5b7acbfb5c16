//! The server certificate as operators see it.

use mail::Timestamp;
use serde::{Deserialize, Serialize};

/// The certificate that new connections get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReport {
    /// SHA-256 of the certificate, in hexadecimal pairs with colons.
    pub fingerprint: String,
    /// Names and addresses it is good for.
    pub names: Vec<String>,
    /// Its last instant.
    pub not_after: Timestamp,
    /// Whether the gateway's own authority made it.
    pub local_authority: bool,
    /// What went wrong at the last reload; the old certificate is in use then.
    pub reload_error: Option<String>,
}

/// Tells which certificate is in use.
pub trait Certificates: Send + Sync {
    /// The one that new connections get; `None` while there is none.
    fn report(&self) -> Option<CertificateReport>;
}
