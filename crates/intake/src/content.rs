//! The content of a message on its way in: spooled, its header section kept for looking at.
//!
//! Promises: octets go to the spool as they came; memory beyond the spool's own is bounded, for
//! one message and for all together. A failure is remembered and answered at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contracts::store::SpooledBody;
use contracts::{BodyWriter, StoreError};

/// Header sections up to this size need no permission.
const USUAL_HEADER_BYTES: usize = 64 * 1024;

/// Why the content cannot be taken.
#[derive(Debug)]
pub(crate) enum ContentProblem {
    /// The spool failed.
    Store(StoreError),
    /// The header section is larger than allowed.
    HeaderTooLarge,
    /// Too many large header sections are under way.
    Busy,
}

/// The limits that a content obeys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderLimits {
    /// Largest header section.
    pub(crate) header_bytes_max: usize,
    /// What all large ones may take together.
    pub(crate) large_headers_bytes_max: u64,
}

/// A content on its way in.
pub(crate) struct Content {
    writer: Option<Box<dyn BodyWriter>>,
    size_bytes: u64,
    problem: Option<ContentProblem>,
    header: Vec<u8>,
    header_ended: bool,
    limits: HeaderLimits,
    large: Arc<AtomicU64>,
    charged: u64,
    last_two: [u8; 2],
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content")
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

impl Content {
    /// An empty content that goes to `writer`; `large` counts what large header sections take.
    pub(crate) fn new(
        writer: Box<dyn BodyWriter>,
        limits: HeaderLimits,
        large: Arc<AtomicU64>,
    ) -> Self {
        Self {
            writer: Some(writer),
            size_bytes: 0,
            problem: None,
            header: Vec::new(),
            header_ended: false,
            limits,
            large,
            charged: 0,
            last_two: [0; 2],
        }
    }

    /// Takes the next piece; after a problem the rest is only counted.
    pub(crate) async fn write(&mut self, piece: &[u8]) {
        self.size_bytes = self
            .size_bytes
            .saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        match piece {
            [.., before, last] => self.last_two = [*before, *last],
            [only] => self.last_two = [self.last_two[1], *only],
            [] => {}
        }
        if self.problem.is_some() {
            return;
        }
        if !self.header_ended {
            self.keep_header(piece);
        }
        if self.problem.is_none()
            && let Some(writer) = &mut self.writer
            && let Err(failed) = writer.write(piece).await
        {
            self.fail(ContentProblem::Store(failed));
        }
    }

    fn fail(&mut self, problem: ContentProblem) {
        self.problem = Some(problem);
        self.writer = None;
        self.header = Vec::new();
        self.give_back();
    }

    fn keep_header(&mut self, piece: &[u8]) {
        // The end may lie across the seam of two pieces.
        let from = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(piece);
        if let Some(end) = mail::header::section_end(&self.header, from) {
            self.header.truncate(end);
            self.header.shrink_to_fit();
            self.header_ended = true;
        }
        if self.header.len() > self.limits.header_bytes_max {
            self.fail(ContentProblem::HeaderTooLarge);
        } else if self.header.len() > USUAL_HEADER_BYTES && !self.charge() {
            self.fail(ContentProblem::Busy);
        }
    }

    /// Charges what the header section takes; false when all large ones take too much.
    fn charge(&mut self) -> bool {
        let takes = u64::try_from(self.header.len()).unwrap_or(u64::MAX);
        let more = takes.saturating_sub(self.charged);
        let before = self.large.fetch_add(more, Ordering::Relaxed);
        self.charged += more;
        before.saturating_add(more) <= self.limits.large_headers_bytes_max
    }

    fn give_back(&mut self) {
        self.large.fetch_sub(self.charged, Ordering::Relaxed);
        self.charged = 0;
    }

    /// The header section, with the blank line that ends it.
    pub(crate) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Octets that came.
    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether the content ends in CRLF.
    pub(crate) const fn ends_with_crlf(&self) -> bool {
        matches!(self.last_two, [b'\r', b'\n'])
    }

    /// What stands in the way of taking it.
    pub(crate) const fn problem(&self) -> Option<&ContentProblem> {
        self.problem.as_ref()
    }

    /// Ends the spool.
    pub(crate) async fn spooled(&mut self) -> Result<SpooledBody, StoreError> {
        match self.writer.take() {
            Some(writer) => writer.finish().await,
            None => Err(StoreError::Closing),
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.give_back();
    }
}
