//! The server certificate: made by an authority of our own, or read from PEM files.
//!
//! Promises: TLS 1.2 and 1.3 and nothing older; a broken new certificate leaves the old one in
//! use and says what is wrong with it; connections under way keep what they began with.
//! Does not: speak ACME, or watch files; whoever hears SIGHUP calls `load` again.
//! Standards: RFC 5280, RFC 8314 §3, RFC 7301.

mod authority;
mod certificate;
mod error;
mod folder;
mod holder;
mod validity;

pub use authority::AuthorityFolder;
pub use error::CertificateError;
pub use holder::{CertificateHolder, CertificateOrigin};
