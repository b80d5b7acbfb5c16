//! The settings of a gateway, one file per tab of the console.
//!
//! Promises: a `Settings` value is always usable: `check` parses the raw form into it and reports
//! every problem at once, each with field, problem and hint.
//! Does not: hold secrets (named by reference) or users (an address may name one who does not
//! exist yet).

mod addresses;
mod check;
mod delivery;
mod differences;
mod domains;
mod form;
mod machine;
mod problem;
mod raw;
mod receiving;
mod security;
mod services;
mod starter;

use serde::{Deserialize, Serialize};

pub use addresses::{AddressEntry, Addresses, CatchAll};
pub use check::{Checked, check};
pub use delivery::{
    Delivery, InnerHost, InnerServer, RemoteMethod, Retry, SmartHost, SmartHostSignIn, TlsMode,
};
pub use differences::{Change, differences};
pub use domains::{DomainEntry, DomainKind, Domains};
pub(crate) use form::bytes_in_words;
pub use machine::{CertificateSource, History, Machine};
pub use problem::Problem;
pub use raw::{RawSettings, TABS};
pub use receiving::Receiving;
pub use security::{Device, Network, NetworkSyntax, RelayEntry, Security, SendAs, Who, WhoSyntax};
pub use services::Services;
pub use starter::starter;

/// Everything the gateway is told, apart from users and secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Host name, certificate, DNS servers, history.
    pub machine: Machine,
    /// The domains of the office.
    pub domains: Domains,
    /// Which address belongs to which users.
    pub addresses: Addresses,
    /// Who may send what, as whom.
    pub security: Security,
    /// What is taken in.
    pub receiving: Receiving,
    /// Where mail goes.
    pub delivery: Delivery,
    /// Which services the Internet may reach.
    pub services: Services,
}
