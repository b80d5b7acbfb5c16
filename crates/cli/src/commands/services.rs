//! `service`: list, start, stop.

use clap::Subcommand;
use operate::Request;
use policy::facts::ServiceName;

use crate::words::service;

/// The System Services.
#[derive(Clone, Debug, Subcommand)]
pub enum ServiceCommand {
    /// List the services and how they are
    #[command(after_help = LIST)]
    List,
    /// Start a service; it starts again with the gateway from now on
    #[command(after_help = START)]
    Start {
        /// Which
        #[arg(value_parser = service())]
        service: ServiceName,
    },
    /// Stop a service; it stays stopped, also after a restart
    #[command(after_help = STOP)]
    Stop {
        /// Which
        #[arg(value_parser = service())]
        service: ServiceName,
    },
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost service list
  gatepost service stop delivery";

const LIST: &str = "\
Examples:
  gatepost service list";

const START: &str = "\
Examples:
  gatepost service start smtp
  gatepost service start delivery";

const STOP: &str = "\
Examples:
  gatepost service stop delivery";

impl ServiceCommand {
    pub(crate) const fn request(&self) -> Request {
        match self {
            Self::List => Request::ServiceList,
            Self::Start { service } => Request::ServiceStart { service: *service },
            Self::Stop { service } => Request::ServiceStop { service: *service },
        }
    }
}
