//! The command line: one face of `operate`.
//!
//! Promises: whatever the console can do, a command can do; every command has help with examples,
//! `--json`, and exit codes that scripts can use (`exit`).
//! Does not: hold a rule of its own, open the store, or run the gateway (`serve`, `demo`,
//! `install` are parsed here and carried out by the binary).

mod commands;
mod exit;
mod output;
mod run;
mod terminal;
mod words;

pub use commands::{
    AddressCommand, AppPasswordCommand, AuditArguments, Cli, Command, CompletionArguments, Demo,
    DomainCommand, ExplainArguments, HistoryCommand, HistorySearch, Install, NewUser, OwnServer,
    QueueCommand, QueueListArguments, Serve, ServiceCommand, SettingsApply, SettingsCommand,
    SettingsRestore, SetupCommand, SheetArguments, UserCommand, Which,
};
pub(crate) use exit::Stop;
pub use exit::{DONE, FAILED, NOT_FOUND, NOT_RUNNING, SETTINGS, USAGE, WOULD_DEFER, WOULD_REFUSE};
pub use run::{Ask, run};
pub use terminal::{Terminal, run_here};
pub use words::{KindWord, SizeSyntax, StateWord, When, WhenSyntax, YesNo};
