//! `setup`: the answers that a scenario needs, asked for where they were not given.
//!
//! Promises: the question of S4.11 names the exact change; without an answer port 25 stays closed
//! to the Internet. Does not: know the scenarios that come with later issues.

use std::net::{IpAddr, SocketAddr};

use clap::{Args, Subcommand};
use contracts::ServiceReport;
use mail::Domain;
use operate::{Answer, Request, SetUpOwnServer};
use policy::UserName;
use policy::facts::ServiceName;

use crate::terminal::Choice;
use crate::words::YesNo;
use crate::{Ask, Stop, Terminal};

/// Set the office up in one step.
#[derive(Clone, Debug, Subcommand)]
pub enum SetupCommand {
    /// The gateway is the office's own mail server: it holds the mailboxes
    OwnServer(OwnServer),
}

/// Scenario 1.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct OwnServer {
    /// The office's domain, what stands behind the @
    pub domain: Domain,
    /// The first user; gets NAME@DOMAIN, and the mail of postmaster
    #[arg(long, value_name = "NAME")]
    pub user: UserName,
    /// The name this machine greets with [default: mail.DOMAIN]
    #[arg(long, value_name = "HOST")]
    pub host_name: Option<Domain>,
    /// Whether mail from the Internet is taken, on port 25; asked at a terminal, else no
    #[arg(long, value_name = "ANSWER")]
    pub open_internet: Option<YesNo>,
    /// Read the user's password from standard input, one line
    #[arg(long)]
    pub password_stdin: bool,
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost setup own-server office.example --user bob";

const EXAMPLES: &str = "\
Examples:
  gatepost setup own-server office.example --user bob
  gatepost setup own-server office.example --user bob --host-name mail.office.example
  echo \"$PASSWORD\" | gatepost setup own-server office.example --user bob --open-internet yes --password-stdin

Works whether the gateway runs or not. The user may exist already; then no password is asked for.";

impl OwnServer {
    pub(crate) fn request(&self, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<Request, Stop> {
        // Asked before any question, so that nobody types a password for nothing.
        let known = ask(&Request::UserList)??;
        let exists = matches!(&known, Answer::Users { users }
            if users.iter().any(|user| user.name == self.user));
        let password = if exists && !self.password_stdin {
            None
        } else {
            let whose = self.user.as_str();
            Some(io.new_password(self.password_stdin, whose)?)
        };
        Ok(Request::SetUpOwnServer(SetUpOwnServer {
            domain: self.domain.clone(),
            user: self.user.clone(),
            password,
            host_name: self.host_name.clone(),
            open_to_internet: self.open_to_internet(ask, io)?,
        }))
    }

    fn open_to_internet(&self, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<bool, Stop> {
        match self.open_internet {
            Some(answer) => return Ok(answer == YesNo::Yes),
            None if !io.is_terminal => {
                io.note(
                    "Mail from the Internet stays out: --open-internet was not given. Only the \
                     office's own network is served.",
                )?;
                return Ok(false);
            }
            None => {}
        }
        let answer = ask(&Request::Status)??;
        let services = if let Answer::Status(status) = &answer {
            status.services.as_slice()
        } else {
            &[]
        };
        let text = explained(&self.domain, &places(services, &io.addresses));
        io.note(&text)?;
        match io.choose("Take mail from the Internet?")? {
            Choice::Yes => Ok(true),
            Choice::No => Ok(false),
            Choice::Cancel => Err(Stop::Cancelled),
        }
    }
}

/// Where SMTP listens, or will, as far as it is known: the exact change of S4.11.
fn places(services: &[ServiceReport], addresses: &[IpAddr]) -> Vec<SocketAddr> {
    let listening = services
        .iter()
        .filter(|service| service.name == ServiceName::Smtp)
        .flat_map(|service| &service.addresses);
    let standard = ServiceName::Smtp.port().unwrap_or(25);
    let port = listening.clone().next().map_or(standard, SocketAddr::port);
    let mut places: Vec<SocketAddr> = listening
        .filter(|place| !place.ip().is_loopback() && !place.ip().is_unspecified())
        .copied()
        .collect();
    if places.is_empty() {
        let outside = addresses.iter().filter(|address| reachable(address));
        places.extend(outside.map(|address| SocketAddr::new(*address, port)));
    }
    if places.is_empty() {
        let any = IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
        places.push(SocketAddr::new(any, port));
    }
    places
}

/// Whether another machine can reach the address, a private one through a router included.
const fn reachable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !link_local && !address.is_loopback()
}

fn explained(domain: &Domain, places: &[SocketAddr]) -> String {
    let port = places.first().map_or(25, SocketAddr::port);
    let names: Vec<String> = places
        .iter()
        .map(|place| {
            if place.ip().is_unspecified() {
                format!("every address of this machine, port {}", place.port())
            } else {
                place.to_string()
            }
        })
        .collect();
    let names = names.join(", ");
    format!(
        "
May mail servers on the Internet bring mail for {domain}?

  yes     SMTP answers peers outside the office too, at {names}.
          A firewall must let port {port} in, and a router in front must send it on to here.
  no      All else is set up; only the office's own network is served, and `gatepost status`
          says so until you change it: services.smtp_open_to_internet.
  cancel  Nothing is changed.

Sending from outside (ports 587 and 465) and collecting from outside (995) stay closed either way,
each with a setting of its own; port 110 is never opened.
"
    )
}
