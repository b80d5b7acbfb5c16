//! `user`: list, add, remove, password, enable, disable, app passwords.
//!
//! Promises: a password is never an argument, so no other user of the machine sees it.

use clap::{Args, Subcommand};
use operate::Request;
use policy::UserName;

use crate::{Stop, Terminal};

/// The people who have a mailbox here.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// List the users
    #[command(after_help = LIST)]
    List,
    /// Add a user; give them an address afterwards
    Add(NewUser),
    /// Remove a user; the mailbox is kept under the name
    #[command(after_help = REMOVE)]
    Remove {
        /// The name
        name: UserName,
    },
    /// Give a user another password
    #[command(after_help = PASSWORD)]
    Password {
        /// The name
        name: UserName,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
        /// Keep keys for SCRAM-SHA-256 too
        #[arg(long)]
        scram: bool,
    },
    /// Let a user in again
    #[command(after_help = ENABLE)]
    Enable {
        /// The name
        name: UserName,
    },
    /// Keep a user out; the mailbox stays
    #[command(after_help = DISABLE)]
    Disable {
        /// The name
        name: UserName,
    },
    /// Passwords for one phone or program, which can be taken away by themselves
    #[command(subcommand, after_help = APPS)]
    AppPassword(AppPasswordCommand),
}

/// Add a user.
#[derive(Clone, Debug, Args)]
#[command(after_help = ADD)]
pub struct NewUser {
    /// The name to sign in with
    pub name: UserName,
    /// The person's name
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub full_name: String,
    /// Read the password from standard input, one line
    #[arg(long)]
    pub password_stdin: bool,
}

/// Passwords for one phone or program.
#[derive(Clone, Debug, Subcommand)]
pub enum AppPasswordCommand {
    /// Make one; it is shown this once
    #[command(after_help = APP_ADD)]
    Add {
        /// Whose
        name: UserName,
        /// What for
        #[arg(value_name = "LABEL")]
        label: String,
    },
    /// Take one away
    #[command(after_help = APP_REMOVE)]
    Remove {
        /// Whose
        name: UserName,
        /// Its number, as `user list` shows it
        number: u32,
    },
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost user list
  gatepost user add alice
  gatepost user app-password add alice phone";

const LIST: &str = "\
Examples:
  gatepost user list";

const ADD: &str = "\
Examples:
  gatepost user add alice --full-name \"Alice Ashton\"
  echo \"$PASSWORD\" | gatepost user add alice --password-stdin";

const REMOVE: &str = "\
Examples:
  gatepost user remove alice";

const PASSWORD: &str = "\
Examples:
  gatepost user password alice
  echo \"$PASSWORD\" | gatepost user password alice --password-stdin";

const ENABLE: &str = "\
Examples:
  gatepost user enable alice";

const DISABLE: &str = "\
Examples:
  gatepost user disable alice";

const APPS: &str = "\
Examples:
  gatepost user app-password add alice phone
  gatepost user app-password remove alice 2";

const APP_ADD: &str = "\
Examples:
  gatepost user app-password add alice \"Alice's phone\"";

const APP_REMOVE: &str = "\
Examples:
  gatepost user app-password remove alice 2";

impl UserCommand {
    pub(crate) fn request(&self, io: &mut Terminal<'_>) -> Result<Request, Stop> {
        Ok(match self.clone() {
            Self::List => Request::UserList,
            Self::Add(user) => Request::UserAdd {
                password: io.new_password(user.password_stdin, user.name.as_str())?,
                name: user.name,
                full_name: user.full_name,
            },
            Self::Remove { name } => Request::UserRemove { name },
            Self::Password {
                name,
                password_stdin,
                scram,
            } => Request::UserPassword {
                password: io.new_password(password_stdin, name.as_str())?,
                name,
                scram,
            },
            Self::Enable { name } => Request::UserEnable {
                name,
                enabled: true,
            },
            Self::Disable { name } => Request::UserEnable {
                name,
                enabled: false,
            },
            Self::AppPassword(AppPasswordCommand::Add { name, label }) => {
                Request::AppPasswordAdd { name, label }
            }
            Self::AppPassword(AppPasswordCommand::Remove { name, number }) => {
                Request::AppPasswordRemove { name, number }
            }
        })
    }
}
