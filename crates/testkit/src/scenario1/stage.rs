//! The stage for one test: an office, the Internet with another site, and the subject in between.

use super::subject::{Doors, Gateway, OfficeMail, Subject, User};
use crate::net::{Host, Office, Place};
use crate::peers::{
    Account, Client, DebianRoot, DnsServer, Dovecot, Message, Postfix, PostfixSettings,
};
use crate::running::Outcome;
use crate::wait;
use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The Internet's zones; all that is not here does not exist.
const ZONES: [(&str, &str); 10] = [
    ("office.test", "@ MX 10 mail\nmail A 203.0.113.10\n"),
    // The preferred host is up but serves no mail: senders go on to the next.
    (
        "hotmail.test",
        "@ MX 20 mx\n@ MX 10 down\nmx A 198.51.100.25\ndown A 198.51.100.99\n",
    ),
    // No MX: the address itself is the mail host.
    ("aonly.test", "@ A 198.51.100.25\n"),
    // An MX that points at an alias, forbidden and common.
    ("alias.test", "@ MX 10 mail\nmail CNAME mx.hotmail.test.\n"),
    // IPv6 is published and leads nowhere from here.
    (
        "dual.test",
        "@ MX 10 mx\nmx AAAA 2001:db8::25\nmx A 198.51.100.25\n",
    ),
    // A domain that says it takes no mail.
    ("null.test", "@ MX 0 .\n@ A 198.51.100.25\n"),
    ("elsewhere.test", "@ MX 10 mx\nmx A 198.51.100.99\n"),
    // A site that a test sets up by itself, at `Stage::FAR_SITE`.
    ("far.test", "@ MX 10 mx\nmx A 198.51.100.98\n"),
    // Reached by IPv6 alone.
    ("six.test", "@ MX 10 mx\nmx AAAA 2001:db8:1::25\n"),
    // A neighbour of living hosts that is switched off, and an IPv4 address that lives.
    (
        "half.test",
        "@ MX 10 mx\nmx AAAA 2001:db8:1::dead\nmx A 198.51.100.25\n",
    ),
];

/// Everything that a test of scenario 1 plays with. The order of fields is the order of the end.
pub struct Stage {
    /// The subject.
    pub gateway: Box<dyn Gateway>,
    /// The other site's mail server.
    pub hotmail: Postfix,
    /// The other site's mailboxes: fred's.
    pub mailboxes: Dovecot,
    /// The Internet's DNS.
    pub dns: DnsServer,
    /// The networks.
    pub office: Office,
    /// Where peers come from.
    pub root: DebianRoot,
}

impl Stage {
    /// Plays a test: builds everything, and adds the logs to whatever fails.
    ///
    /// # Errors
    /// Those of the test, and of building.
    pub fn play(
        subject: &dyn Subject,
        place: Place,
        test: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<()> {
        let stage = Self::build(subject, place)?;
        test(&stage).with_context(|| {
            format!(
                "--- gateway\n{}\n--- hotmail\n{}\n{}\n---",
                tail(&stage.gateway.log()),
                tail(&stage.hotmail.log()),
                tail(&stage.mailboxes.log())
            )
        })
    }

    fn build(subject: &dyn Subject, place: Place) -> Result<Self> {
        let root = DebianRoot::find()?;
        let office = Office::build(place)?;
        let dns = DnsServer::start(&root, &office.dns, &ZONES, &[])?;
        let mailboxes = Dovecot::start(&root, &office.hotmail, &[("fred", "freds-Secret")])?;
        let settings = PostfixSettings {
            host_name: "mx.hotmail.test",
            domains: "hotmail.test aonly.test alias.test dual.test six.test half.test",
            addresses: &[
                ("fred@hotmail.test", "fred@hotmail.test"),
                ("fred@aonly.test", "fred@hotmail.test"),
                ("fred@alias.test", "fred@hotmail.test"),
                ("fred@dual.test", "fred@hotmail.test"),
                ("fred@six.test", "fred@hotmail.test"),
                ("fred@half.test", "fred@hotmail.test"),
            ],
            lmtp: mailboxes.lmtp(),
            main: "",
        };
        let hotmail = Postfix::start(&root, &office.hotmail, &settings)?;
        let gateway = subject.start(&root, &office, &OfficeMail::TEST)?;
        Ok(Self {
            gateway,
            hotmail,
            mailboxes,
            dns,
            office,
            root,
        })
    }

    /// The last number of the address that `far.test` points at; no machine is there at first.
    pub const FAR_SITE: u8 = 98;

    /// Where the subject is reached.
    pub fn doors(&self) -> Doors {
        self.gateway.doors()
    }

    /// Bob, at his desk.
    pub fn bob(&self) -> User {
        user("bob")
    }

    /// Alice, at hers.
    pub fn alice(&self) -> User {
        user("alice")
    }

    /// Mail programs on a host.
    ///
    /// # Errors
    /// When the root cannot be written.
    pub fn client<'a>(&'a self, host: &'a Host) -> Result<Client<'a>> {
        Client::new(&self.root, host)
    }

    /// Fred writes to the office: his site's own server looks up the MX and delivers.
    ///
    /// # Errors
    /// When his server does not take the message.
    pub fn fred_writes(&self, to: &str, text: &str) -> Result<Outcome> {
        let message = Message {
            server: SocketAddr::new(self.office.hotmail.address, 25),
            from: "fred@hotmail.test",
            to: &[to],
            text,
        };
        self.client(&self.office.hotmail)?
            .swaks(message, &[])?
            .succeeded()
            .context("Fred's own server did not take his message")
    }

    /// Waits until Fred's mailbox holds a message with `token`, and answers with it.
    ///
    /// # Errors
    /// When it does not come.
    pub fn fred_has(&self, token: &str) -> Result<String> {
        wait::until(&format!("{token} at Fred's"), wait::PATIENCE, || {
            let mut messages = self.mailboxes.messages("fred");
            messages.retain(|message| message.contains(token));
            messages.pop()
        })
    }

    /// Waits until a user's mailbox holds a message with `token`; it stays there.
    ///
    /// # Errors
    /// When it does not come.
    pub fn office_has(&self, user: User, token: &str) -> Result<String> {
        let (client, account) = self.reader(user)?;
        wait::until(
            &format!("{token} at {}'s", user.name),
            wait::PATIENCE,
            || {
                (1..=9)
                    .map_while(|number| client.curl_collect(account, number).ok())
                    .take_while(Outcome::ok)
                    .map(|outcome| outcome.output.replace("\r\n", "\n"))
                    .find(|message| message.contains(token))
            },
        )
    }

    /// Where a user reads mail without TLS: at a desk, or on the rented server itself, since no
    /// password crosses the Internet in clear text.
    fn reader(&self, user: User) -> Result<(Client<'_>, Account<'static>)> {
        let mut account = self.doors().account(user);
        if self.office.place != Place::RentedServer {
            return Ok((self.client(&self.office.desk)?, account));
        }
        account.server.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok((self.client(&self.office.gateway)?, account))
    }
}

fn user(name: &str) -> User {
    let found = OfficeMail::TEST.users.iter().find(|user| user.name == name);
    *found.unwrap_or(&User {
        name: "nobody",
        password: "",
        addresses: &[],
    })
}

/// The end of a log, as much as a person reads.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(60);
    lines.get(from..).unwrap_or_default().join("\n")
}
