//! `queue`: list, show, retry, hold, release, delete.
//!
//! Promises: an action needs to be told on what; deleting, which cannot be undone, asks a person
//! first unless `--yes` is given.

use clap::{Args, Subcommand};
use contracts::store::{QueueAction, QueueFilter};
use mail::QueueId;
use operate::{Answer, Request};

use crate::terminal::Choice;
use crate::words::StateWord;
use crate::{Ask, Stop, Terminal};

/// Mail that waits to be sent out.
#[derive(Clone, Debug, Subcommand)]
pub enum QueueCommand {
    /// List what waits, oldest first
    List(QueueListArguments),
    /// Show one message that waits, recipient by recipient
    #[command(after_help = SHOW)]
    Show {
        /// Its id, from the list or from a reply of the gateway
        id: QueueId,
    },
    /// Try at once
    #[command(after_help = RETRY)]
    Retry(Which),
    /// Do not try until released
    #[command(after_help = HOLD)]
    Hold(Which),
    /// Try again what was held, at once
    #[command(after_help = RELEASE)]
    Release(Which),
    /// Delete without a report to the sender; cannot be undone
    #[command(after_help = DELETE)]
    Delete {
        /// What to delete.
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What an action is for; one of the three.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The message with this id
    pub id: Option<QueueId>,
    /// All that goes to this destination
    #[arg(long, value_name = "DOMAIN")]
    pub destination: Option<String>,
    /// All
    #[arg(long)]
    pub all: bool,
}

/// What to list.
#[derive(Clone, Debug, Args)]
#[command(after_help = LIST)]
pub struct QueueListArguments {
    /// Only what goes to this destination
    #[arg(long, value_name = "DOMAIN")]
    pub destination: Option<String>,
    /// Only what is like this
    #[arg(long, value_enum)]
    pub state: Option<StateWord>,
    /// At most so many
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost queue list
  gatepost queue show 01J8-7QK3-0A1BC
  gatepost queue retry --all";

const LIST: &str = "\
Examples:
  gatepost queue list
  gatepost queue list --destination partner.example
  gatepost queue list --state held --limit 20";

const SHOW: &str = "\
Examples:
  gatepost queue show 01J8-7QK3-0A1BC";

const RETRY: &str = "\
Examples:
  gatepost queue retry --all
  gatepost queue retry --destination partner.example
  gatepost queue retry 01J8-7QK3-0A1BC";

const HOLD: &str = "\
Examples:
  gatepost queue hold 01J8-7QK3-0A1BC
  gatepost queue hold --destination partner.example";

const RELEASE: &str = "\
Examples:
  gatepost queue release 01J8-7QK3-0A1BC
  gatepost queue release --all";

const DELETE: &str = "\
Examples:
  gatepost queue delete 01J8-7QK3-0A1BC
  gatepost queue delete --destination partner.example --yes";

impl Which {
    fn filter(&self) -> QueueFilter {
        QueueFilter {
            id: self.id,
            destination: self.destination.clone(),
            ..QueueFilter::default()
        }
    }
}

impl QueueCommand {
    pub(crate) fn request(&self, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<Request, Stop> {
        let (which, action) = match self {
            Self::List(arguments) => {
                return Ok(Request::QueueList {
                    filter: QueueFilter {
                        id: None,
                        destination: arguments.destination.clone(),
                        state: arguments.state.map(Into::into),
                        limit: arguments.limit,
                    },
                });
            }
            Self::Show { id } => {
                return Ok(Request::QueueList {
                    filter: QueueFilter {
                        id: Some(*id),
                        ..QueueFilter::default()
                    },
                });
            }
            Self::Retry(which) => (which, QueueAction::Retry),
            Self::Hold(which) => (which, QueueAction::Hold),
            Self::Release(which) => (which, QueueAction::Release),
            Self::Delete { which, yes } => {
                if io.is_terminal && !yes {
                    sure(&which.filter(), ask, io)?;
                }
                (which, QueueAction::Delete)
            }
        };
        Ok(Request::QueueChange {
            filter: which.filter(),
            action,
        })
    }
}

/// Says how much would be gone and asks; an error unless the answer is yes.
fn sure(filter: &QueueFilter, ask: Ask<'_>, io: &mut Terminal<'_>) -> Result<(), Stop> {
    let filter = filter.clone();
    let Answer::Queue { entries } = ask(&Request::QueueList { filter })?? else {
        return Ok(());
    };
    if entries.is_empty() {
        return Ok(());
    }
    let what = crate::output::count(entries.len() as u64, "recipient", "recipients");
    io.note(&format!(
        "Mail for {what} is deleted for good; the senders are not told."
    ))?;
    match io.choose("Delete it?")? {
        Choice::Yes => Ok(()),
        Choice::No | Choice::Cancel => Err(Stop::Cancelled),
    }
}
