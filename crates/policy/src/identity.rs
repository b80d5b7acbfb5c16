//! Who is held to which senders (S1.1), the same for the reverse-path and the header From.
//!
//! Promises: one rule for both; the line that would allow a refused sender is part of the answer.

use mail::{Address, MailHost};

use crate::UserName;
use crate::address_book::{is_role, listed_or_tagged, same_local, without_tag};
use crate::facts::ConnectionFacts;
use crate::relay::{device, is_listed, is_machine};
use crate::settings::{Device, DomainKind, Settings};

/// As whom a connection speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Identity<'a> {
    /// A signed-in user.
    User(&'a UserName),
    /// A device on the list, without sign-in.
    Device(&'a Device),
    /// An inner server of ours, which speaks for its own users.
    InnerServer,
    /// Another internal peer without sign-in.
    Internal,
    /// Anybody else.
    Stranger,
}

impl<'a> Identity<'a> {
    /// As whom this connection speaks.
    pub(crate) fn of(settings: &'a Settings, connection: &'a ConnectionFacts) -> Self {
        if let Some(user) = &connection.user {
            return Self::User(user);
        }
        if let Some(device) = device(settings, connection) {
            return Self::Device(device);
        }
        if is_inner_server(settings, connection) {
            Self::InnerServer
        } else if connection.standing.internal {
            Self::Internal
        } else {
            Self::Stranger
        }
    }

    /// Whether this one may give `address` as a sender; strangers are not held to any.
    pub(crate) fn may_send_as(self, settings: &Settings, address: &Address) -> bool {
        match self {
            Self::User(user) => user_may_send_as(settings, user, address),
            Self::Device(device) if device.may_send_as.is_empty() => is_listed(settings, address),
            Self::Device(device) => device
                .may_send_as
                .iter()
                .any(|allowed| is_same(settings, allowed, address)),
            Self::Internal => is_listed(settings, address),
            Self::InnerServer | Self::Stranger => true,
        }
    }

    /// The line of the Security tab that would let this one send as `address`.
    pub(crate) fn line_for(self, connection: &ConnectionFacts, address: &str) -> String {
        match self {
            Self::User(user) => {
                format!("security.may_send_as: {{ user = \"{user}\", address = \"{address}\" }}")
            }
            Self::Device(device) => format!(
                "security.devices: {{ name = \"{}\", may_send_as = [\"{address}\"] }}",
                device.name
            ),
            Self::InnerServer | Self::Internal | Self::Stranger => {
                let peer = connection.peer.ip().to_canonical();
                format!(
                    "security.devices: {{ name = \"device at {peer}\", address = \"{peer}\", \
                     may_send_as = [\"{address}\"] }}"
                )
            }
        }
    }
}

/// Whether the peer is a host that mail of a passed or split domain is handed to; one that is only
/// kept from another scenario does not count.
pub(crate) fn is_inner_server(settings: &Settings, connection: &ConnectionFacts) -> bool {
    let used = settings.delivery.inner.iter().filter(|server| {
        let entry = settings.domains.find(&server.domain);
        entry.is_some_and(|e| matches!(e.kind, DomainKind::Passed | DomainKind::Split))
    });
    let mut hosts = used.flat_map(|server| &server.hosts);
    hosts.any(|host| match &host.host {
        MailHost::Address(address) => is_machine(connection, *address),
        MailHost::Domain(_) => false,
    })
}

fn user_may_send_as(settings: &Settings, user: &UserName, address: &Address) -> bool {
    let by_line = settings.security.may_send_as.iter().any(|line| {
        line.user == *user
            && (line
                .address
                .as_ref()
                .is_some_and(|a| is_same(settings, a, address))
                || line
                    .domain
                    .as_ref()
                    .is_some_and(|d| is_of_domain(settings, d, address)))
    });
    by_line || is_theirs(settings, user, address)
}

/// Whether the Addresses tab ties the address, tagged or by an alias of its domain, to the user.
fn is_theirs(settings: &Settings, user: &UserName, address: &Address) -> bool {
    let Some(domain) = address.domain().and_then(|d| settings.domains.find(d)) else {
        return false;
    };
    let local = address.local.as_str();
    match listed_or_tagged(settings, domain, local) {
        Some((entry, _)) => entry.users.contains(user),
        None => is_role(settings, local) && settings.addresses.postmaster.contains(user),
    }
}

/// Whether `address` is `allowed`, or a tagged or aliased form of it.
fn is_same(settings: &Settings, allowed: &Address, address: &Address) -> bool {
    let same_name = |local: &str| same_local(allowed.local.as_str(), local);
    let local = address.local.as_str();
    let same_host = match (&allowed.host, &address.host) {
        (MailHost::Domain(domain), MailHost::Domain(_)) => is_of_domain(settings, domain, address),
        (one, other) => one == other,
    };
    if !same_host || same_name(local) {
        return same_host;
    }
    // A tag only where the Addresses tab does not say that the name before it is somebody else's.
    let domain = address.domain().and_then(|d| settings.domains.find(d));
    match domain.and_then(|domain| listed_or_tagged(settings, domain, local)) {
        Some((entry, _)) => same_name(entry.address.local.as_str()),
        None => without_tag(settings, local).any(same_name),
    }
}

/// Whether the address is of that domain or of another name of the same listed domain.
fn is_of_domain(settings: &Settings, domain: &mail::Domain, address: &Address) -> bool {
    let Some(of) = address.domain() else {
        return false;
    };
    if of == domain {
        return true;
    }
    match (settings.domains.find(of), settings.domains.find(domain)) {
        (Some(one), Some(other)) => one.name == other.name,
        _ => false,
    }
}
