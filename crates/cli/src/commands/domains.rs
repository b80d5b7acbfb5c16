//! `domain`: list, add, records, remove, alias.

use std::net::IpAddr;

use clap::Subcommand;
use mail::Domain;
use operate::Request;

use crate::words::KindWord;

/// The domains of the office.
#[derive(Clone, Debug, Subcommand)]
pub enum DomainCommand {
    /// List the domains
    #[command(after_help = LIST)]
    List,
    /// Add a domain
    #[command(after_help = ADD)]
    Add {
        /// Its name, what stands behind the @
        name: Domain,
        /// What the gateway is for it
        #[arg(long, value_enum, default_value_t = KindWord::Hosted)]
        kind: KindWord,
    },
    /// Show the DNS records that the domains need, and check them
    #[command(after_help = RECORDS)]
    Records {
        /// An address that the Internet reaches the gateway by, where the machine has no public one
        #[arg(long, value_name = "IP")]
        public: Vec<IpAddr>,
    },
    /// Remove a domain; its addresses must be gone first
    #[command(after_help = REMOVE)]
    Remove {
        /// Its name
        name: Domain,
    },
    /// Give a domain another name whose addresses are the same people
    #[command(after_help = ALIAS)]
    Alias {
        /// The domain
        name: Domain,
        /// Its other name
        alias: Domain,
        /// Take the other name away
        #[arg(long)]
        remove: bool,
    },
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost domain list
  gatepost domain add office.example
  gatepost domain alias office.example office.test";

const LIST: &str = "\
Examples:
  gatepost domain list
  gatepost domain list --json";

const ADD: &str = "\
Examples:
  gatepost domain add office.example
  gatepost domain add branch.example --kind sending-only";

const RECORDS: &str = "\
Examples:
  gatepost domain records
  gatepost domain records --public 203.0.113.2
  gatepost domain records --json

Behind a router the machine does not have the public address: name it with --public.";

const REMOVE: &str = "\
Examples:
  gatepost domain remove branch.example";

const ALIAS: &str = "\
Examples:
  gatepost domain alias office.example office.test
  gatepost domain alias office.example office.test --remove";

impl DomainCommand {
    pub(crate) fn request(&self) -> Request {
        match self.clone() {
            Self::List => Request::DomainList,
            Self::Add { name, kind } => Request::DomainAdd {
                name,
                kind: kind.into(),
            },
            Self::Records { public } => Request::DomainRecords { public },
            Self::Remove { name } => Request::DomainRemove { name },
            Self::Alias {
                name,
                alias,
                remove,
            } => Request::DomainAlias {
                name,
                alias,
                remove,
            },
        }
    }
}
