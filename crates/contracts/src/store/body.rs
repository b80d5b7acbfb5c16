//! The spool: a body on its way in.

use std::any::Any;

use crate::StoreError;

/// A body that is complete, and durable as far as the commit needs it to be.
pub struct SpooledBody {
    /// Octets.
    pub size_bytes: u64,
    /// Where it is.
    pub content: SpooledContent,
}

/// Where a spooled body is.
pub enum SpooledContent {
    /// In memory; the commit itself writes it.
    Memory(Vec<u8>),
    /// Kept by the store that made it, already durable; dropping it gives it up.
    Kept(Box<dyn Any + Send + Sync>),
}

impl std::fmt::Debug for SpooledBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpooledBody")
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// Takes a body in, piece by piece. Dropping it discards what came.
#[async_trait::async_trait]
pub trait BodyWriter: Send + Sync {
    /// Adds a piece.
    ///
    /// # Errors
    /// `Full` or `Io`; the writer is then of no further use.
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError>;

    /// Octets taken so far.
    fn size_bytes(&self) -> u64;

    /// The first octets, for looking at the header: 256 KiB, or 64 KiB when memory is short.
    fn head(&self) -> &[u8];

    /// Ends the body. A large one is durable when this returns.
    ///
    /// # Errors
    /// `Full` or `Io`; nothing is kept then.
    async fn finish(self: Box<Self>) -> Result<SpooledBody, StoreError>;
}
