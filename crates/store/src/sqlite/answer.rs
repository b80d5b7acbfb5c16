//! What a step says when it is durable.

use contracts::store::QueueEntry;

/// The answer to one step.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Entries changed, or the number of a revision.
    pub(crate) number: u64,
    /// Entries leased.
    pub(crate) entries: Vec<QueueEntry>,
    /// Body files that nobody refers to any more.
    pub(crate) freed: Vec<String>,
}

impl From<u64> for Answer {
    fn from(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }
}
