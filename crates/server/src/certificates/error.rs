//! Why there is no (new) certificate.

use std::path::PathBuf;

/// What went wrong with a certificate; the one in use before stays in use.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read.
    #[error("cannot read {}: {failure}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        failure: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {failure}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        failure: std::io::Error,
    },
    /// The chain holds no certificate.
    #[error("the certificate file holds no certificate in PEM form")]
    NoCertificate,
    /// The key file holds no private key.
    #[error("the key file holds no private key in PEM form")]
    NoKey,
    /// The PEM text is damaged.
    #[error("the PEM text is damaged: {failure}")]
    Pem {
        /// What is wrong.
        failure: String,
    },
    /// The certificate is no certificate.
    #[error("the certificate cannot be read: {failure}")]
    Unreadable {
        /// What is wrong.
        failure: String,
    },
    /// Certificate and key do not go together, or the key is of an unknown kind.
    #[error("certificate and key cannot be used together: {failure}")]
    Mismatch {
        /// What is wrong.
        failure: String,
    },
    /// The certificate is not valid any more.
    #[error("the certificate expired on {expired}")]
    Expired {
        /// When, as a date.
        expired: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate: {failure}")]
    Making {
        /// What is wrong.
        failure: String,
    },
    /// TLS could not be set up at all.
    #[error("TLS cannot be set up: {failure}")]
    Tls {
        /// What is wrong.
        failure: String,
    },
}

impl From<rcgen::Error> for CertificateError {
    fn from(failed: rcgen::Error) -> Self {
        Self::Making {
            failure: failed.to_string(),
        }
    }
}
