//! The name of a destination in the queue.

use std::net::IpAddr;

use policy::route::NextHop;

/// The key by which queue entries share connections and fate; `None` for mailboxes here.
///
/// A domain stands for its mail exchangers; hosts of ours carry a word before them, which no
/// domain can look like, because a domain has no colon.
pub fn destination(next_hop: &NextHop) -> Option<String> {
    match next_hop {
        NextHop::Mailboxes { .. } => None,
        NextHop::InnerServer { server } => Some(format!("inner:{}", server.domain)),
        NextHop::SmartHost { host } => Some(format!("smarthost:{}:{}", host.host, host.port)),
        NextHop::Mx { domain } => Some(domain.to_string()),
        NextHop::Literal { address } => Some(literal(*address)),
    }
}

fn literal(address: IpAddr) -> String {
    mail::MailHost::Address(address).to_string()
}
