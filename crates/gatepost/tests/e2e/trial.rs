//! A stage with Gatepost on it, its operator, and the programs of bob and alice at their desks.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use testkit::net::{Host, Office, Place};
use testkit::peers::{Client, Message, SignIn, Tls};
use testkit::running::Outcome;
use testkit::scenario1::{Stage, User};

use crate::subject::{GatepostGateway, Operator};

/// What a test of Gatepost plays with.
pub(crate) struct Trial<'a> {
    /// The networks, and the other site.
    pub(crate) stage: &'a Stage,
    /// The gateway's commands.
    pub(crate) operator: &'a Operator,
}

/// Plays a test in an office of a shape; only port 25 is open to the Internet.
pub(crate) fn play(place: Place, test: impl FnOnce(&Trial<'_>) -> Result<()>) -> Result<()> {
    let gateway = GatepostGateway::default();
    Stage::play(&gateway, place, |stage| {
        test(&Trial {
            stage,
            operator: gateway.operator()?,
        })
    })
}

impl Trial<'_> {
    /// A port of the gateway as desks reach it.
    pub(crate) fn inside(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.stage.office.gateway.address, port)
    }

    /// A port of the gateway as the Internet reaches it.
    pub(crate) fn outside(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.stage.office.outside_address, port)
    }

    /// The desk's mail programs; they trust the gateway's own authority.
    pub(crate) fn desk(&self) -> Result<Client<'_>> {
        self.client(&self.stage.office.desk)
    }

    /// Mail programs on any host; they trust the gateway's own authority.
    pub(crate) fn client<'a>(&'a self, host: &'a Host) -> Result<Client<'a>> {
        self.stage.client(host)?.trust(&self.operator.authority()?)
    }

    /// Waits for a message in a user's mailbox; lines end by LF.
    pub(crate) fn has(&self, user: User, token: &str) -> Result<String> {
        self.stage.office_has(user, token)
    }

    /// How many messages a user's mailbox holds that contain a token.
    pub(crate) fn count(&self, user: User, token: &str) -> Result<usize> {
        let desk = self.stage.client(&self.stage.office.desk)?;
        let account = self.stage.doors().account(user);
        let mut found = 0;
        for number in 1..=99 {
            let message = desk.curl_collect(account, number)?;
            if !message.ok() {
                return Ok(found);
            }
            found += usize::from(message.output.contains(token));
        }
        Ok(found)
    }

    /// Bob, by a mechanism, over a kind of TLS.
    pub(crate) fn bob(&self, tls: Tls, mechanism: &'static str) -> SignIn<'static> {
        let bob = self.stage.bob();
        SignIn {
            tls,
            user: bob.name,
            password: bob.password,
            mechanism,
        }
    }
}

/// A short message with a token to know it by.
pub(crate) fn note(from: &str, to: &str, token: &str) -> String {
    format!("From: {from}\nTo: {to}\nSubject: {token}\nX-Token: {token}\n\n.A note.\n")
}

/// Bob's message to somebody, for any program.
pub(crate) const fn from_bob<'a>(
    server: SocketAddr,
    to: &'a [&'a str],
    text: &'a str,
) -> Message<'a> {
    Message {
        server,
        from: "bob@office.test",
        to,
        text,
    }
}

/// That a program failed, and the server had said this.
pub(crate) fn was_told(outcome: &Outcome, words: &str) -> Result<()> {
    ensure!(!outcome.ok(), "not refused:\n{}", outcome.output);
    let told = outcome.output.contains(words);
    ensure!(told, "refused, but not by {words}:\n{}", outcome.output);
    Ok(())
}

/// The interface's name, for those who move addresses about.
pub(crate) const DESK_CARD: &str = "eth0";

/// Where the far site of a test's own is.
pub(crate) fn far_site(office: &Office) -> Result<Host> {
    office.add_stranger(Stage::FAR_SITE)
}
