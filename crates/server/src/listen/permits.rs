//! How many connections are open, in all and per source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::source::Source;

/// Counts open connections of all services together.
#[derive(Debug, Default)]
pub struct Permits {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: u64,
    by_source: HashMap<Source, u64>,
}

/// One open connection; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Arc<Permits>,
    source: Source,
    /// Connections that were open before it, in all.
    pub(super) others_total: u64,
    /// Connections of its source that were open before it.
    pub(super) others_of_source: u64,
}

impl Permits {
    /// None open yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Connections open now.
    pub fn open_total(&self) -> u64 {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .total
    }

    /// Counts a connection from `peer`; whether it may stay is for policy to say.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Permit {
        let source = Source::of(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = open.by_source.entry(source).or_default();
        let others_of_source = *of_source;
        *of_source += 1;
        let others_total = open.total;
        open.total += 1;
        Permit {
            permits: Arc::clone(self),
            source,
            others_total,
            others_of_source,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let permits = &self.permits.open;
        let mut open = permits.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_source.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_count_what_is_open_and_forget_what_is_not() {
        let permits = Permits::new();
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = permits.take(one);
        assert_eq!((first.others_total, first.others_of_source), (0, 0));
        let second = permits.take(two);
        assert_eq!((second.others_total, second.others_of_source), (1, 0));
        let third = permits.take(one);
        assert_eq!((third.others_total, third.others_of_source), (2, 1));
        drop((first, second, third));
        assert_eq!(permits.open_total(), 0);
        assert!(permits.open.lock().unwrap().by_source.is_empty());
    }
}
