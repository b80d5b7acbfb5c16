//! Postfix with Dovecot in the gateway's place: what scenario 1 is first proven on.

use super::subject::{Doors, Gateway, OfficeMail, Subject};
use crate::net::{Office, Place};
use crate::peers::{DebianRoot, Dovecot, Postfix, PostfixSettings};
use anyhow::Result;

/// Stock servers, set up as a careful administrator would.
#[derive(Debug, Clone, Copy)]
pub struct StockGateway;

struct Running {
    postfix: Postfix,
    dovecot: Dovecot,
    doors: Doors,
}

impl Subject for StockGateway {
    fn start(
        &self,
        root: &DebianRoot,
        office: &Office,
        mail: &OfficeMail,
    ) -> Result<Box<dyn Gateway>> {
        let users: Vec<(&str, &str)> = mail
            .users
            .iter()
            .map(|user| (user.name, user.password))
            .collect();
        let dovecot = Dovecot::start(root, &office.gateway, &users)?;
        let mut addresses = Vec::new();
        let mailboxes: Vec<String> = mail
            .users
            .iter()
            .map(|user| format!("{}@{}", user.name, mail.domain))
            .collect();
        for (user, mailbox) in mail.users.iter().zip(&mailboxes) {
            for address in user.addresses {
                addresses.push((*address, mailbox.as_str()));
            }
        }
        let settings_file = format!(
            "mynetworks = {}\nsmtpd_relay_restrictions = permit_mynetworks, \
             reject_unauth_destination\nrelay_domains =\n",
            own_networks(office.place)
        );
        let settings = PostfixSettings {
            host_name: mail.host_name,
            domains: mail.domain,
            addresses: &addresses,
            lmtp: dovecot.lmtp(),
            main: &settings_file,
        };
        let postfix = Postfix::start(root, &office.gateway, &settings)?;
        Ok(Box::new(Running {
            postfix,
            dovecot,
            doors: Doors::standard(office),
        }))
    }
}

/// Whom the gateway relays for: the LAN, but never the router in front of it.
const fn own_networks(place: Place) -> &'static str {
    match place {
        Place::TwoCards => "127.0.0.1 192.168.10.0/24",
        Place::DualStack => "127.0.0.1 192.168.10.0/24 [fd00:10::]/64",
        Place::BehindRouter | Place::BehindMasqueradingRouter => {
            "!192.168.10.1 127.0.0.1 192.168.10.0/24"
        }
        Place::RentedServer => "127.0.0.1",
    }
}

impl Gateway for Running {
    fn doors(&self) -> Doors {
        self.doors
    }

    fn retry_now(&self) -> Result<()> {
        self.postfix.flush()?.succeeded().map(drop)
    }

    fn log(&self) -> String {
        self.postfix.log() + &self.dovecot.log()
    }
}
