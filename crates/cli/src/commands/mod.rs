//! Every command, in the order that help lists them.

mod addresses;
mod domains;
mod explain;
mod history;
mod program;
mod queue;
mod services;
mod settings;
mod setup;
mod users;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use operate::Request;

pub use addresses::AddressCommand;
pub use domains::DomainCommand;
pub use explain::ExplainArguments;
pub use history::{HistoryCommand, HistorySearch};
pub use program::{CompletionArguments, Demo, Install, Serve};
pub use queue::{QueueCommand, QueueListArguments, Which};
pub use services::ServiceCommand;
pub use settings::{SettingsApply, SettingsCommand, SettingsRestore};
pub use setup::{OwnServer, SetupCommand};
pub use users::{AppPasswordCommand, NewUser, UserCommand};

use crate::exit::EXIT_CODES;
use crate::{Ask, Stop, Terminal};

/// The mail gateway of a small office
#[derive(Clone, Debug, Parser)]
#[command(
    name = "gatepost",
    version,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
    max_term_width = 100
)]
pub struct Cli {
    /// The data folder, in the place of what the boot file says
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        conflicts_with = "boot",
        help_heading = "With every command"
    )]
    pub data: Option<PathBuf>,

    /// The boot file, which names the data folder [default: /etc/gatepost/boot.toml]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "With every command"
    )]
    pub boot: Option<PathBuf>,

    /// Print one JSON document, for scripts
    #[arg(long, global = true, help_heading = "With every command")]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  gatepost demo
  gatepost serve --data /srv/mail
  gatepost setup own-server office.example --user bob
  gatepost status
  gatepost --json queue list";

/// One command.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the gateway until Ctrl-C or SIGTERM
    Serve(Serve),
    /// Run an office in a box, with a pretend Internet beside it
    Demo(Demo),
    /// Put program, user, folders and systemd unit in place
    Install(Install),
    /// Keeps the privilege for the main process; started by `serve` alone
    #[command(hide = true)]
    PrivilegedHelper,
    /// Set the office up in one step
    #[command(subcommand, after_help = setup::GROUP)]
    Setup(SetupCommand),
    /// The domains of the office
    #[command(subcommand, after_help = domains::GROUP)]
    Domain(DomainCommand),
    /// Which address is for whom
    #[command(subcommand, after_help = addresses::GROUP)]
    Address(AddressCommand),
    /// The people who have a mailbox here
    #[command(subcommand, after_help = users::GROUP)]
    User(UserCommand),
    /// Start, stop and list the System Services
    #[command(subcommand, after_help = services::GROUP)]
    Service(ServiceCommand),
    /// Mail that waits to be sent out
    #[command(subcommand, after_help = queue::GROUP)]
    Queue(QueueCommand),
    /// What happened to each message, refused ones too
    #[command(subcommand, after_help = history::GROUP)]
    History(HistoryCommand),
    /// What would happen to a message, and why
    Explain(ExplainArguments),
    /// All settings as one text file, with their history
    #[command(subcommand, after_help = settings::GROUP)]
    Settings(SettingsCommand),
    /// What a user types into a mail program
    Sheet(SheetArguments),
    /// How everything is, and what needs you
    #[command(after_help = STATUS_EXAMPLES)]
    Status,
    /// What operators did, and when
    Audit(AuditArguments),
    /// Print the completion script of a shell
    Completion(CompletionArguments),
    /// Print the version of this program
    #[command(after_help = VERSION_EXAMPLES)]
    Version,
}

const STATUS_EXAMPLES: &str = "\
Examples:
  gatepost status
  gatepost status --json";

const VERSION_EXAMPLES: &str = "\
Examples:
  gatepost version";

/// What a user types into a mail program.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = SHEET_EXAMPLES)]
pub struct SheetArguments {
    /// Whose
    pub user: policy::UserName,
}

const SHEET_EXAMPLES: &str = "\
Examples:
  gatepost sheet bob
  gatepost sheet bob > bob.txt";

/// What operators did.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub struct AuditArguments {
    /// At most so many entries
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    pub limit: usize,
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  gatepost audit
  gatepost audit --limit 500 --json";

impl Cli {
    /// Whether the command needs a data folder and, as a rule, a gateway that runs.
    pub const fn needs_folder(&self) -> bool {
        !matches!(
            self.command,
            Command::Completion(_)
                | Command::Version
                | Command::Install(_)
                | Command::PrivilegedHelper
                | Command::Demo(_)
        )
    }
}

impl Command {
    /// The request behind the command; asks what must be asked first.
    pub(crate) fn request(&self, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<Request, Stop> {
        match self {
            Self::Setup(SetupCommand::OwnServer(own)) => own.request(ask, io),
            Self::Domain(command) => Ok(command.request()),
            Self::Address(command) => Ok(command.request()),
            Self::User(command) => command.request(io),
            Self::Service(command) => Ok(command.request()),
            Self::Queue(command) => command.request(ask, io),
            Self::History(command) => Ok(command.request(io.now)),
            Self::Explain(arguments) => Ok(arguments.request()),
            Self::Settings(command) => command.request(io),
            Self::Sheet(arguments) => Ok(Request::Sheet {
                user: arguments.user.clone(),
            }),
            Self::Audit(arguments) => Ok(Request::Audit {
                limit: arguments.limit,
            }),
            Self::Status => Ok(Request::Status),
            Self::Serve(_)
            | Self::Demo(_)
            | Self::Install(_)
            | Self::PrivilegedHelper
            | Self::Completion(_)
            | Self::Version => Err(Stop::usage(
                "this command asks no gateway",
                "run it by the program gatepost itself",
            )),
        }
    }
}
