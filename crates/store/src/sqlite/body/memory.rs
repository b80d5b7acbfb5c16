//! The memory that bodies take: one budget for all, and buffers that are used again.
//!
//! Promises: a buffer that a body gives back is not zeroed or freed but handed to the next one
//! (ADR 2: fresh pages were 39 % of the CPU at 1 MiB).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::INLINE_BYTES_MAX;

/// Buffers kept for the next bodies hold at most so many octets together.
const POOLED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The budget and the pool.
#[derive(Debug)]
pub(crate) struct Memory {
    budget_bytes: u64,
    used_bytes: AtomicU64,
    pool: Mutex<Pool>,
    arriving: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Pool {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Memory {
    /// An empty pool; `arriving` counts bodies that are about to be committed.
    pub(crate) fn new(budget_bytes: u64, arriving: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self {
            budget_bytes,
            used_bytes: AtomicU64::new(0),
            pool: Mutex::new(Pool::default()),
            arriving,
        })
    }

    /// An empty body.
    pub(crate) fn body(self: &Arc<Self>) -> InlineBody {
        InlineBody {
            octets: Vec::new(),
            charged: 0,
            memory: Arc::clone(self),
            arriving: None,
        }
    }

    fn buffer(&self) -> Vec<u8> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = pool.buffers.pop().unwrap_or_default();
        pool.bytes -= buffer.capacity();
        buffer
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let capacity = buffer.capacity();
        // One that grew past what bodies in memory need was somebody else's.
        if capacity > 0
            && capacity <= 2 * INLINE_BYTES_MAX
            && pool.bytes + capacity <= POOLED_BYTES_MAX
        {
            pool.bytes += capacity;
            pool.buffers.push(buffer);
        }
    }

    fn charge(&self, bytes: u64) -> bool {
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                let more = used.saturating_add(bytes);
                (more <= self.budget_bytes).then_some(more)
            })
            .is_ok()
    }
}

/// Stands for a message that is about to be handed to the writer.
#[derive(Debug)]
pub(crate) struct Arriving(Arc<AtomicUsize>);

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A body in memory; its octets count against the budget until it is dropped.
#[derive(Debug)]
pub(crate) struct InlineBody {
    octets: Vec<u8>,
    charged: u64,
    memory: Arc<Memory>,
    arriving: Option<Arriving>,
}

impl InlineBody {
    /// A body that somebody else holds already; it is not charged.
    pub(crate) fn foreign(memory: &Arc<Memory>, octets: Vec<u8>) -> Self {
        let mut body = memory.body();
        body.octets = octets;
        body
    }

    /// An empty body of the same memory.
    pub(crate) fn sibling(&self) -> Self {
        self.memory.body()
    }

    /// Its octets.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Adds a piece if the largest inline size and the budget allow it; false if not.
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        let size = self.octets.len().saturating_add(piece.len());
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if size > INLINE_BYTES_MAX || !self.memory.charge(bytes) {
            return false;
        }
        self.charged += bytes;
        self.push_uncharged(piece);
        true
    }

    /// Adds a piece whatever the budget says.
    pub(crate) fn push_uncharged(&mut self, piece: &[u8]) {
        if self.octets.capacity() == 0 {
            self.octets = self.memory.buffer();
            self.memory.arriving.fetch_add(1, Ordering::AcqRel);
            self.arriving = Some(Arriving(Arc::clone(&self.memory.arriving)));
        }
        self.octets.extend_from_slice(piece);
    }

    /// Gives up being counted as about to be committed.
    pub(crate) fn take_arriving(&mut self) -> Option<Arriving> {
        self.arriving.take()
    }

    /// Keeps only the first octets.
    pub(crate) fn truncate(&mut self, bytes: usize) {
        let kept = self.octets.get(..bytes).map(<[u8]>::to_vec);
        if let Some(kept) = kept {
            let whole = std::mem::replace(&mut self.octets, kept);
            self.memory.give_back(whole);
            self.uncharge();
        }
    }

    /// Empties it; the buffer stays.
    pub(crate) fn clear(&mut self) {
        self.octets.clear();
        self.uncharge();
    }

    fn uncharge(&mut self) {
        let charged = std::mem::take(&mut self.charged);
        self.memory.used_bytes.fetch_sub(charged, Ordering::Relaxed);
    }
}

impl Drop for InlineBody {
    fn drop(&mut self) {
        self.uncharge();
        self.memory.give_back(std::mem::take(&mut self.octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_one_budget_and_give_it_back() {
        let memory = Memory::new(100, Arc::default());
        let mut one = memory.body();
        let mut two = memory.body();
        assert!(one.push(&[1; 60]));
        assert!(!two.push(&[2; 60]));
        drop(one);
        assert!(two.push(&[2; 60]));
        drop(two);
        assert_eq!(memory.used_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn buffers_are_used_again() {
        let memory = Memory::new(1 << 20, Arc::default());
        let mut one = memory.body();
        assert!(one.push(&[1; 5000]));
        let address = one.octets().as_ptr();
        drop(one);
        let mut two = memory.body();
        assert!(two.push(&[2; 10]));
        assert_eq!(two.octets().as_ptr(), address);
    }

    #[test]
    fn a_body_counts_as_arriving_from_its_first_octet_until_it_is_handed_over() {
        let arriving = Arc::new(AtomicUsize::new(0));
        let memory = Memory::new(1 << 20, Arc::clone(&arriving));
        let mut body = memory.body();
        assert_eq!(arriving.load(Ordering::Relaxed), 0);
        body.push(b"x");
        assert_eq!(arriving.load(Ordering::Relaxed), 1);
        drop(body.take_arriving());
        assert_eq!(arriving.load(Ordering::Relaxed), 0);
    }
}
