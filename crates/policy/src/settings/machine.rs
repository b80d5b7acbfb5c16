//! The machine: names, certificate, DNS servers, history.

use std::net::SocketAddr;
use std::path::PathBuf;

use mail::Domain;
use serde::{Deserialize, Serialize};

/// Where the server certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum CertificateSource {
    /// The gateway's own authority, made at first start.
    LocalAuthority,
    /// PEM files.
    Files {
        /// Certificate chain, leaf first.
        chain: PathBuf,
        /// Private key.
        key: PathBuf,
    },
}

/// How much of the message history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Stories of messages are kept this many days. Range: 1 to 3650.
    /// Default: 90. Source: a quarter, within which people still ask where a message went.
    pub days: u32,
    /// Stories of messages take at most this many octets.
    /// Default: 512 MiB. Source: about 1 KiB a story, 5,000 messages a day for a quarter.
    pub size_bytes_max: u64,
    /// Stories of refusals take at most this many octets.
    /// Default: 64 MiB. Source: an eighth, so that strangers cannot push real mail out.
    pub refusals_bytes_max: u64,
}

/// Names, certificate, DNS servers, history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The name the gateway greets with and signs its trace with, as in DNS.
    /// Default: none, it must be named. Source: RFC 5321 §4.1.1.1.
    pub host_name: Domain,
    /// Where the server certificate comes from.
    /// Default: the local authority. Source: TLS works at once on a LAN.
    pub certificate: CertificateSource,
    /// DNS servers to ask; empty: those of the system.
    /// Default: empty. Source: the host knows its network best.
    pub dns_servers: Vec<SocketAddr>,
    /// How much history is kept.
    /// Default: as its fields say. Source: product duty B3.
    pub history: History,
}
