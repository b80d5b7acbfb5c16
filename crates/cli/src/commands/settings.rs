//! `settings`: show, export, apply, history, revision, restore.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use operate::Request;
use policy::settings::TABS;

use crate::{Stop, Terminal};

/// All settings as one text file.
#[derive(Clone, Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show the settings in force, and who made them so
    #[command(after_help = SHOW)]
    Show {
        /// Only this tab
        #[arg(value_parser = PossibleValuesParser::new(TABS))]
        tab: Option<String>,
    },
    /// Print the settings in force as a file that `apply` takes
    #[command(after_help = EXPORT)]
    Export {
        /// Only this tab
        #[arg(value_parser = PossibleValuesParser::new(TABS))]
        tab: Option<String>,
    },
    /// Put the tabs of a file in force; tabs that it does not name stay as they are
    Apply(SettingsApply),
    /// List all revisions, newest first
    #[command(after_help = HISTORY)]
    History,
    /// Show one revision
    #[command(after_help = REVISION)]
    Revision {
        /// Its number
        number: u64,
    },
    /// Put an old revision in force again
    Restore(SettingsRestore),
}

/// Put tabs in force.
#[derive(Clone, Debug, Args)]
#[command(after_help = APPLY)]
pub struct SettingsApply {
    /// The file; - for standard input
    pub file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Why, for those who read the history later
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub why: String,
    /// Only if this revision is in force, so that nobody else's change is lost
    #[arg(long, value_name = "NUMBER")]
    pub expected_revision: Option<u64>,
}

/// Put an old revision in force again.
#[derive(Clone, Debug, Args)]
#[command(after_help = RESTORE)]
pub struct SettingsRestore {
    /// Its number
    pub number: u64,
    /// Only this tab
    #[arg(long, value_parser = PossibleValuesParser::new(TABS))]
    pub tab: Option<String>,
    /// Why, for those who read the history later
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub why: String,
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost settings show
  gatepost settings export > office.toml
  gatepost settings apply office.toml --dry-run";

const SHOW: &str = "\
Examples:
  gatepost settings show
  gatepost settings show receiving";

const EXPORT: &str = "\
Examples:
  gatepost settings export > office.toml
  gatepost settings export addresses";

const APPLY: &str = "\
Examples:
  gatepost settings apply office.toml --dry-run
  gatepost settings apply office.toml --why \"larger attachments\"
  gatepost settings export | gatepost --data /srv/other settings apply -
  gatepost settings apply office.toml --expected-revision 7";

const HISTORY: &str = "\
Examples:
  gatepost settings history";

const REVISION: &str = "\
Examples:
  gatepost settings revision 7";

const RESTORE: &str = "\
Examples:
  gatepost settings restore 7
  gatepost settings restore 7 --tab addresses --why \"undo the clean-up\"";

impl SettingsCommand {
    pub(crate) fn request(&self, io: &mut Terminal<'_>) -> Result<Request, Stop> {
        Ok(match self {
            Self::Show { .. } | Self::Export { .. } => Request::SettingsShow,
            Self::Apply(apply) => Request::SettingsApply {
                toml: read(&apply.file, io)?,
                why: apply.why.clone(),
                expected_revision: apply.expected_revision,
                dry_run: apply.dry_run,
            },
            Self::History => Request::SettingsHistory,
            Self::Revision { number } => Request::SettingsRevision { number: *number },
            Self::Restore(restore) => Request::SettingsRestore {
                number: restore.number,
                tab: restore.tab.clone(),
                why: restore.why.clone(),
            },
        })
    }
}

fn read(file: &Path, io: &mut Terminal<'_>) -> Result<String, Stop> {
    let (what, read) = if file == Path::new("-") {
        let mut text = String::new();
        let read = io.stdin.read_to_string(&mut text).map(|_| text);
        ("standard input".to_owned(), read)
    } else {
        (file.display().to_string(), std::fs::read_to_string(file))
    };
    read.map_err(|error| Stop::File { what, error })
}
