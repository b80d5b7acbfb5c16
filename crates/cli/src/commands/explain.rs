//! `explain`: a question about a message that nobody sent.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use mail::{Address, ForwardPath, ReversePath};
use operate::{Question, Request};
use policy::UserName;
use policy::facts::ServiceName;

use crate::words::{service_for_mail, size};

/// What would happen to a message, and why.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArguments {
    /// Who it is from; '<>' for a report
    #[arg(long, value_name = "ADDRESS")]
    pub from: ReversePath,
    /// Who it is for
    #[arg(long, value_name = "ADDRESS")]
    pub to: ForwardPath,
    /// The address of the machine that brings it
    #[arg(long, value_name = "IP")]
    pub peer: IpAddr,
    /// The user who has signed in
    #[arg(long, value_name = "USER")]
    pub auth: Option<UserName>,
    /// How large it is, such as 25M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub size: Option<u64>,
    /// By which service it comes
    #[arg(long, value_parser = service_for_mail(), default_value = "smtp")]
    pub service: ServiceName,
    /// The address in its From line, if it is not the sender's
    #[arg(long, value_name = "ADDRESS")]
    pub header_from: Option<Address>,
    /// Which of our addresses it comes to [default: the likeliest]
    #[arg(long, value_name = "IP:PORT")]
    pub local: Option<SocketAddr>,
}

const EXAMPLES: &str = "\
Examples:
  gatepost explain --from fred@hotmail.test --to bob@office.example --peer 198.51.100.7
  gatepost explain --from bob@office.example --to fred@hotmail.test --peer 192.168.0.20 --size 25M
  gatepost explain --from bob@office.example --to fred@hotmail.test --peer 203.0.113.9 --auth bob --service submission
  gatepost explain --from '<>' --to bob@office.example --peer 198.51.100.7

Exit codes: 0 it would be accepted; 10 refused; 11 the sender would be asked to try again.";

impl ExplainArguments {
    pub(crate) fn request(&self) -> Request {
        let plain = Question::plain(self.peer, self.service, self.from.clone(), self.to.clone());
        Request::Explain {
            question: Question {
                local: self.local,
                user: self.auth.clone(),
                size_bytes: self.size,
                header_from: self.header_from.clone(),
                ..plain
            },
        }
    }
}
