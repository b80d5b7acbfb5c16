//! Scenario 1, end to end: the gateway is the office's own mail server.
//!
//! Promises: each function is one test of a [`Subject`], with an office, an Internet and peers of its
//! own; the same functions hold for stock servers ([`StockGateway`]) and for our gateway. A failure
//! carries what the servers logged.

mod mail_flow;
mod stage;
mod stock;
mod subject;
mod trust;

pub use mail_flow::{
    local_mail_needs_no_internet, mail_waits_while_the_internet_is_away, odd_destinations,
    round_trip, strangers_are_refused,
};
pub use stage::Stage;
pub use stock::StockGateway;
pub use subject::{Doors, Gateway, OfficeMail, Subject, User};
pub use trust::{relay_is_for_the_office_only, rented_server_relays_for_nobody};
