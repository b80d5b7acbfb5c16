//! A body on its way in: memory first, a file when it grows or when memory is short.
//!
//! Promises: nothing is held before the first octet; file work is done on a bounded number of
//! blocking threads; whatever is dropped leaves nothing behind.

use std::sync::Arc;

use contracts::store::{BodyWriter, SpooledBody, SpooledContent};
use contracts::{Store, StoreError};

use super::file::UnfinishedFile;
use super::{BodyFolder, INLINE_BYTES_MAX, InlineBody, Memory};

/// What is kept for `head` when memory is short; header sections are rarely larger.
const SHORT_HEAD_BYTES: usize = 64 * 1024;
/// Octets that are gathered for one write to a file, and when memory is short.
const WRITE_BYTES: usize = 256 * 1024;
const SHORT_WRITE_BYTES: usize = 64 * 1024;

/// The writer of one body.
pub(crate) struct Spool {
    folder: Arc<BodyFolder>,
    size_bytes: u64,
    /// The whole body, or the head of one that goes to a file.
    head: InlineBody,
    file: Option<UnfinishedFile>,
    /// Octets that wait to be written to the file.
    gathered: InlineBody,
    /// A write to the file failed or was given up half way.
    broken: bool,
}

impl Spool {
    /// An empty body.
    pub(crate) fn new(memory: &Arc<Memory>, folder: Arc<BodyFolder>) -> Self {
        Self {
            folder,
            size_bytes: 0,
            head: memory.body(),
            file: None,
            gathered: memory.body(),
            broken: false,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::Io {
                attempted: "write a body file",
                failure: "an earlier write failed".to_owned(),
            });
        }
        Ok(())
    }

    /// Takes a piece that memory has no room for: the head is filled as far as it goes and begins
    /// the file; returns what is left for the file.
    async fn spill<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], StoreError> {
        let room = INLINE_BYTES_MAX.saturating_sub(self.head.octets().len());
        let (first, rest) = piece.split_at(room.min(piece.len()));
        let short = !self.head.push(first);
        if short {
            self.head.push_uncharged(first);
        }
        let folder = Arc::clone(&self.folder);
        let sibling = self.head.sibling();
        let mut head = std::mem::replace(&mut self.head, sibling);
        // A slow upload is not about to be committed.
        drop(head.take_arriving());
        self.broken = true;
        let (head, file) = on_a_thread(&self.folder, move || {
            let mut file = folder.begin()?;
            file.write(head.octets())?;
            Ok((head, file))
        })
        .await?;
        self.broken = false;
        self.head = head;
        self.file = Some(file);
        if short {
            self.head.truncate(SHORT_HEAD_BYTES);
        }
        // An empty rest: the piece was small, and all of it went into the head.
        Ok(rest)
    }

    async fn gather(&mut self, mut piece: &[u8]) -> Result<(), StoreError> {
        while !piece.is_empty() {
            let gathered = self.gathered.octets().len();
            let room = WRITE_BYTES.saturating_sub(gathered).min(piece.len());
            let (now, later) = piece.split_at(room);
            let mut full = later.len() + gathered + room >= WRITE_BYTES;
            if !self.gathered.push(now) {
                self.gathered.push_uncharged(now);
                full |= gathered + room >= SHORT_WRITE_BYTES;
            }
            drop(self.gathered.take_arriving());
            piece = later;
            if full {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let Some(mut file) = self.file.take() else {
            return self.check();
        };
        let sibling = self.head.sibling();
        let mut gathered = std::mem::replace(&mut self.gathered, sibling);
        self.broken = true;
        let (gathered, file) = on_a_thread(&self.folder, move || {
            file.write(gathered.octets())?;
            gathered.clear();
            Ok((gathered, file))
        })
        .await?;
        self.broken = false;
        self.gathered = gathered;
        self.file = Some(file);
        Ok(())
    }
}

#[async_trait::async_trait]
impl BodyWriter for Spool {
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.check()?;
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.file.is_some() {
            let missing = SHORT_HEAD_BYTES.saturating_sub(self.head.octets().len());
            if missing > 0 {
                self.head
                    .push_uncharged(piece.get(..missing).unwrap_or(piece));
                drop(self.head.take_arriving());
            }
            self.gather(piece).await?;
        } else if !self.head.push(piece) {
            let rest = self.spill(piece).await?;
            self.gather(rest).await?;
        }
        self.size_bytes += bytes;
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn head(&self) -> &[u8] {
        self.head.octets()
    }

    async fn finish(mut self: Box<Self>) -> Result<SpooledBody, StoreError> {
        self.check()?;
        let size_bytes = self.size_bytes;
        let Some(mut file) = self.file.take() else {
            return Ok(SpooledBody {
                size_bytes,
                content: SpooledContent::Kept(Box::new(self.head)),
            });
        };
        let gathered = self.gathered;
        let body = on_a_thread(&self.folder, move || {
            file.write(gathered.octets())?;
            file.finish()
        })
        .await?;
        Ok(SpooledBody {
            size_bytes,
            content: SpooledContent::Kept(Box::new(body)),
        })
    }
}

/// Does file work on one of a bounded number of blocking threads.
async fn on_a_thread<T: Send + 'static>(
    folder: &Arc<BodyFolder>,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let permit = folder.writers.acquire().await;
    let result = tokio::task::spawn_blocking(work).await;
    drop(permit);
    result.unwrap_or(Err(StoreError::Closing))
}

/// Writes a body that came in one piece through a store's spool.
pub(crate) async fn respool(store: &dyn Store, octets: &[u8]) -> Result<SpooledBody, StoreError> {
    let mut writer = store.new_body();
    writer.write(octets).await?;
    writer.finish().await
}
