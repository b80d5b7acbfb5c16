//! The Delivery tab: Remote Delivery, and Local Mail / Inbound. Neither touches the other (S2.6).

use mail::{Domain, MailHost};
use serde::{Deserialize, Serialize};

/// How TLS is used towards a host of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    None,
    /// STARTTLS where offered, any certificate.
    Opportunistic,
    /// STARTTLS or nothing, certificate checked by name.
    Required,
    /// TLS from the first byte, certificate checked by name.
    Implicit,
}

/// How mail for the outside leaves (S3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteMethod {
    /// To the recipient's own mail exchangers.
    Direct,
    /// Everything to the smart host ("Use gateway").
    SmartHost,
}

/// Sign-in at the smart host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartHostSignIn {
    /// The name.
    /// Default: none, it must be named. Source: RFC 4954 §4.
    pub user: String,
    /// Which sealed secret holds the password.
    /// Default: none, it must be named. Source: ARCHITECTURE.md, Rooms; secrets are no settings.
    pub secret: String,
}

/// The provider's server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartHost {
    /// Name or address.
    /// Default: none, it must be named. Source: product duty S3.2.
    pub host: MailHost,
    /// Its port.
    /// Default: 587 with sign-in, else 25. Source: RFC 6409 §3.1, RFC 5321 §4.5.4.2.
    pub port: u16,
    /// TLS towards it; with sign-in at least `Required`.
    /// Default: required with sign-in, else opportunistic. Source: RFC 8314 §3.
    pub tls: TlsMode,
    /// Sign-in, where the provider wants it.
    /// Default: none. Source: product duty S3.2.
    pub sign_in: Option<SmartHostSignIn>,
}

/// One address of an inner server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InnerHost {
    /// Name or address.
    /// Default: none, it must be named. Source: product duty S2.5.
    pub host: MailHost,
    /// Its port.
    /// Default: 25. Source: product duty S2.5.
    pub port: u16,
}

/// The inner server of a passed or split domain (S2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InnerServer {
    /// The domain, by its first name.
    /// Default: none, it must be named. Source: product duty S2.5.
    pub domain: Domain,
    /// Its hosts, tried in order.
    /// Default: none, at least one must be named. Source: product duty S2.5.
    pub hosts: Vec<InnerHost>,
    /// TLS towards it.
    /// Default: opportunistic. Source: RFC 7435 §3; inner servers seldom have certificates.
    pub tls: TlsMode,
}

/// When to try again, and when to give up (RFC 5321 §4.5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Pause after the first failure, in seconds; it doubles from there.
    /// Default: 300. Source: RFC 5321 §4.5.4.1 wants 30 minutes in the long run, sooner at first.
    pub first_secs: u64,
    /// Longest pause, in seconds.
    /// Default: 7200. Source: RFC 5321 §4.5.4.1, two or three hours after the first tries.
    pub longest_secs: u64,
    /// Give up after, in seconds.
    /// Default: 432000 (5 days). Source: RFC 5321 §4.5.4.1.
    pub expire_secs: u64,
    /// Tell the sender of a delay after, in seconds; 0: never.
    /// Default: 14400 (4 hours). Source: RFC 3461 §4.1 leaves the time to the server.
    pub delay_notice_secs: u64,
}

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Directly, or by the smart host.
    /// Default: direct. Source: scenario 1.
    pub remote: RemoteMethod,
    /// Kept while `remote` is direct, so that switching back loses nothing.
    /// Default: none. Source: product duty S3.1.
    pub smart_host: Option<SmartHost>,
    /// Inner servers by domain.
    /// Default: none. Source: product duty S2.5.
    pub inner: Vec<InnerServer>,
    /// Port of mail exchangers; others only for tests and demonstrations.
    /// Default: 25. Source: RFC 5321 §4.5.4.2.
    pub mx_port: u16,
    /// When to try again.
    /// Default: as its fields say. Source: RFC 5321 §4.5.4.1.
    pub retry: Retry,
    /// Open connections to one destination. Range: 1 to 1000.
    /// Default: 5. Source: below the ten that large providers take from one source.
    pub connections_per_destination_max: u32,
    /// Open connections to all destinations. Range: 1 to 100,000.
    /// Default: 100. Source: twenty busy destinations at once.
    pub connections_max: u32,
    /// Messages over one connection. Range: 1 to 100,000.
    /// Default: 100. Source: most servers close after about as many.
    pub messages_per_connection_max: u32,
}
