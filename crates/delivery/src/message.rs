//! A queued message, read from the store as the far side takes it.
//!
//! Promises: never more than one block in memory, the first one kept for a look at the header.

use std::sync::Arc;

use bytes::Bytes;
use contracts::store::MessageRef;
use contracts::{Store, StoreError};
use mail::QueueId;
use mail::header::section_end;

/// One message.
pub(crate) struct Message {
    store: Arc<dyn Store>,
    reference: MessageRef,
    first: Bytes,
    block_bytes: usize,
}

impl Message {
    /// Reads the first block.
    ///
    /// # Errors
    /// When the store cannot read it.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        id: QueueId,
        block_bytes: usize,
    ) -> Result<Self, StoreError> {
        let reference = MessageRef::Queued { id };
        let first = store.read_message(&reference, 0, block_bytes).await?;
        Ok(Self {
            store,
            reference,
            first,
            block_bytes,
        })
    }

    /// The block at `offset`; a shorter one than `block_bytes` is the last.
    ///
    /// # Errors
    /// When the store cannot read it.
    pub(crate) async fn block(&self, offset: u64) -> Result<Bytes, StoreError> {
        if offset == 0 {
            return Ok(self.first.clone());
        }
        self.store
            .read_message(&self.reference, offset, self.block_bytes)
            .await
    }

    /// Whether `block` is the last one.
    pub(crate) fn is_last(&self, block: &[u8]) -> bool {
        block.len() < self.block_bytes
    }

    /// Whether the first block has octets above 127.
    pub(crate) fn seems_eight_bit(&self) -> bool {
        !self.first.is_ascii()
    }

    /// Whether any block has.
    ///
    /// # Errors
    /// When the store cannot read one.
    pub(crate) async fn is_eight_bit(&self) -> Result<bool, StoreError> {
        let mut offset = 0;
        loop {
            let block = self.block(offset).await?;
            if !block.is_ascii() {
                return Ok(true);
            }
            if self.is_last(&block) {
                return Ok(false);
            }
            offset += u64::try_from(block.len()).unwrap_or(u64::MAX);
        }
    }

    /// The header section, as much of it as the first block holds, in whole lines.
    pub(crate) fn header(&self) -> &[u8] {
        let end = section_end(&self.first, 0).or_else(|| {
            let line_end = self.first.windows(2).rposition(|pair| pair == b"\r\n");
            line_end.map(|at| at + 2)
        });
        end.and_then(|end| self.first.get(..end))
            .unwrap_or_default()
    }

    /// All of it, if it has at most `bytes_max` octets.
    ///
    /// # Errors
    /// When the store cannot read it.
    pub(crate) async fn whole(&self, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let mut whole: Vec<u8> = Vec::new();
        loop {
            let offset = u64::try_from(whole.len()).unwrap_or(u64::MAX);
            let block = self.block(offset).await?;
            if whole.len() + block.len() > bytes_max {
                return Ok(None);
            }
            whole.extend_from_slice(&block);
            if self.is_last(&block) {
                return Ok(Some(whole));
            }
        }
    }
}
