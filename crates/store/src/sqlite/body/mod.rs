//! Bodies on their way in and on disk: in memory while small, else a file.

mod file;
mod memory;
mod spool;

pub(crate) use file::{BodyFolder, FileBody};
pub(crate) use memory::{Arriving, InlineBody, Memory};
pub(crate) use spool::{Spool, respool};

/// Bodies up to this size are kept inside `mail.db`.
///
/// Source: ADR 2 §3; inline beats a file well past 64 KiB.
pub(crate) const INLINE_BYTES_MAX: usize = 256 * 1024;
