//! `history`: search, show.

use clap::{Args, Subcommand};
use contracts::store::HistoryQuery;
use mail::{Timestamp, TransactionId};
use operate::Request;

use crate::words::When;

/// What happened to each message.
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryCommand {
    /// Find messages, newest first
    Search(HistorySearch),
    /// Tell the whole story of one message, with the reason for every decision
    #[command(after_help = SHOW)]
    Show {
        /// Its id, from the search or from a reply of the gateway
        id: TransactionId,
    },
}

/// What to look for.
#[derive(Clone, Debug, Args)]
#[command(after_help = SEARCH)]
pub struct HistorySearch {
    /// Part of a sender, a recipient, a subject or the peer's address
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Not older than: 2026-11-24, "2026-11-24 09:12" (UTC), or 2h, 7d ago
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Not newer than; a day is meant whole
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
    /// Only what was refused
    #[arg(long, conflicts_with = "accepted")]
    pub refused: bool,
    /// Only what was accepted
    #[arg(long)]
    pub accepted: bool,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: usize,
}

/// Examples of the whole group.
pub(super) const GROUP: &str = "\
Examples:
  gatepost history search fred@hotmail.test --since 7d
  gatepost history show 01J8-7QK3-0A1BC";

const SEARCH: &str = "\
Examples:
  gatepost history search
  gatepost history search fred@hotmail.test --since 7d
  gatepost history search invoice --since 2026-11-01 --until 2026-11-24
  gatepost history search 198.51.100.7 --refused --limit 20";

const SHOW: &str = "\
Examples:
  gatepost history show 01J8-7QK3-0A1BC";

impl HistoryCommand {
    pub(crate) fn request(&self, now: Timestamp) -> Request {
        match self {
            Self::Search(search) => Request::HistorySearch {
                query: search.query(now),
            },
            Self::Show { id } => Request::HistoryShow { id: *id },
        }
    }
}

impl HistorySearch {
    fn query(&self, now: Timestamp) -> HistoryQuery {
        HistoryQuery {
            text: self.words.join(" "),
            since: self.since.map(|when| when.from(now)),
            until: self.until.map(|when| when.until(now)),
            accepted: (self.accepted || self.refused).then_some(self.accepted),
            limit: self.limit,
        }
    }
}
