//! Who may send to the Internet through the gateway, seen from outside, in each shape of an office.

use super::mail_flow::{attempt, is_refused_for_good};
use super::stage::Stage;
use super::subject::Subject;
use crate::net::Place;
use anyhow::{Context, Result};

/// A desk may; a stranger may not, whatever address the router shows him with; nor may the router.
///
/// # Errors
/// When a stranger may, or a desk may not.
pub fn relay_is_for_the_office_only(subject: &dyn Subject, place: Place) -> Result<()> {
    Stage::play(subject, place, |stage| {
        outsiders_may_not(stage)?;
        if let Some(router) = &stage.office.router {
            // The next hop is a machine of the LAN and never trusted: it may speak for anybody.
            let client = stage.client(router)?;
            let server = stage.doors().smtp_inside;
            let relay = attempt(&client, server, "bob@office.test", "fred@hotmail.test")?;
            is_refused_for_good(&relay).context("the router itself")?;
        }
        let desk = stage.client(&stage.office.desk)?;
        let server = stage.doors().smtp_inside;
        attempt(&desk, server, "bob@office.test", "fred@hotmail.test")?
            .succeeded()
            .context("a desk")?;
        stage.fred_has("X-Token: attempt")?;
        Ok(())
    })
}

/// On a rented server nobody is near enough to be trusted: neighbours on the wire are strangers.
///
/// # Errors
/// When somebody may send.
pub fn rented_server_relays_for_nobody(subject: &dyn Subject) -> Result<()> {
    Stage::play(subject, Place::RentedServer, |stage| {
        outsiders_may_not(stage)?;
        let neighbour = stage.office.neighbour.as_ref();
        for host in neighbour.into_iter().chain([&stage.office.desk]) {
            let client = stage.client(host)?;
            let server = stage.doors().smtp_outside;
            let relay = attempt(&client, server, "bob@office.test", "fred@hotmail.test")?;
            is_refused_for_good(&relay).with_context(|| host.address.to_string())?;
        }
        Ok(())
    })
}

/// A stranger's mail for the office comes in; his mail for elsewhere does not.
fn outsiders_may_not(stage: &Stage) -> Result<()> {
    let client = stage.client(&stage.office.stranger)?;
    let server = stage.doors().smtp_outside;
    for from in ["someone@elsewhere.test", "bob@office.test", ""] {
        let relay = attempt(&client, server, from, "fred@hotmail.test")?;
        is_refused_for_good(&relay).with_context(|| format!("a stranger as <{from}>"))?;
    }
    attempt(&client, server, "someone@elsewhere.test", "bob@office.test")?
        .succeeded()
        .context("mail for the office")?;
    stage.office_has(stage.bob(), "X-Token: attempt").map(drop)
}
