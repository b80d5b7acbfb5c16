//! `address`: list, add, remove, catch-all.

use clap::Subcommand;
use mail::{Address, Domain};
use operate::Request;
use policy::UserName;

/// Which address is for whom.
#[derive(Clone, Debug, Subcommand)]
pub enum AddressCommand {
    /// List the addresses
    #[command(after_help = LIST)]
    List,
    /// Give an address to users, beside those who have it
    #[command(after_help = ADD)]
    Add {
        /// The address
        address: Address,
        /// Whose mailboxes it reaches
        #[arg(required = true, value_name = "USER")]
        users: Vec<UserName>,
    },
    /// Take an address away, from all who have it or from some
    #[command(after_help = REMOVE)]
    Remove {
        /// The address
        address: Address,
        /// Only from these users
        #[arg(value_name = "USER")]
        users: Vec<UserName>,
    },
    /// Say who gets mail for names that nobody has
    #[command(after_help = CATCH_ALL)]
    CatchAll {
        /// The domain
        domain: Domain,
        /// Who gets it
        #[arg(
            value_name = "USER",
            required_unless_present = "nobody",
            conflicts_with = "nobody"
        )]
        users: Vec<UserName>,
        /// Nobody: such mail is refused
        #[arg(long)]
        nobody: bool,
    },
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost address list
  gatepost address add info@office.example bob alice
  gatepost address catch-all office.example --nobody";

const LIST: &str = "\
Examples:
  gatepost address list";

const ADD: &str = "\
Examples:
  gatepost address add sales@office.example bob
  gatepost address add info@office.example bob alice";

const REMOVE: &str = "\
Examples:
  gatepost address remove sales@office.example
  gatepost address remove info@office.example alice";

const CATCH_ALL: &str = "\
Examples:
  gatepost address catch-all office.example bob
  gatepost address catch-all office.example --nobody";

impl AddressCommand {
    pub(crate) fn request(&self) -> Request {
        match self.clone() {
            Self::List => Request::AddressList,
            Self::Add { address, users } => Request::AddressAdd { address, users },
            Self::Remove { address, users } => Request::AddressRemove { address, users },
            Self::CatchAll { domain, users, .. } => Request::AddressCatchAll { domain, users },
        }
    }
}
