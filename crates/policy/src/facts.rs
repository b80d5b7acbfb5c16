//! What a decision may rest on: facts of the connection, and facts that must be asked for.
//!
//! Promises: pure data. `policy` names the facts it needs; `intake` learns them by contract, each
//! with a deadline and the value *could not be learnt*.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use mail::{Address, Domain, MailParameters, Recipient, Timestamp};
use serde::{Deserialize, Serialize};

use crate::UserName;

/// The System Services that mail comes in or goes out by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceName {
    /// SMTP on port 25.
    Smtp,
    /// Submission on port 587 (STARTTLS).
    Submission,
    /// Submission on port 465 (TLS from the first byte).
    Submissions,
    /// POP3 on port 110.
    Pop3,
    /// POP3 on port 995 (TLS from the first byte).
    Pop3s,
    /// Sending out.
    Delivery,
}

impl ServiceName {
    /// Every service, in the order pages and commands list them.
    pub const ALL: [Self; 6] = [
        Self::Smtp,
        Self::Submission,
        Self::Submissions,
        Self::Pop3,
        Self::Pop3s,
        Self::Delivery,
    ];

    /// The name that commands use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Submissions => "submissions",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
            Self::Delivery => "delivery",
        }
    }
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One network interface of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// Its addresses with their prefix lengths.
    pub addresses: Vec<(IpAddr, u8)>,
    /// The next hops of the default routes that leave by it; empty when it has none.
    pub default_next_hops: Vec<IpAddr>,
    /// Whether it carries a default route (a point-to-point one has no next hop).
    pub has_default_route: bool,
}

/// What the machine's network looks like at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interfaces {
    /// All interfaces that are up, loopback included.
    pub list: Vec<Interface>,
}

/// Internal or external, and why (ADR 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether the connection is internal.
    pub internal: bool,
    /// The fact that decided, as a sentence for operators.
    pub fact: String,
    /// The peer is a next hop of ours or one of our own addresses: it may speak for strangers, so
    /// no list of machines makes it one that is known.
    #[serde(default)]
    pub speaks_for_others: bool,
}

/// TLS of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// Name of the cipher suite.
    pub cipher: String,
}

/// The facts of one connection; those below `standing` change as the session goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFacts {
    /// Who connected.
    pub peer: SocketAddr,
    /// Which of our addresses they reached.
    pub local: SocketAddr,
    /// The interface that owns `local`, where it is known.
    pub interface: Option<String>,
    /// The service they reached.
    pub service: ServiceName,
    /// Internal or external.
    pub standing: Standing,
    /// TLS, once started.
    pub tls: Option<TlsFacts>,
    /// The user, once signed in.
    pub user: Option<UserName>,
    /// What they said at HELO or EHLO.
    pub greeting_name: Option<String>,
}

/// A fact that must be asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum FactQuery {
    /// Does this domain exist in DNS, and can it receive mail?
    SenderDomain {
        /// The domain.
        domain: Domain,
    },
    /// How many bytes are free where messages are kept?
    DiskFree,
    /// How many messages has this source begun within the last minute, this one included?
    MessagesFromSource {
        /// The source.
        source: IpAddr,
    },
}

/// What DNS says of a sender's domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainStanding {
    /// It has MX, A or AAAA records.
    Exists,
    /// The name exists but has no record that mail could use, or the name does not exist.
    Unknown,
    /// It has a null MX (RFC 7505).
    NullMx,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "value", rename_all = "kebab-case")]
pub enum FactValue {
    /// Answer to `SenderDomain`.
    Domain {
        /// What DNS says.
        standing: DomainStanding,
    },
    /// Answer to `DiskFree`.
    Bytes {
        /// Octets.
        bytes: u64,
    },
    /// Answer to `MessagesFromSource`.
    Count {
        /// How many.
        count: u64,
    },
    /// Nobody answered in time, or the answer was a failure.
    CouldNotBeLearnt {
        /// What went wrong.
        failure: String,
    },
}

/// A fact with the instant it was learnt at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// What was learnt.
    pub value: FactValue,
    /// When; a cached answer keeps its first instant.
    pub at: Timestamp,
}

/// The facts that were asked for so far in one transaction.
pub type LearntFacts = BTreeMap<FactQuery, Learnt>;

/// What has happened so far in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionFacts {
    /// The MAIL command.
    pub mail: MailParameters,
    /// The recipients accepted so far.
    pub recipients: Vec<Recipient>,
}

/// What the header and size of a message say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFacts {
    /// Octets of content.
    pub size_bytes: u64,
    /// Addresses in the header From field(s); empty when there is none that can be read.
    pub header_from: Vec<Address>,
    /// Whether a From field is there at all.
    pub has_from: bool,
    /// Count of Received fields.
    pub received_count: u64,
}

/// The users that exist, as a decision needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// Users that exist and are enabled.
    pub enabled: BTreeSet<UserName>,
    /// Users that exist but are disabled.
    pub disabled: BTreeSet<UserName>,
}

/// An answer, or what must be learnt first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// These facts are missing; ask again with them.
    Needs(Vec<FactQuery>),
    /// The answer.
    Decided(T),
}
