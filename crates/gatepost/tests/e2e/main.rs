//! Scenario 1 with Gatepost in the gateway's place, by real programs in network namespaces.
//!
//! Here: what holds for stock servers, too. In the modules: what Gatepost promises beyond that.

mod collection;
mod content;
mod devices;
mod dialogue;
mod dual_stack;
mod installing;
mod openness;
mod outbound;
mod reports;
mod sign_in;
mod subject;
mod submission;
mod trial;
mod unicode;

use anyhow::Result;
use subject::GatepostGateway;
use testkit::net::Place;
use testkit::scenario1;

#[test]
fn bob_and_fred_write_to_each_other() -> Result<()> {
    scenario1::round_trip(&GatepostGateway::default())
}

#[test]
fn strangers_are_refused_at_rcpt() -> Result<()> {
    scenario1::strangers_are_refused(&GatepostGateway::default())
}

#[test]
fn local_mail_needs_no_internet() -> Result<()> {
    scenario1::local_mail_needs_no_internet(&GatepostGateway::default())
}

#[test]
fn mail_waits_while_the_internet_is_away() -> Result<()> {
    scenario1::mail_waits_while_the_internet_is_away(&GatepostGateway::default())
}

#[test]
fn odd_destinations_are_reached_or_reported() -> Result<()> {
    scenario1::odd_destinations(&GatepostGateway::default())
}

#[test]
fn router_with_two_cards_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(&GatepostGateway::default(), Place::TwoCards)
}

#[test]
fn gateway_behind_a_router_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(&GatepostGateway::default(), Place::BehindRouter)
}

#[test]
fn gateway_behind_a_masquerading_router_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(
        &GatepostGateway::default(),
        Place::BehindMasqueradingRouter,
    )
}

#[test]
fn rented_server_relays_for_nobody() -> Result<()> {
    scenario1::rented_server_relays_for_nobody(&GatepostGateway::default())
}
