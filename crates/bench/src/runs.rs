//! The four runs of the load generator, each against one server in this network namespace.
//!
//! Promises: a run is bounded in time and in octets; what is measured begins and ends where the
//! figures say; mailboxes are empty again afterwards.

use crate::clock::{count, now};
use crate::dialog::Dialog;
use crate::figures::{IdleFigures, LoginFigures, Pop3Figures, SmtpFigures, Spread};
use crate::ledger::Ledger;
use crate::letter::Letter;
use crate::machine::{self, Memory, Meter, Work};
use crate::mailbox::{self, Mailbox, user};
use crate::sending::{Load, send};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How long delivery may take after the last acknowledgement.
const DELIVERY_TIME_MAX: Duration = Duration::from_mins(2);
/// How often arrivals are looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Where the server is, and where its messages arrive.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Target {
    /// Address and port of SMTP.
    #[arg(long, default_value = "127.0.0.1:25")]
    pub(crate) smtp: SocketAddr,
    /// Address and port of POP3.
    #[arg(long, default_value = "127.0.0.1:110")]
    pub(crate) pop3: SocketAddr,
    /// A folder in which each delivered message is a file; without any, POP3 is asked.
    #[arg(long)]
    pub(crate) arrivals: Vec<PathBuf>,
    /// Mailboxes, u0 and following.
    #[arg(long, default_value_t = 10)]
    pub(crate) users: usize,
    /// A number that no other run of this bench has.
    #[arg(long, default_value_t = 1)]
    pub(crate) run: u32,
}

impl Target {
    /// Messages that POP3 could read now.
    async fn arrived(&self) -> Result<u64> {
        if self.arrivals.is_empty() {
            return mailbox::count_all(self.pop3, self.users).await;
        }
        Ok(machine::files_in(&self.arrivals))
    }

