//! Scenario 1 on stock servers: Postfix and Dovecot in the gateway's place.

use anyhow::Result;
use testkit::net::Place;
use testkit::scenario1::{self, StockGateway};

#[test]
fn bob_and_fred_write_to_each_other() -> Result<()> {
    scenario1::round_trip(&StockGateway)
}

#[test]
fn strangers_are_refused_at_rcpt() -> Result<()> {
    scenario1::strangers_are_refused(&StockGateway)
}

#[test]
fn local_mail_needs_no_internet() -> Result<()> {
    scenario1::local_mail_needs_no_internet(&StockGateway)
}

#[test]
fn mail_waits_while_the_internet_is_away() -> Result<()> {
    scenario1::mail_waits_while_the_internet_is_away(&StockGateway)
}

#[test]
fn odd_destinations_are_reached_or_reported() -> Result<()> {
    scenario1::odd_destinations(&StockGateway)
}

#[test]
fn router_with_two_cards_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(&StockGateway, Place::TwoCards)
}

#[test]
fn gateway_behind_a_router_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(&StockGateway, Place::BehindRouter)
}

#[test]
fn gateway_behind_a_masquerading_router_relays_for_its_office_only() -> Result<()> {
    scenario1::relay_is_for_the_office_only(&StockGateway, Place::BehindMasqueradingRouter)
}

#[test]
fn rented_server_relays_for_nobody() -> Result<()> {
    scenario1::rented_server_relays_for_nobody(&StockGateway)
}
