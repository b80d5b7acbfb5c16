//! The relay table (S4.7): who x what, the first line that allows it wins.
//!
//! Promises: what no line allows is refused; the null reverse-path counts as outside; a line for
//! internal peers never matches an external one. Does not: read the scenario.

use std::net::IpAddr;

use mail::{Address, ForwardPath, ReversePath};

use crate::facts::ConnectionFacts;
use crate::settings::{Device, DomainKind, RelayEntry, Settings, Who};
use crate::trust::is_private;
use crate::{Because, Direction};

/// From where to where this goes.
///
/// A sender is local if its domain is listed at all, a recipient if we take mail for its domain.
pub fn direction(settings: &Settings, from: &ReversePath, to: &ForwardPath) -> Direction {
    let from_local = from.address().is_some_and(|a| is_listed(settings, a));
    let to_local = match to {
        ForwardPath::Postmaster => true,
        ForwardPath::Address(address) => takes_mail_for(settings, address),
    };
    match (from_local, to_local) {
        (true, true) => Direction::LocalToLocal,
        (true, false) => Direction::LocalToOutside,
        (false, true) => Direction::OutsideToLocal,
        (false, false) => Direction::OutsideToOutside,
    }
}

/// Whether the address is of a listed domain of any kind.
pub(crate) fn is_listed(settings: &Settings, address: &Address) -> bool {
    address
        .domain()
        .is_some_and(|domain| settings.domains.find(domain).is_some())
}

fn takes_mail_for(settings: &Settings, address: &Address) -> bool {
    let entry = address.domain().and_then(|d| settings.domains.find(d));
    entry.is_some_and(|entry| match entry.kind {
        DomainKind::Hosted | DomainKind::Passed | DomainKind::Split => true,
        DomainKind::SendingOnly => false,
    })
}

/// The first line of the table that allows this direction to this connection.
///
/// # Errors
/// `RelayRefused` where no line does.
pub fn relay<'a>(
    settings: &'a Settings,
    connection: &ConnectionFacts,
    direction: Direction,
) -> Result<&'a RelayEntry, Because> {
    settings
        .security
        .relay
        .iter()
        .find(|entry| entry.allows.contains(&direction) && speaks_of(&entry.who, connection))
        .ok_or_else(|| Because::RelayRefused {
            direction,
            standing: standing_in_words(connection),
        })
}

/// Whether a line of the table speaks of this connection.
fn speaks_of(who: &Who, connection: &ConnectionFacts) -> bool {
    match who {
        Who::Internal => connection.standing.internal,
        Who::Range { network } => {
            connection.standing.internal && network.contains(connection.peer.ip())
        }
        Who::Host { address } => is_machine(connection, *address),
        Who::SignedIn => connection.user.is_some(),
        Who::Anyone => true,
    }
}

/// The listed device that the peer is, if it is one; never somebody whom a router only shows.
pub fn device<'a>(settings: &'a Settings, connection: &ConnectionFacts) -> Option<&'a Device> {
    let mut devices = settings.security.devices.iter();
    devices.find(|device| is_machine(connection, device.address))
}

/// Whether the peer is the one machine that a line names.
///
/// A private address counts only on an internal connection: from outside it would be the router
/// itself, which speaks for strangers when it masquerades. A next hop never counts, whatever its
/// address: somebody may have listed it because their own people come from behind it.
pub(crate) fn is_machine(connection: &ConnectionFacts, listed: IpAddr) -> bool {
    let peer = connection.peer.ip().to_canonical();
    let listed = listed.to_canonical();
    let standing = &connection.standing;
    peer == listed
        && !standing.speaks_for_others
        && (standing.internal || !is_private(listed) && !listed.is_loopback())
}

fn standing_in_words(connection: &ConnectionFacts) -> String {
    match &connection.user {
        Some(user) => format!("{}; signed in as {user}", connection.standing.fact),
        None => format!("{}; not signed in", connection.standing.fact),
    }
}

