//! One command from its arguments to its exit code.

use std::path::Path;

use clap::CommandFactory;
use operate::control::AskError;
use operate::{Answer, OperateError, Request};

use crate::exit::{DONE, FAILED, code_of};
use crate::output::{Layout, print};
use crate::{Cli, Command, OwnServer, QueueCommand, SettingsCommand, SetupCommand, Stop, Terminal};

/// The way to the gateway, handed in: over its socket, or by opening the data folder where no
/// gateway runs. The inner error is the gateway's own.
pub type Ask<'a> = &'a dyn Fn(&Request) -> Result<Result<Answer, OperateError>, AskError>;

/// Carries out a command that asks the gateway, or `completion` or `version`; returns its exit
/// code (`crate::DONE` and its brothers).
///
/// `folder` is the data folder, for what is said when no gateway runs. `serve`, `demo`, `install`
/// and `privileged-helper` are the caller's own: given here, they fail.
pub fn run(cli: &Cli, folder: &Path, ask: Ask<'_>, io: &mut Terminal<'_>) -> u8 {
    match attempt(cli, ask, io) {
        Ok(code) => code,
        Err(stop) => match stop.tell(cli.json, folder, io) {
            Ok(()) => stop.code(),
            Err(_) => stop.code().max(FAILED),
        },
    }
}

fn attempt(cli: &Cli, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<u8, Stop> {
    if matches!(cli.command, Command::Version) {
        version(cli.json, io)?;
        return Ok(DONE);
    }
    if let Command::Completion(arguments) = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(
            arguments.shell,
            &mut Cli::command(),
            "gatepost",
            &mut script,
        );
        io.stdout.write_all(&script)?;
        return Ok(DONE);
    }
    let request = cli.command.request(ask, io)?;
    let answer = ask(&request)??;
    there(&cli.command, &answer)?;
    if cli.json {
        let document = serde_json::to_string(&answer).map_err(std::io::Error::other)?;
        writeln!(io.stdout, "{document}")?;
    } else {
        print(&answer, &layout(&cli.command), io)?;
        if let Command::Setup(SetupCommand::OwnServer(set_up)) = &cli.command {
            what_next(set_up, io)?;
        }
    }
    io.stdout.flush()?;
    Ok(code_of(&answer))
}

/// Whoever has just set an office up wants to use it.
fn what_next(set_up: &OwnServer, io: &mut Terminal<'_>) -> std::io::Result<()> {
    let user = &set_up.user;
    writeln!(
        io.stdout,
        "\nNext, if it does not run yet: gatepost serve (or systemctl enable --now gatepost); then\n  \
         gatepost status       what runs, and what needs you\n  \
         gatepost sheet {user}    what {user} types into a mail program"
    )
}

/// An empty list is an answer, an empty `queue show` is not.
fn there(command: &Command, answer: &Answer) -> Result<(), Stop> {
    match (command, answer) {
        (Command::Queue(QueueCommand::Show { id }), Answer::Queue { entries })
            if entries.is_empty() =>
        {
            let what = format!("message {id} in the queue");
            Err(OperateError::NotFound { what }.into())
        }
        _ => Ok(()),
    }
}

fn version(json: bool, io: &mut Terminal<'_>) -> std::io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    if json {
        writeln!(io.stdout, "{}", serde_json::json!({"version": version}))
    } else {
        writeln!(io.stdout, "gatepost {version}")
    }
}

fn layout(command: &Command) -> Layout {
    if let Command::Queue(QueueCommand::Show { .. }) = command {
        Layout::Whole
    } else if let Command::Settings(SettingsCommand::Export { tab }) = command {
        Layout::File { tab: tab.clone() }
    } else if let Command::Settings(SettingsCommand::Show { tab }) = command {
        Layout::Tab { tab: tab.clone() }
    } else {
        Layout::Usual
    }
}
