//! The whole comparison: starts the servers, runs the cases in turns, prints the tables.
//!
//! Promises: A, B, A, B for each case; a warm-up that is not counted; a closing line with every
//! message that was lost, duplicated or damaged.

use crate::clock::now;
use crate::figures::{IdleFigures, LoginFigures, Pop3Figures, SmtpFigures};
use crate::ledger::Balance;
use crate::letter::size_name;
use crate::report::{self, Measure, RETRIEVED, THROUGH, Table};
use crate::subject::{self, Gatepost, Stock, Subject};
use anyhow::Result;
use std::path::PathBuf;

/// No run sends more than this many octets: mailboxes must be read back, too.
const VOLUME_BYTES_MAX: usize = 1 << 30;
/// Users who sign in for the first time, per round.
const NEW_USERS: usize = 20;
/// Connections that say nothing.
const IDLE_CONNECTIONS: usize = 1000;
/// Postfix's and Dovecot's limit on processes of a kind, as shipped.
const PROCESSES: usize = 100;
/// The same where they need one for each idle connection.
const PROCESSES_IDLE: usize = 1100;

/// What is to be compared.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The program to measure, built for release.
    #[arg(long)]
    gatepost: PathBuf,
    /// Two short rounds.
    #[arg(long)]
    quick: bool,
    /// Rounds; 5 unless said otherwise, 2 with --quick.
    #[arg(long)]
    rounds: Option<usize>,
    /// Length of each run; 2 unless said otherwise, 0.6 with --quick.
    #[arg(long)]
    seconds: Option<f64>,
    /// Only these parts.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Only one of the servers, without ratios.
    #[arg(long, value_enum)]
    alone: Option<Which>,
}

/// A part of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Accept and deliver.
    Smtp,
    /// Retrieve.
    Pop3,
    /// Sign in.
    Logins,
    /// Memory with idle connections.
    Memory,
}

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Ours.
    Gatepost,
    /// Postfix with Dovecot.
    Stock,
}

/// What is run, and what is expected of it.
#[derive(Debug, Clone, Copy)]
struct Case {
    what: What,
    goal: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Smtp {
        size: usize,
        connections: usize,
        pipelining: bool,
    },
    Pop3 {
        size: usize,
        per_user: usize,
    },
    Logins {
        first_time: bool,
    },
}

const fn smtp(size: usize, connections: usize, pipelining: bool, goal: Option<f64>) -> Case {
    let what = What::Smtp {
        size,
        connections,
        pipelining,
    };
    Case { what, goal }
}

const fn pop3(size: usize, per_user: usize, goal: Option<f64>) -> Case {
    let what = What::Pop3 { size, per_user };
    Case { what, goal }
}

/// Every case, with the goals of issue 2.
const CASES: [Case; 10] = [
    smtp(4 << 10, 1, false, Some(4.0)),
    smtp(4 << 10, 20, false, Some(10.0)),
    smtp(4 << 10, 100, false, None),
    smtp(4 << 10, 20, true, None),
    smtp(64 << 10, 20, false, Some(5.0)),
    smtp(1 << 20, 20, false, None),
    pop3(4 << 10, 300, Some(5.0)),
    pop3(64 << 10, 60, Some(5.0)),
    Case {
        what: What::Logins { first_time: true },
        goal: None,
    },
    Case {
        what: What::Logins { first_time: false },
        goal: None,
    },
];

impl Case {
    fn part(self) -> Part {
        match self.what {
            What::Smtp { .. } => Part::Smtp,
            What::Pop3 { .. } => Part::Pop3,
            What::Logins { .. } => Part::Logins,
        }
    }

    fn title(self) -> String {
        match self.what {
            What::Smtp {
                size,
                connections,
                pipelining,
            } => {
                let pipelining = if pipelining { ", pipelining" } else { "" };
                let size = size_name(size);
                format!("SMTP {size}, {connections} connections, 50 messages each{pipelining}")
            }
            What::Pop3 { size, .. } => {
                format!("POP3 {}, {} sessions", size_name(size), subject::USERS)
            }
            What::Logins { first_time: true } => {
                "POP3 sign-in, a user's first since the start (argon2id 19 MiB, 2 passes)".into()
            }
            What::Logins { first_time: false } => {
                "POP3 sign-in again (same hash; gatepost remembers for ten minutes)".into()
            }
        }
    }

