//! What stands in the gateway's place.

use crate::net::Office;
use crate::peers::{Account, DebianRoot};
use anyhow::Result;
use std::net::SocketAddr;

/// A mail user of the office.
#[derive(Debug, Clone, Copy)]
pub struct User {
    /// The name to sign in with.
    pub name: &'static str,
    /// In clear: these are test users.
    pub password: &'static str,
    /// The addresses whose mail is this user's; the first is the one to send from.
    pub addresses: &'static [&'static str],
}

/// What the subject is set up for: scenario 1, opened to the Internet.
#[derive(Debug, Clone, Copy)]
pub struct OfficeMail {
    /// The name the gateway goes by, and the target of the domain's MX record.
    pub host_name: &'static str,
    /// The office's domain.
    pub domain: &'static str,
    /// Its users.
    pub users: &'static [User],
}

impl OfficeMail {
    /// The office of the tests: bob and alice at `office.test`.
    pub const TEST: Self = Self {
        host_name: "mail.office.test",
        domain: "office.test",
        users: &[
            User {
                name: "bob",
                password: "bob's-Secret-1",
                addresses: &["bob@office.test", "robert@office.test"],
            },
            User {
                name: "alice",
                password: "alice's-Secret-2",
                addresses: &["alice@office.test"],
            },
        ],
    };
}

/// Where the running subject is reached.
#[derive(Debug, Clone, Copy)]
pub struct Doors {
    /// SMTP as desks use it.
    pub smtp_inside: SocketAddr,
    /// SMTP as the Internet reaches it.
    pub smtp_outside: SocketAddr,
    /// POP3 as desks use it.
    pub pop3_inside: SocketAddr,
}

impl Doors {
    /// The standard ports at the office's addresses.
    pub const fn standard(office: &Office) -> Self {
        Self {
            smtp_inside: SocketAddr::new(office.gateway.address, 25),
            smtp_outside: SocketAddr::new(office.outside_address, 25),
            pop3_inside: SocketAddr::new(office.gateway.address, 110),
        }
    }

    /// A user's mailbox, as a client at a desk is told of it.
    pub const fn account(&self, user: User) -> Account<'static> {
        Account {
            server: self.pop3_inside,
            user: user.name,
            password: user.password,
        }
    }
}

/// A way to put a mail gateway into an office.
pub trait Subject {
    /// Sets up and starts a gateway in `office.gateway`; returns when its ports answer.
    ///
    /// # Errors
    /// When it does not start, with what it said.
    fn start(
        &self,
        root: &DebianRoot,
        office: &Office,
        mail: &OfficeMail,
    ) -> Result<Box<dyn Gateway>>;
}

/// A running gateway; it ends when dropped.
pub trait Gateway {
    /// Where it is reached.
    fn doors(&self) -> Doors;

    /// Tries all waiting mail at once.
    ///
    /// # Errors
    /// When it cannot be asked to.
    fn retry_now(&self) -> Result<()>;

    /// What it has logged, for a person who reads a failed test.
    fn log(&self) -> String;
}
