//! Clients under load: they send, collect, and write everything down.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testkit::wait;

use crate::ledger::Ledger;
use crate::letter::Letter;
use crate::program::{PASSWORD, Pop3, Smtp};

/// Letters sent over one connection.
const PER_CONNECTION: usize = 12;
/// Letters collected in one session.
const PER_SESSION: usize = 40;
/// Longer than any round, any restart and any test.
const PATIENCE: Duration = Duration::from_mins(20);

/// What all clients share.
pub(crate) struct Load<'a> {
    pub(crate) smtp: SocketAddr,
    pub(crate) pop3: SocketAddr,
    pub(crate) ledger: &'a Ledger,
    /// No new letters; only what was not heard of is sent again.
    pub(crate) finishing: AtomicBool,
    /// Everything has arrived: readers end once their mailbox is empty.
    pub(crate) arrived: AtomicBool,
}

impl Load<'_> {
    /// Sends until there is nothing left to send.
    pub(crate) fn send(&self) {
        let mut in_hand = self.ledger.next(!self.finishing());
        while in_hand.is_some() {
            let mut smtp = connected(|| Smtp::greeted(self.smtp));
            for _ in 0..PER_CONNECTION {
                let Some(letter) = in_hand else { return };
                let goes_on = self.send_one(&mut smtp, letter);
                in_hand = self.ledger.next(!self.finishing());
                if !goes_on {
                    break;
                }
            }
        }
    }

    fn finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    /// Whether the connection can be used for the next letter, which this one was then dealt with.
    fn send_one(&self, smtp: &mut Smtp, letter: Letter) -> bool {
        let recipients = letter.recipients();
        let to: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let text = letter.text();
        let begun = smtp.begin("bob@office.test", &to);
        if let Err(error) = begun {
            return self.failed(letter, &error);
        }
        if letter.is_abandoned() {
            // Half a letter, and gone: nothing of it may ever be seen.
            let _ = smtp.write(&text[..text.len() / 2]);
            return false;
        }
        if let Err(error) = smtp.write(&text) {
            return self.failed(letter, &error);
        }
        let Ok(reply) = smtp.say(".") else {
            self.ledger.unheard(letter);
            return false;
        };
        match reply.queued_as() {
            Ok(id) => {
                self.ledger.accepted(letter, id);
                true
            }
            Err(refused) => self.failed(letter, &refused),
        }
    }

    /// The letter was not completed, or the gateway said no.
    fn failed(&self, letter: Letter, error: &io::Error) -> bool {
        if error.kind() == io::ErrorKind::Other {
            self.ledger.refused(letter, error.to_string());
        } else {
            self.ledger.not_sent(letter);
        }
        false
    }

    /// Collects until everything has arrived and the mailbox is empty.
    pub(crate) fn collect(&self, user: &str) {
        loop {
            let arrived = self.arrived.load(Ordering::SeqCst);
            let pop3 = connected(|| Pop3::signed_in(self.pop3, user, PASSWORD));
            // A session that the kill breaks deleted nothing, or all: the next one sees which.
            let collected = self.session(pop3, user);
            if arrived && matches!(collected, Ok(0)) {
                return;
            }
        }
    }

    fn session(&self, mut pop3: Pop3, user: &str) -> io::Result<usize> {
        let mut unique_ids = Vec::new();
        for (number, unique_id) in pop3.unique_ids()?.into_iter().take(PER_SESSION) {
            let text = pop3.retrieve(number)?;
            self.ledger.read(user, &unique_id, &text);
            pop3.delete(number)?;
            unique_ids.push(unique_id);
        }
        pop3.quit()?;
        self.ledger.deleted(user, &unique_ids);
        Ok(unique_ids.len())
    }
}

/// Tries until the gateway is there.
fn connected<T>(mut connect: impl FnMut() -> io::Result<T>) -> T {
    wait::until("the gateway", PATIENCE, || connect().ok()).unwrap()
}
