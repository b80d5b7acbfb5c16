//! A POP3 client for the users whose mailboxes the bench fills.
//!
//! Promises: signs in, counts, retrieves, deletes; every message that is retrieved goes through the
//! letter's check. Each command waits for its answer, as mail programs do.

use crate::dialog::Dialog;
use crate::ledger::Ledger;
use crate::letter::Letter;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The password of every user of the bench.
pub(crate) const PASSWORD: &str = "five-to-five-hundred";

/// A session of a user who has signed in.
#[derive(Debug)]
pub(crate) struct Mailbox {
    dialog: Dialog,
}

impl Mailbox {
    /// Connects and signs in.
    ///
    /// # Errors
    /// When the server turns the user away, with its words.
    pub(crate) async fn open(server: SocketAddr, user: &str) -> Result<Self> {
        let mut dialog = Dialog::connect(server).await?;
        dialog.ok().await?;
        dialog.send(format!("USER {user}\r\n").as_bytes()).await?;
        dialog.ok().await.with_context(|| format!("USER {user}"))?;
        let password = format!("PASS {PASSWORD}\r\n");
        dialog.send(password.as_bytes()).await?;
        dialog.ok().await.with_context(|| format!("PASS {user}"))?;
        Ok(Self { dialog })
    }

    /// How many messages there are.
    ///
    /// # Errors
    /// When the server does not say.
    pub(crate) async fn count(&mut self) -> Result<u64> {
        self.dialog.send(b"STAT\r\n").await?;
        let status = self.dialog.ok().await.context("STAT")?;
        let count = status.split(' ').next().and_then(|text| text.parse().ok());
        count.with_context(|| format!("STAT: {status}"))
    }

    /// One message as it came over the wire, final dot included.
    ///
    /// # Errors
    /// When there is none of this number.
    pub(crate) async fn retrieve(&mut self, number: u64) -> Result<&[u8]> {
        self.dialog
            .send(format!("RETR {number}\r\n").as_bytes())
            .await?;
        self.dialog.multi_line().await.context("RETR")
    }

    /// Marks a message as deleted.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn delete(&mut self, number: u64) -> Result<()> {
        self.dialog
            .send(format!("DELE {number}\r\n").as_bytes())
            .await?;
        self.dialog.ok().await.context("DELE").map(drop)
    }

    /// Ends the session, which makes deletions real.
    ///
    /// # Errors
    /// When the server could not delete.
    pub(crate) async fn quit(mut self) -> Result<()> {
        self.dialog.send(b"QUIT\r\n").await?;
        self.dialog.ok().await.context("QUIT").map(drop)
    }
}

/// The name of a user of the bench.
pub(crate) fn user(number: usize) -> String {
    format!("u{number}")
}

/// Messages in the mailboxes of the first `users` users.
///
/// # Errors
/// When one of them cannot sign in.
pub(crate) async fn count_all(server: SocketAddr, users: usize) -> Result<u64> {
    let mut sum = 0;
    for number in 0..users {
        let mut mailbox = Mailbox::open(server, &user(number)).await?;
        sum += mailbox.count().await?;
        mailbox.quit().await?;
    }
    Ok(sum)
}

/// Reads, checks and deletes everything that the first `users` users have, all at the same time.
///
/// # Errors
/// When one of the sessions fails.
pub(crate) async fn collect_all(
    server: SocketAddr,
    users: usize,
    letter: &Arc<Letter>,
) -> Result<Ledger> {
    let mut sessions = JoinSet::new();
    for number in 0..users {
        let letter = Arc::clone(letter);
        sessions.spawn(async move { collect(server, &user(number), &letter).await });
    }
    let mut all = Ledger::default();
    while let Some(ledger) = sessions.join_next().await {
        all.add(ledger??);
    }
    Ok(all)
}

async fn collect(server: SocketAddr, user: &str, letter: &Letter) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut mailbox = Mailbox::open(server, user).await?;
    for number in 1..=mailbox.count().await? {
        ledger.came_back(letter.check(mailbox.retrieve(number).await?));
        mailbox.delete(number).await?;
    }
    mailbox.quit().await?;
    Ok(ledger)
}