/// The table of scenario 1: internal peers and signed-in users to anywhere, everybody to us.
///
/// Outside to outside is in it because the null reverse-path counts as outside and reports that
/// our own people's programs send (S1.1) must leave; who may give which sender is `sender`'s rule.
pub fn scenario_one() -> Vec<RelayEntry> {
    let everywhere = [
        Direction::LocalToLocal,
        Direction::LocalToOutside,
        Direction::OutsideToLocal,
        Direction::OutsideToOutside,
    ];
    // Strangers who send as us are receiving.own_domain_spoofing_refused's business, here they
    // would be refused whatever it says.
    let to_us = [Direction::LocalToLocal, Direction::OutsideToLocal];
    let line = |name: &str, who, allows: &[Direction]| RelayEntry {
        name: name.to_owned(),
        who,
        allows: allows.to_vec(),
    };
    vec![
        line("the office", Who::Internal, &everywhere),
        line("our users", Who::SignedIn, &everywhere),
        line("mail for us", Who::Anyone, &to_us),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::{LAN, STRANGER, connection, settings, signed_in};

    fn way(from: &str, to: &str) -> Direction {
        direction(&settings(), &from.parse().unwrap(), &to.parse().unwrap())
    }

    #[test]
    fn local_means_listed_for_senders_and_taken_in_for_recipients() {
        assert_eq!(
            way("bob@office.example", "alice@office.test"),
            Direction::LocalToLocal
        );
        assert_eq!(
            way("bob@brand.example", "fred@out.example"),
            Direction::LocalToOutside
        );
        assert_eq!(
            way("fred@out.example", "bob@office.example"),
            Direction::OutsideToLocal
        );
        assert_eq!(
            way("fred@out.example", "bob@brand.example"),
            Direction::OutsideToOutside
        );
        assert_eq!(
            way("fred@out.example", "Postmaster"),
            Direction::OutsideToLocal
        );
        assert_eq!(
            way("bob@[192.0.2.1]", "bob@[192.0.2.1]"),
            Direction::OutsideToOutside
        );
    }

    #[test]
    fn the_null_reverse_path_counts_as_outside() {
        assert_eq!(way("<>", "bob@office.example"), Direction::OutsideToLocal);
        assert_eq!(way("<>", "fred@out.example"), Direction::OutsideToOutside);
    }

    #[test]
    fn the_first_line_that_allows_it_wins_and_is_named() {
        let mut settings = settings();
        let name = |settings: &Settings, peer: &str| {
            relay(settings, &connection(peer), Direction::OutsideToLocal)
                .map(|line| line.name.clone())
        };
        assert_eq!(name(&settings, LAN).as_deref(), Ok("the office"));
        assert_eq!(name(&settings, STRANGER).as_deref(), Ok("mail for us"));
        settings.security.relay.reverse();
        assert_eq!(name(&settings, LAN).as_deref(), Ok("mail for us"));
    }

    #[test]
    fn strangers_may_not_send_on_and_signed_in_users_may() {
        for towards in [Direction::LocalToOutside, Direction::OutsideToOutside] {
            let settings = settings();
            let refused = relay(&settings, &connection(STRANGER), towards);
            assert!(matches!(refused, Err(Because::RelayRefused { .. })));
            assert!(relay(&settings, &signed_in("bob"), towards).is_ok());
        }
    }

    #[test]
    fn a_next_hop_is_no_known_machine_even_if_listed() {
        let mut hop = connection("203.0.113.1");
        let listed: Who = "203.0.113.1".parse().unwrap();
        assert!(speaks_of(&listed, &hop));
        hop.standing.speaks_for_others = true;
        assert!(!speaks_of(&listed, &hop));
    }

    #[test]
    fn every_line_can_be_removed_loopback_included() {
        let mut settings = settings();
        settings.security.relay.clear();
        let peer = connection(LAN);
        assert!(relay(&settings, &peer, Direction::LocalToLocal).is_err());
    }

    #[test]
    fn a_range_or_a_private_host_never_matches_an_external_peer() {
        let mut outside = connection("192.168.0.1");
        outside.standing.internal = false;
        for who in ["192.168.0.0/24", "192.168.0.1", "internal"] {
            let who: Who = who.parse().unwrap();
            assert!(!speaks_of(&who, &outside), "{who}");
            assert!(speaks_of(&who, &connection("192.168.0.1")), "{who}");
        }
        assert!(speaks_of(
            &"203.0.113.9".parse().unwrap(),
            &connection(STRANGER)
        ));
        assert!(!speaks_of(
            &"203.0.113.8".parse().unwrap(),
            &connection(STRANGER)
        ));
    }
}