    fn goal(self) -> Option<(&'static str, f64)> {
        let measure = match self.part() {
            Part::Smtp => THROUGH,
            Part::Pop3 | Part::Logins | Part::Memory => RETRIEVED,
        };
        self.goal.map(|goal| (measure, goal))
    }
}

/// What was found, for the exit code.
#[derive(Debug, Default)]
pub(crate) struct Report {
    balances: Vec<(&'static str, Balance)>,
}

impl Report {
    /// Whether no message was lost, duplicated or damaged by any server.
    pub(crate) fn is_clean(&self) -> bool {
        self.balances.iter().all(|(_, balance)| balance.is_clean())
    }
}

/// Runs everything that the options ask for.
///
/// # Errors
/// When a server does not start, or a run fails.
pub(crate) fn compare(options: &Options) -> Result<Report> {
    let mut comparison = Comparison {
        options,
        run: 0,
        report: Report::default(),
    };
    let began = now();
    let wanted = |case: &Case| options.wants(case.part());
    let cases: Vec<Case> = CASES.into_iter().filter(wanted).collect();
    if !cases.is_empty() {
        let subjects = options.start(PROCESSES)?;
        comparison.warm_up(&subjects)?;
        for case in cases {
            comparison.case(case, &subjects)?;
        }
        comparison.books();
    }
    if options.wants(Part::Memory) {
        comparison.memory()?;
    }
    println!("\ntook {:.0} s", now().duration_since(began).as_secs_f64());
    Ok(comparison.report)
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 })
    }

    fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.quick { 0.6 } else { 2.0 })
    }

    /// Starts the servers, ours first.
    fn start(&self, processes: usize) -> Result<Vec<Box<dyn Subject>>> {
        let sign_ins = if self.wants(Part::Logins) {
            NEW_USERS * self.rounds()
        } else {
            0
        };
        let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
        if self.alone != Some(Which::Stock) {
            subjects.push(Box::new(Gatepost::start(&self.gatepost, sign_ins)?));
        }
        if self.alone != Some(Which::Gatepost) {
            subjects.push(Box::new(Stock::start(sign_ins, processes)?));
        }
        Ok(subjects)
    }
}

struct Comparison<'a> {
    options: &'a Options,
    run: u32,
    report: Report,
}

