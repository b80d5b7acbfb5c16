//! The bench: Gatepost beside Postfix with Dovecot, measured by one load generator in one run.
//!
//! Promises: every message is read back and counted; both servers run with the durability they ship
//! with; figures of the two are taken in turns. `compare` starts the servers and calls the other
//! commands beside each; these can also be pointed at any server by hand.
#![expect(clippy::print_stdout, reason = "a command for a person at a terminal")]

mod clock;
mod compare;
mod dialog;
mod figures;
mod ledger;
mod letter;
mod machine;
mod mailbox;
mod report;
mod runs;
mod sending;
mod subject;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use letter::Letter;
use runs::{Logins, Target};
use sending::Load;
use serde::Serialize;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Measures Gatepost beside Postfix with Dovecot.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Words {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts both servers and compares them, round by round (root, `target/peers`).
    Compare(compare::Options),
    /// Sends messages, waits until they can be read, reads all back; prints JSON.
    Smtp {
        #[command(flatten)]
        target: Target,
        /// Octets of a message: 500, 4k, 1m.
        #[arg(long, default_value = "4k", value_parser = letter::parse_size)]
        size: usize,
        /// Connections at the same time.
        #[arg(long, default_value_t = 20)]
        connections: usize,
        /// Messages of one connection.
        #[arg(long, default_value_t = 50)]
        messages: usize,
        /// MAIL, RCPT and DATA in one write.
        #[arg(long)]
        pipelining: bool,
        /// No message begins after this time.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// No more messages than this.
        #[arg(long, default_value_t = u64::MAX)]
        messages_max: u64,
    },
    /// Fills mailboxes, then retrieves from all of them at once; prints JSON.
    Pop3 {
        #[command(flatten)]
        target: Target,
        /// Octets of a message.
        #[arg(long, default_value = "4k", value_parser = letter::parse_size)]
        size: usize,
        /// Messages of one mailbox.
        #[arg(long, default_value_t = 100)]
        messages: usize,
        /// How long to retrieve.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// Signs in and out; prints JSON.
    Logins {
        /// Address and port of POP3.
        #[arg(long, default_value = "127.0.0.1:110")]
        pop3: SocketAddr,
        #[command(flatten)]
        logins: Logins,
    },
    /// Opens connections that say nothing and looks at the server's memory; prints JSON.
    Idle {
        /// Address and port of SMTP or POP3.
        #[arg(long, default_value = "127.0.0.1:25")]
        server: SocketAddr,
        /// How many.
        #[arg(long, default_value_t = 1000)]
        connections: usize,
    },
}

fn main() -> ExitCode {
    match run(Words::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bench: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if let Command::Compare(options) = &command {
        let report = compare::compare(options)?;
        anyhow::ensure!(
            report.is_clean(),
            "messages were lost, duplicated or damaged"
        );
        return Ok(());
    }
    // One thread: it outruns both servers, and leaves them the other core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime")?;
    runtime.block_on(generate(command))
}

/// Runs one command of the load generator.
async fn generate(command: Command) -> Result<()> {
    match command {
        Command::Compare(_) => Ok(()),
        Command::Smtp {
            target,
            size,
            connections,
            messages,
            pipelining,
            seconds,
            messages_max,
        } => {
            let load = Load {
                server: target.smtp,
                letter: Arc::new(Letter::new(size)),
                users: target.users,
                connections,
                per_connection: messages,
                pipelining,
                time: Duration::from_secs_f64(seconds),
                messages_max,
                run: target.run,
            };
            show(&runs::smtp(&target, load).await?)
        }
        Command::Pop3 {
            target,
            size,
            messages,
            seconds,
        } => {
            let letter = Arc::new(Letter::new(size));
            let time = Duration::from_secs_f64(seconds);
            show(&runs::pop3(&target, letter, messages, time).await?)
        }
        Command::Logins { pop3, logins } => show(&runs::logins(pop3, &logins).await?),
        Command::Idle {
            server,
            connections,
        } => show(&runs::idle(server, connections).await?),
    }
}

fn show(figures: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
