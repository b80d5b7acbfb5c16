//! The Addresses tab.

use mail::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::UserName;

/// One address and the users whose mailboxes it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressEntry {
    /// The address, in a listed domain's first name.
    /// Default: none, it must be named. Source: product duty S1.4.
    pub address: Address,
    /// At least one user; each gets the mail and may send as the address.
    /// Default: none, at least one must be named. Source: product duty S1.4.
    pub users: Vec<UserName>,
}

/// Who gets mail for unknown names of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchAll {
    /// A listed domain, by its first name; used while it is hosted.
    /// Default: none, it must be named. Source: issue 2, Addresses.
    pub domain: Domain,
    /// At least one user; none of them may send as an address for that alone.
    /// Default: none, at least one must be named. Source: issue 2, Addresses.
    pub users: Vec<UserName>,
}

/// Which address belongs to which users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// All addresses.
    /// Default: none. Source: an address that nobody was given is refused at RCPT (S1.3).
    pub list: Vec<AddressEntry>,
    /// Catch-alls, at most one a domain.
    /// Default: none. Source: they collect the spam that is sent to guessed names.
    pub catch_all: Vec<CatchAll>,
    /// What separates a name from a tag (`bob+shop`); none: no tags.
    /// Default: `+`. Source: RFC 5233 §1 and what most mail systems do.
    pub plus_separator: Option<char>,
    /// Who gets mail for postmaster and abuse of every domain where no such address is listed.
    /// Default: none, then the first user on the list. Source: RFC 5321 §4.5.1, RFC 2142 §4.
    pub postmaster: Vec<UserName>,
}
