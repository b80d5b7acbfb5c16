//! The Domains tab.

use mail::Domain;
use serde::{Deserialize, Serialize};

/// What the gateway is for a domain (S2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainKind {
    /// Its mailboxes are here.
    Hosted,
    /// Its mail is passed to an inner server.
    Passed,
    /// Listed addresses are here, all others are passed to an inner server.
    Split,
    /// Only a domain to send as; its mail arrives elsewhere.
    SendingOnly,
}

/// One domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEntry {
    /// Its name, listed once.
    /// Default: none, it must be named. Source: product duty S1.3.
    pub name: Domain,
    /// What the gateway is for it.
    /// Default: hosted. Source: scenario 1.
    pub kind: DomainKind,
    /// Other names whose addresses are the same people.
    /// Default: none. Source: many offices hold one name under several endings.
    pub aliases: Vec<Domain>,
}

/// The domains of the office.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domains {
    /// In the order they were added; the first is where notices come from.
    /// Default: none. Source: a fresh gateway takes mail for nobody.
    pub list: Vec<DomainEntry>,
}

impl Domains {
    /// The entry that `name` is the name or an alias of.
    pub fn find(&self, name: &Domain) -> Option<&DomainEntry> {
        self.list
            .iter()
            .find(|entry| &entry.name == name || entry.aliases.contains(name))
    }
}