impl Comparison<'_> {
    /// Lets each server start what it starts on demand; checked, not counted.
    fn warm_up(&mut self, subjects: &[Box<dyn Subject>]) -> Result<()> {
        let case = smtp(4 << 10, 20, false, None);
        for subject in subjects {
            self.one(case, 0, 0.5, subject.as_ref())?;
        }
        Ok(())
    }

    /// All rounds of a case.
    fn case(&mut self, case: Case, subjects: &[Box<dyn Subject>]) -> Result<()> {
        let names: Vec<&'static str> = subjects.iter().map(|subject| subject.name()).collect();
        let mut runs: Vec<Vec<Vec<Measure>>> = subjects.iter().map(|_| Vec::new()).collect();
        for round in 0..self.options.rounds() {
            for (subject, runs) in subjects.iter().zip(&mut runs) {
                let seconds = self.options.seconds();
                runs.push(self.one(case, round, seconds, subject.as_ref())?);
            }
        }
        let table = Table {
            title: &case.title(),
            subjects: &names,
            runs: &runs,
            goal: case.goal(),
        };
        print!("{}", table.text());
        Ok(())
    }

    /// One run of a case beside one server.
    fn one(
        &mut self,
        case: Case,
        round: usize,
        seconds: f64,
        subject: &dyn Subject,
    ) -> Result<Vec<Measure>> {
        self.run += 1;
        let mut words = vec![format!("--pop3={}", subject.pop3())];
        if case.part() != Part::Logins {
            words.push(format!("--smtp={}", subject.smtp()));
            words.push(format!("--run={}", self.run));
            words.push(format!("--users={}", subject::USERS));
            let folders = subject.arrivals();
            words.extend(
                folders
                    .iter()
                    .map(|folder| format!("--arrivals={}", folder.display())),
            );
        }
        match case.what {
            What::Smtp {
                size,
                connections,
                pipelining,
            } => {
                words.insert(0, "smtp".to_owned());
                words.push(format!("--size={size}"));
                words.push(format!("--connections={connections}"));
                words.push(format!("--seconds={seconds}"));
                words.push(format!("--messages-max={}", VOLUME_BYTES_MAX / size));
                words.extend(pipelining.then(|| "--pipelining".to_owned()));
                let figures: SmtpFigures = subject::run(subject, &words)?;
                self.note(subject.name(), figures.balance);
                if let Some(text) = &figures.first_refusal {
                    println!("{}: {} refused: {text}", subject.name(), figures.refused);
                }
                Ok(report::smtp(&figures))
            }
            What::Pop3 { size, per_user } => {
                words.insert(0, "pop3".to_owned());
                words.push(format!("--size={size}"));
                words.push(format!("--messages={per_user}"));
                words.push(format!("--seconds={seconds}"));
                let figures: Pop3Figures = subject::run(subject, &words)?;
                self.note(subject.name(), figures.balance);
                Ok(report::pop3(&figures))
            }
            What::Logins { first_time } => {
                words.insert(0, "logins".to_owned());
                if first_time {
                    words.push("--prefix=c".to_owned());
                    words.push(format!("--first={}", round * NEW_USERS));
                    words.push(format!("--number={NEW_USERS}"));
                } else {
                    words.push(format!("--seconds={seconds}"));
                }
                let figures: LoginFigures = subject::run(subject, &words)?;
                Ok(report::logins(&figures))
            }
        }
    }

    /// Adds a run's books to its server's.
    fn note(&mut self, name: &'static str, balance: Balance) {
        let entry = self
            .report
            .balances
            .iter_mut()
            .find(|(known, _)| *known == name);
        match entry {
            Some((_, sum)) => *sum = sum.plus(balance),
            None => self.report.balances.push((name, balance)),
        }
    }

    /// Prints what was read back.
    fn books(&self) {
        println!("\nRead back and counted by id");
        for (name, balance) in &self.report.balances {
            println!(
                "  {name:17} {} acknowledged, {} lost, {} duplicated, {} damaged, \
                 {} stored without acknowledgement",
                balance.acknowledged,
                balance.lost,
                balance.duplicated,
                balance.damaged,
                balance.unacknowledged
            );
        }
    }

    /// Memory after the start, and with idle connections to SMTP or to POP3.
    fn memory(&self) -> Result<()> {
        println!("\nMemory, MiB: resident (shared pages divided among processes), processes");
        for smtp in [true, false] {
            // Anew for each: what was started for the first would still be there.
            for subject in self.options.start(PROCESSES_IDLE)? {
                let (name, server) = if smtp {
                    ("SMTP", subject.smtp())
                } else {
                    ("POP3", subject.pop3())
                };
                let words = [
                    "idle".to_owned(),
                    format!("--server={server}"),
                    format!("--connections={IDLE_CONNECTIONS}"),
                ];
                let figures: IdleFigures = subject::run(subject.as_ref(), &words)?;
                println!("{}", memory_line(subject.name(), name, &figures));
            }
        }
        Ok(())
    }
}

/// One server's memory, before and with idle connections.
fn memory_line(subject: &str, protocol: &str, figures: &IdleFigures) -> String {
    let (before, during) = (figures.before.mebibytes(), figures.during.mebibytes());
    format!(
        "  {subject:17} idle {:>7.1} ({:>6.1}), {:>4}   with {} idle {protocol} connections \
         {:>7.1} ({:>6.1}), {:>4}   more: {:.1}",
        before.0,
        before.1,
        figures.before.processes,
        figures.connections,
        during.0,
        during.1,
        figures.during.processes,
        during.0 - before.0
    )
}
