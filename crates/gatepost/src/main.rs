//! The gatepost program: which command, then wiring.
//!
//! Promises: exit codes as `cli` documents them; a message on standard error for every failure.
//! Does not: decide, store, or speak a protocol; each room does, and is handed its contracts here.

mod boot;
mod demonstration;
mod gateway;
mod install;
mod offline;
mod privilege;
mod serve;
mod services;
mod supervisor;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use contracts::{InterfaceSource, SystemClock};

use crate::boot::Boot;
use crate::supervisor::Ports;

fn main() -> ExitCode {
    // The helper must be as small as can be: it is served before anything else is set up.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == privilege::COMMAND)
    {
        return ended(privilege::run());
    }
    let cli = Cli::parse();
    match &cli.command {
        Command::Serve(arguments) => ended(
            find_boot(&cli)
                .and_then(|boot| serve::serve(&boot, cli.boot.as_deref(), ports(arguments))),
        ),
        Command::Demo(arguments) => ended(demonstration::run(cli.data.as_deref(), arguments.once)),
        Command::Install(arguments) => ended(install::install(
            &arguments.root,
            cli.data.as_deref(),
            &mut say,
        )),
        Command::PrivilegedHelper => ended(privilege::run()),
        Command::Setup(_)
        | Command::Domain(_)
        | Command::Address(_)
        | Command::User(_)
        | Command::Service(_)
        | Command::Queue(_)
        | Command::History(_)
        | Command::Explain(_)
        | Command::Settings(_)
        | Command::Sheet(_)
        | Command::Status
        | Command::Audit(_)
        | Command::Completion(_)
        | Command::Version => operate(&cli),
    }
}

fn ports(arguments: &cli::Serve) -> Ports {
    match arguments.loopback_ports {
        Some(first) => Ports::Loopback { first },
        None if arguments.high_ports => Ports::High,
        None => Ports::Standard,
    }
}

fn find_boot(cli: &Cli) -> anyhow::Result<Boot> {
    Boot::find(cli.data.as_deref(), cli.boot.as_deref())
}

fn say(line: &str) {
    // Nobody to tell is no reason to stop half way.
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// A command that asks the running gateway, or opens the folder where that is allowed.
fn operate(cli: &Cli) -> ExitCode {
    // A broken boot file must not stop those who only ask for the version.
    let boot = if cli.needs_folder() {
        find_boot(cli)
    } else {
        Boot::find(Some(Path::new("/")), None)
    };
    let boot = match boot {
        Ok(boot) => boot,
        Err(error) => return ended(Err(error)),
    };
    let interfaces = network::SystemInterfaces::new(std::sync::Arc::new(SystemClock));
    let addresses = interfaces.interfaces().map_or_else(
        |_| Vec::new(),
        |found| {
            let list = found.list.into_iter();
            list.flat_map(|interface| interface.addresses)
                .map(|(address, _)| address)
                .collect()
        },
    );
    let setting_up = matches!(cli.command, Command::Setup(_));
    let operator = operate::Operator {
        name: services::user_name(rustix::process::getuid().as_raw()),
    };
    let ask = |request: &operate::Request| offline::ask(&boot.data, setting_up, &operator, request);
    ExitCode::from(cli::run_here(cli, &boot.data, addresses, &ask))
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "gatepost: {error:#}"));
            ExitCode::from(cli::FAILED)
        }
    }
}
