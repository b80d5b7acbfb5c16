//! A reason as one full sentence for operators, naming the setting behind it.
//!
//! Does not: go to peers; what they hear is in `public`.

use std::fmt;

use mail::{Address, ReversePath};

use crate::settings::bytes_in_words;
use crate::{Because, Direction, UserName};

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalToLocal => "local to local",
            Self::LocalToOutside => "local to outside",
            Self::OutsideToLocal => "outside to local",
            Self::OutsideToOutside => "outside to outside",
        })
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self))
    }
}

/// Asks each group of reasons for its sentence; every reason is in exactly one.
fn sentence(because: &Because) -> String {
    of_connection(because)
        .or_else(|| of_sender(because))
        .or_else(|| of_resources(because))
        .or_else(|| of_recipient(because))
        .or_else(|| of_delivery(because))
        .unwrap_or_default()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test sees that every reason has a sentence in one of the groups"
)]
fn of_connection(because: &Because) -> Option<String> {
    Some(match because {
        Because::ServiceOpen { service, setting } => {
            format!("The service {service} answers this peer: {setting}.")
        }
        Because::NotOpenToInternet { service, setting } => format!(
            "The service {service} is not open to the Internet ({setting}), and the peer is \
             external."
        ),
        Because::SignInRequired { service } => {
            format!("The service {service} takes mail from signed-in users only.")
        }
        Because::UserNotEnabled { user } => {
            format!("{user} signed in but is not, or no longer, an enabled user.")
        }
        Because::TooManyConnections { setting, limit } => {
            format!("{limit} connections are open, as many as {setting} allows.")
        }
        Because::TooManyConnectionsFromSource {
            setting,
            limit,
            source,
        } => format!("{source} has {limit} open connections, as many as {setting} allows."),
        Because::TooManyMessagesFromSource {
            setting,
            limit,
            source,
        } => format!(
            "{source} sent more than {limit} messages within a minute, which is what {setting} \
             allows."
        ),
        _ => return None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test sees that every reason has a sentence in one of the groups"
)]
fn of_sender(because: &Because) -> Option<String> {
    Some(match because {
        Because::SenderAcceptable { fact } => format!("Nothing speaks against the sender: {fact}."),
        Because::SenderIsTheirs { user, sender } => {
            format!("{user} may send as {}.", path(sender))
        }
        Because::SenderNotTheirs { user, sender, line } => format!(
            "{sender} is no address of {user}, and security.senders_held_to_own is on; this line \
             would allow it: {line}"
        ),
        Because::SenderDomainNotListed { sender, line } => format!(
            "{sender} is of no domain in domains.list, and security.senders_held_to_own is on; \
             this line would allow it: {line}"
        ),
        Because::DeviceMaySend { device, sender } => format!(
            "security.devices lets the device \"{device}\" send as {}.",
            path(sender)
        ),
        Because::DeviceMayNotSendAs {
            device,
            sender,
            line,
        } => format!(
            "security.devices does not let the device \"{device}\" send as {sender}; this line \
             would: {line}"
        ),
        Because::SenderDomainUnknown { domain, setting } => format!(
            "The sender's domain {domain} does not exist in DNS or can take no mail, and {setting} \
             is on."
        ),
        Because::SenderDomainNotLearnt {
            domain,
            setting,
            failure,
        } => format!(
            "DNS did not say whether the sender's domain {domain} exists ({failure}), and \
             {setting} is on."
        ),
        Because::SenderDomainNullMx { domain } => {
            format!("The sender's domain {domain} says that it takes no mail (null MX).")
        }
        Because::SenderDomainNumeric { sender, setting } => {
            format!("{sender} has an IP address for a domain, and {setting} is on.")
        }
        Because::NullReversePathRefused { setting } => {
            format!("The null reverse-path is refused, because {setting} is on.")
        }
        Because::OwnDomainSpoofed { domain, setting } => format!(
            "An external peer that is not signed in sends as {domain}, which is ours, and \
             {setting} is on."
        ),
        Because::HeaderFromNotAllowed { from, line } => format!(
            "The header From is not one that this peer may give, and security.senders_held_to_own \
             is on: {from}; what would allow it: {line}"
        ),
        _ => return None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test sees that every reason has a sentence in one of the groups"
)]
fn of_resources(because: &Because) -> Option<String> {
    Some(match because {
        Because::TooLarge {
            size_bytes,
            limit_bytes,
            setting,
        } => format!(
            "The message has {size_bytes} octets, more than the {} of {setting}.",
            bytes_in_words(*limit_bytes)
        ),
        Because::DiskLow {
            free_bytes,
            limit_bytes,
            setting,
        } => format!(
            "Only {} MiB of disk are free, less than the {} of {setting}.",
            free_bytes >> 20,
            bytes_in_words(*limit_bytes)
        ),
        Because::DiskNotLearnt { failure } => {
            format!("How much disk is free could not be learnt: {failure}.")
        }
        Because::TooManyRecipients { setting, limit } => {
            format!("The message has {limit} recipients, as many as {setting} allows.")
        }
        Because::TooManyHops { hops, limit } => format!(
            "The message has {hops} Received fields, more than the {limit} of receiving.hops_max."
        ),
        Because::MessageAcceptable { fact } => format!("Every check passed: {fact}."),
        Because::MemoryShort { what } => format!("Memory is short just now for {what}."),
        Because::Outside { part, failure } => format!("No answer came from {part}: {failure}."),
        _ => return None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test sees that every reason has a sentence in one of the groups"
)]
fn of_recipient(because: &Because) -> Option<String> {
    Some(match because {
        Because::AddressKnown {
            address,
            users,
            via,
        } => format!("{address} is for {} ({via}).", names(users)),
        Because::AddressUnknown { address, nearest } => unknown(address, nearest.as_ref()),
        Because::AddressWithoutUser { address, users } => format!(
            "Addresses has {address} for {}, but no such user exists or is enabled.",
            names(users)
        ),
        Because::DomainPassed { domain, entry } => format!(
            "domains.list passes {domain} to an inner server, let in by security.relay \"{entry}\"."
        ),
        Because::RelayAllowed { entry, direction } => {
            format!("The line \"{entry}\" of security.relay allows {direction}.")
        }
        Because::RelayRefused {
            direction,
            standing,
        } => format!("No line of security.relay allows {direction} to this peer: {standing}."),
        Because::RecipientNotRoutable { recipient } => {
            format!("No mail can be sent to {recipient}, by its form.")
        }
        Because::RecipientNullMx { domain } => {
            format!("The domain {domain} says that it takes no mail (null MX).")
        }
        Because::RecipientDomainUnknown { domain } => {
            format!("The domain {domain} does not exist in DNS or can take no mail.")
        }
        _ => return None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test sees that every reason has a sentence in one of the groups"
)]
fn of_delivery(because: &Because) -> Option<String> {
    Some(match because {
        Because::RoutedBy { setting, next_hop } => format!("It goes to {next_hop}, by {setting}."),
        Because::FarSide { host, reply } => format!("{host} said: {reply}"),
        Because::LoopsToOurselves { host } => {
            format!("The way to the recipient leads back to this gateway, by {host}.")
        }
        Because::Expired { setting, last } => {
            format!("It was tried until {setting} said to stop; the last failure was: {last}")
        }
        Because::FarSideLacks { host, extension } => {
            format!("{host} does not offer {extension}, which the message needs.")
        }
        Because::DeletedByOperator { operator } => {
            format!("It was taken out of the queue by {operator}.")
        }
        Because::Unreachable { failure } => format!("No host could be reached: {failure}."),
        _ => return None,
    })
}

fn path(path: &ReversePath) -> String {
    match path {
        ReversePath::Null => "<>".to_owned(),
        ReversePath::Address(address) => address.to_string(),
    }
}

fn names(users: &[UserName]) -> String {
    let names: Vec<&str> = users.iter().map(UserName::as_str).collect();
    names.join(", ")
}

fn unknown(address: &Address, nearest: Option<&Address>) -> String {
    let (local, host) = (&address.local, &address.host);
    let nothing = format!("Addresses has no {local} and no catch-all for {host}");
    match nearest {
        Some(nearest) => format!("{nothing}; nearest is {nearest}."),
        None => format!("{nothing}."),
    }
}