    /// Waits until so many messages are there; answers when that was.
    async fn wait_for(&self, messages: u64) -> Result<Instant> {
        let until = now() + DELIVERY_TIME_MAX;
        loop {
            if self.arrived().await? >= messages || now() > until {
                return Ok(now());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What `bench smtp` does.
pub(crate) async fn smtp(target: &Target, mut load: Load) -> Result<SmtpFigures> {
    let letter = Arc::clone(&load.letter);
    load.run = target.run;
    let meter = Meter::start()?;
    let began = now();
    let sent = send(&load).await?;
    let accepted = now();
    let through = target.wait_for(sent.ledger.acknowledged()).await?;
    let work = meter.stop()?;
    let collecting = now();
    let mut ledger = mailbox::collect_all(target.pop3, target.users, &letter).await?;
    let collected = now();
    ledger.add(sent.ledger);
    Ok(SmtpFigures {
        balance: ledger.balance(),
        refused: sent.refused,
        first_refusal: sent.first_refusal,
        accept_seconds: accepted.duration_since(began).as_secs_f64(),
        through_seconds: through.duration_since(began).as_secs_f64(),
        collect_seconds: collected.duration_since(collecting).as_secs_f64(),
        transaction: Spread::of(sent.transactions),
        acknowledgement: Spread::of(sent.acknowledgements),
        work,
        size_bytes: count(letter.size_bytes()),
    })
}

/// What `bench pop3` does: fills the mailboxes; all users retrieve everything once, then again and
/// again.
pub(crate) async fn pop3(
    target: &Target,
    letter: Arc<Letter>,
    per_user: usize,
    time: Duration,
) -> Result<Pop3Figures> {
    let load = Load {
        server: target.smtp,
        letter: Arc::clone(&letter),
        users: target.users,
        connections: target.users,
        per_connection: per_user,
        pipelining: false,
        time: Duration::from_mins(1),
        messages_max: count(target.users * per_user),
        run: target.run,
    };
    let sent = send(&load).await?;
    ensure!(sent.refused == 0, "filling: {:?}", sent.first_refusal);
    target.wait_for(sent.ledger.acknowledged()).await?;
    let line = Arc::new(Barrier::new(target.users + 1));
    let mut sessions = JoinSet::new();
    for number in 0..target.users {
        let reader = Reader {
            letter: Arc::clone(&letter),
            line: Arc::clone(&line),
            ledger: Ledger::default(),
        };
        sessions.spawn(reader.session(target.pop3, number, time));
    }
    line.wait().await;
    let once = Phase::between(&line).await?;
    let again = Phase::between(&line).await?;
    line.wait().await;
    let (mut ledger, mut retrieved) = (sent.ledger, 0);
    while let Some(result) = sessions.join_next().await {
        let (own, messages) = result??;
        ledger.add(own);
        retrieved += messages;
    }
    Ok(Pop3Figures {
        balance: ledger.balance(),
        retrieved_once: ledger.acknowledged(),
        once_seconds: once.seconds,
        retrieved_again: retrieved,
        again_seconds: again.seconds,
        work: again.work,
    })
}

/// What passed between two moments at which all sessions stood at the line.
struct Phase {
    seconds: f64,
    work: Work,
}

impl Phase {
    /// Lets all go, and waits until the last is back.
    async fn between(line: &Barrier) -> Result<Self> {
        let meter = Meter::start()?;
        let began = now();
        line.wait().await;
        line.wait().await;
        let seconds = now().duration_since(began).as_secs_f64();
        Ok(Self {
            seconds,
            work: meter.stop()?,
        })
    }
}

/// One user of `bench pop3`.
struct Reader {
    letter: Arc<Letter>,
    line: Arc<Barrier>,
    ledger: Ledger,
}

impl Reader {
    /// A session: everything once for the books, then again until the time is over.
    async fn session(
        mut self,
        server: SocketAddr,
        number: usize,
        time: Duration,
    ) -> Result<(Ledger, u64)> {
        let mut mailbox = Mailbox::open(server, &user(number)).await?;
        let messages = mailbox.count().await?;
        self.line.wait().await;
        self.line.wait().await;
        for number in 1..=messages {
            let wire = mailbox.retrieve(number).await?;
            self.ledger.came_back(self.letter.check(wire));
        }
        self.line.wait().await;
        self.line.wait().await;
        let until = now() + time;
        let mut again = 0;
        while messages > 0 && now() < until {
            mailbox.retrieve(again % messages + 1).await?;
            again += 1;
        }
        self.line.wait().await;
        self.line.wait().await;
        for number in 1..=messages {
            mailbox.delete(number).await?;
        }
        mailbox.quit().await?;
        Ok((self.ledger, again))
    }
}

/// Which users sign in, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Logins {
    /// How the users' names begin.
    #[arg(long, default_value = "u")]
    pub(crate) prefix: String,
    /// The number of the first.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: usize,
    /// How many there are.
    #[arg(long, default_value_t = 10)]
    pub(crate) number: usize,
    /// Sessions at the same time; each has users of its own.
    #[arg(long, default_value_t = 10)]
    pub(crate) parallel: usize,
    /// Go on for so long; 0 lets each user sign in once.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) seconds: f64,
}

/// What `bench logins` does.
pub(crate) async fn logins(server: SocketAddr, logins: &Logins) -> Result<LoginFigures> {
    let meter = Meter::start()?;
    let began = now();
    let until = began + Duration::from_secs_f64(logins.seconds);
    let mut sessions = JoinSet::new();
    for worker in 0..logins.parallel.min(logins.number) {
        let users: Vec<String> = (worker..logins.number)
            .step_by(logins.parallel)
            .map(|number| format!("{}{}", logins.prefix, logins.first + number))
            .collect();
        sessions.spawn(async move {
            let mut done = 0;
            loop {
                for user in &users {
                    Mailbox::open(server, user).await?.quit().await?;
                    done += 1;
                }
                if now() >= until {
                    return anyhow::Ok(done);
                }
            }
        });
    }
    let mut sum = 0;
    while let Some(done) = sessions.join_next().await {
        sum += done??;
    }
    let seconds = now().duration_since(began).as_secs_f64();
    Ok(LoginFigures {
        logins: sum,
        seconds,
        work: meter.stop()?,
    })
}

/// What `bench idle` does: opens connections, reads each greeting, and looks at the memory.
pub(crate) async fn idle(server: SocketAddr, connections: usize) -> Result<IdleFigures> {
    let before = Memory::of_server()?;
    let mut open = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut dialog = Dialog::connect(server).await?;
        let greeting = tokio::time::timeout(Duration::from_mins(1), dialog.greeting());
        let greeting = greeting.await.context("no greeting")??;
        let well = greeting.starts_with("220 ") || greeting.starts_with("+OK");
        ensure!(well, "connection {number}: {greeting}");
        open.push(dialog);
    }
    let during = Memory::of_server()?;
    Ok(IdleFigures {
        connections: count(open.len()),
        before,
        during,
    })
}
