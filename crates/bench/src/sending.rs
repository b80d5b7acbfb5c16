//! SMTP clients that send as fast as the server answers.
//!
//! Promises: a connection carries at most so many messages and the next one follows it; no message
//! is begun after the time or the volume is used up; each acknowledged id is in the books. A refusal
//! is counted and its first text kept.

use crate::clock::{count, now};
use crate::dialog::Dialog;
use crate::ledger::Ledger;
use crate::letter::Letter;
use crate::mailbox::user;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How messages are to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Where to.
    pub(crate) server: SocketAddr,
    /// What.
    pub(crate) letter: Arc<Letter>,
    /// The mailboxes, which take turns by connection.
    pub(crate) users: usize,
    /// Connections at the same time.
    pub(crate) connections: usize,
    /// Messages of one connection.
    pub(crate) per_connection: usize,
    /// MAIL, RCPT and DATA in one write.
    pub(crate) pipelining: bool,
    /// No message begins after this time.
    pub(crate) time: Duration,
    /// No more messages than this.
    pub(crate) messages_max: u64,
    /// The upper half of the ids.
    pub(crate) run: u32,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The acknowledged ids.
    pub(crate) ledger: Ledger,
    /// From MAIL to the final reply, of each acknowledged message.
    pub(crate) transactions: Vec<Duration>,
    /// From the final dot to the final reply.
    pub(crate) acknowledgements: Vec<Duration>,
    /// Messages or connections that the server turned away.
    pub(crate) refused: u64,
    /// What it said the first time.
    pub(crate) first_refusal: Option<String>,
}

impl Sent {
    fn refuse(&mut self, text: String) {
        self.refused += 1;
        self.first_refusal.get_or_insert(text);
    }

    fn add(&mut self, other: Self) {
        self.ledger.add(other.ledger);
        self.transactions.extend(other.transactions);
        self.acknowledgements.extend(other.acknowledgements);
        self.refused += other.refused;
        if let Some(text) = other.first_refusal {
            self.first_refusal.get_or_insert(text);
        }
    }
}

/// Counts messages and stops all connections together.
#[derive(Debug)]
struct Budget {
    until: Instant,
    left: AtomicU64,
}

impl Budget {
    /// Takes one message out; false when the time or the volume is used up.
    fn take(&self) -> bool {
        now() < self.until
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }

    fn is_empty(&self) -> bool {
        now() >= self.until || self.left.load(Ordering::Relaxed) == 0
    }
}

/// Sends until the time or the volume is used up.
///
/// # Errors
/// When the server cannot be spoken to at all; refusals are part of the answer.
pub(crate) async fn send(load: &Load) -> Result<Sent> {
    let budget = Arc::new(Budget {
        until: now() + load.time,
        left: AtomicU64::new(load.messages_max),
    });
    let mut senders = JoinSet::new();
    for number in 0..load.connections {
        let (load, budget) = (load.clone(), Arc::clone(&budget));
        senders.spawn(async move { send_by_one(&load, number, &budget).await });
    }
    let mut all = Sent::default();
    while let Some(sent) = senders.join_next().await {
        all.add(sent??);
    }
    Ok(all)
}

/// What one of the connections, and those that follow it, send.
async fn send_by_one(load: &Load, number: usize, budget: &Budget) -> Result<Sent> {
    let mut sender = Sender {
        load,
        budget,
        next_id: u64::from(load.run) << 32 | count(number) << 20,
        wire: Vec::new(),
        sent: Sent::default(),
    };
    let mut turn = number;
    let mut failures = 0;
    while !budget.is_empty() {
        let recipient = format!("{}@office.test", user(turn % load.users.max(1)));
        match sender.connection(&recipient).await {
            Ok(()) => failures = 0,
            Err(problem) => {
                failures += 1;
                sender.sent.refuse(format!("{problem:#}"));
                anyhow::ensure!(failures < 5, "five connections in a row: {problem:#}");
            }
        }
        turn += load.connections;
    }
    Ok(sender.sent)
}

struct Sender<'a> {
    load: &'a Load,
    budget: &'a Budget,
    next_id: u64,
    wire: Vec<u8>,
    sent: Sent,
}

impl Sender<'_> {
    /// One connection from greeting to QUIT.
    async fn connection(&mut self, recipient: &str) -> Result<()> {
        let mut dialog = Dialog::connect(self.load.server).await?;
        dialog.expect(2).await.context("greeting")?;
        dialog.send(b"EHLO bench.office.test\r\n").await?;
        dialog.expect(2).await.context("EHLO")?;
        for _ in 0..self.load.per_connection {
            if !self.budget.take() {
                break;
            }
            self.message(&mut dialog, recipient).await?;
        }
        dialog.send(b"QUIT\r\n").await?;
        dialog.expect(2).await.context("QUIT")
    }

    /// One transaction.
    async fn message(&mut self, dialog: &mut Dialog, recipient: &str) -> Result<()> {
        let id = self.next_id;
        self.next_id += 1;
        let began = now();
        let commands = [
            "MAIL FROM:<u0@office.test>\r\n".to_owned(),
            format!("RCPT TO:<{recipient}>\r\n"),
            "DATA\r\n".to_owned(),
        ];
        if self.load.pipelining {
            dialog.send(commands.concat().as_bytes()).await?;
        }
        let mut data = false;
        for command in &commands {
            if !self.load.pipelining {
                dialog.send(command.as_bytes()).await?;
            }
            let (code, text) = dialog.reply().await?;
            if code >= 400 && !self.load.pipelining {
                self.sent.refuse(text);
                dialog.send(b"RSET\r\n").await?;
                return dialog.expect(2).await.context("RSET");
            }
            // RFC 2920 §3.1: DATA's own reply tells whether content may follow.
            data = code == 354;
            if code >= 400 {
                self.sent.refuse(text);
            }
        }
        if !data {
            dialog.send(b"RSET\r\n").await?;
            return dialog.expect(2).await.context("RSET");
        }
        self.wire.clear();
        self.load.letter.write(id, &mut self.wire);
        dialog.send(&self.wire).await?;
        let waiting = now();
        let (code, text) = dialog.reply().await?;
        if code == 250 {
            let done = now();
            self.sent.ledger.acknowledge(id);
            self.sent.transactions.push(done.duration_since(began));
            self.sent
                .acknowledgements
                .push(done.duration_since(waiting));
        } else {
            self.sent.refuse(text);
        }
        Ok(())
    }
}
