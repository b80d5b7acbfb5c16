//! Commands that the binary itself carries out, and completion.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Run the gateway.
#[derive(Clone, Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct Serve {
    /// Use ports that need no root: 2525, 5587, 5465, 1110, 1995
    #[arg(long)]
    pub high_ports: bool,
    /// Use ports of 127.0.0.1 alone: this one and the four after it, or with 0 any that are free
    #[arg(long, value_name = "FIRST", conflicts_with = "high_ports", hide = true)]
    pub loopback_ports: Option<u16>,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  gatepost serve
  gatepost serve --data /srv/mail
  gatepost serve --data ./mail --high-ports

A port that cannot be had makes that one service fail, says who has it, and is tried again;
the others run. SIGHUP reads certificates and the boot file anew.";

/// Run an office in a box.
#[derive(Clone, Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct Demo {
    /// Exit after one message has gone out and its answer has come back: 0 if both did
    #[arg(long)]
    pub once: bool,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  gatepost demo
  gatepost demo --once

The data is thrown away at the end, unless --data names a folder for it.";

/// Put program, user, folders and systemd unit in place.
#[derive(Clone, Debug, Args)]
#[command(after_help = INSTALL_EXAMPLES)]
pub struct Install {
    /// Install below this folder; for packages and tests
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

const INSTALL_EXAMPLES: &str = "\
Examples:
  sudo gatepost install
  gatepost install --root ./package

What is there already is left as it is. Nothing is started.";

/// Print the completion script of a shell.
#[derive(Clone, Debug, Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub struct CompletionArguments {
    /// Which shell
    pub shell: Shell,
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  gatepost completion bash > /etc/bash_completion.d/gatepost
  gatepost completion zsh
  gatepost completion fish";
