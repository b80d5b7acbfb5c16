//! The place a command is given at: its streams, its clock, and whether a person sits there.
//!
//! Promises: everything a command reads or writes goes through here, so tests hand in their own;
//! questions and prompts never go to standard output, which belongs to the answer.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::net::IpAddr;
use std::path::Path;

use contracts::{Clock, SystemClock};
use mail::Timestamp;

use crate::{Ask, Cli, Stop};

/// Longest password line on standard input, in octets; the gateway's own limit is lower.
const PASSWORD_LINE_BYTES_MAX: u64 = 4096;
/// How often a person may answer beside the question.
const TRIES: usize = 3;

/// Streams, clock and person of one command.
pub struct Terminal<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn BufRead,
    /// Standard output: the answer, and nothing else.
    pub stdout: &'a mut dyn Write,
    /// Standard error: questions, notes and errors.
    pub stderr: &'a mut dyn Write,
    /// Whether a person sits at standard input.
    pub is_terminal: bool,
    /// Asks for a password without echo; gets the prompt.
    pub password: &'a mut dyn FnMut(&str) -> io::Result<String>,
    /// The present instant, for *4 minutes ago*.
    pub now: Timestamp,
    /// Addresses of this machine that the Internet could reach, for the question of S4.11.
    pub addresses: Vec<IpAddr>,
}

/// Runs a command at the standard streams of this process; returns its exit code.
///
/// `addresses` are those of the machine, loopback left out; they are named in the question
/// whether SMTP is opened to the Internet.
pub fn run_here(cli: &Cli, folder: &Path, addresses: Vec<IpAddr>, ask: Ask<'_>) -> u8 {
    let is_terminal = io::stdin().is_terminal();
    let mut io = Terminal {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::stdout().lock(),
        stderr: &mut io::stderr().lock(),
        is_terminal,
        password: &mut |prompt| rpassword::prompt_password(prompt),
        now: SystemClock.now(),
        addresses,
    };
    crate::run(cli, folder, ask, &mut io)
}

/// A person's answer to a question of substance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Yes,
    No,
    Cancel,
}

impl Terminal<'_> {
    /// A note beside the answer.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), Stop> {
        Ok(writeln!(self.stderr, "{text}")?)
    }

    /// A new password: at a terminal asked twice without echo, else the first line of standard
    /// input without its line end. Never empty.
    pub(crate) fn new_password(&mut self, from_stdin: bool, whose: &str) -> Result<String, Stop> {
        if from_stdin || !self.is_terminal {
            return self.password_line(whose);
        }
        for _ in 0..TRIES {
            let first = (self.password)(&format!("Password for {whose}: "))?;
            if first.is_empty() {
                self.note("A password cannot be empty.")?;
                continue;
            }
            if (self.password)("The same once more: ")? == first {
                return Ok(first);
            }
            self.note("The two are not the same; from the start, please.")?;
        }
        Err(Stop::usage("no password was given", "try again"))
    }

    fn password_line(&mut self, whose: &str) -> Result<String, Stop> {
        let mut line = String::new();
        let stdin = &mut *self.stdin;
        stdin.take(PASSWORD_LINE_BYTES_MAX).read_line(&mut line)?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(Stop::usage(
                format!("no password for {whose} came on standard input"),
                "write it there as one line, or run the command at a terminal",
            ));
        }
        Ok(line.to_owned())
    }

    /// Asks until the answer is one of yes, no and cancel; an empty answer means no, and the end
    /// of input means cancel.
    pub(crate) fn choose(&mut self, question: &str) -> Result<Choice, Stop> {
        for _ in 0..TRIES {
            write!(self.stderr, "{question} [yes/No/cancel] ")?;
            self.stderr.flush()?;
            let mut line = String::new();
            if self.stdin.read_line(&mut line)? == 0 {
                return Ok(Choice::Cancel);
            }
            match line.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(Choice::Yes),
                "" | "n" | "no" => return Ok(Choice::No),
                "c" | "cancel" => return Ok(Choice::Cancel),
                _ => self.note("Please answer yes, no or cancel.")?,
            }
        }
        Ok(Choice::Cancel)
    }
}
