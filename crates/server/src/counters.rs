//! Messages per source within the last minute.
//!
//! Promises: bounded memory, however many sources there are; exact to the second.
//! Does not: survive a restart, or decide anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use contracts::Counters;
use mail::Timestamp;

use crate::source::Source;

/// Seconds that are looked back on.
const WINDOW_SECS: i64 = 60;
/// Sources that are remembered. Default of `MessageCounters::new`.
const SOURCES_MAX: usize = 10_000;

/// Counts messages per source in a sliding minute of sixty buckets.
#[derive(Debug)]
pub struct MessageCounters {
    sources: Mutex<HashMap<Source, Minute>>,
    sources_max: usize,
}

/// What one source did in the last minute: seconds and counts, oldest first.
#[derive(Debug, Default)]
struct Minute {
    seconds: Vec<(i64, u64)>,
}

impl Minute {
    fn forget_before(&mut self, now_secs: i64) {
        // A second in the future is from before the clock went back.
        self.seconds
            .retain(|(second, _)| *second > now_secs - WINDOW_SECS && *second <= now_secs);
    }

    fn add(&mut self, now_secs: i64) {
        self.forget_before(now_secs);
        match self.seconds.last_mut() {
            Some((second, count)) if *second == now_secs => *count += 1,
            Some(_) | None => self.seconds.push((now_secs, 1)),
        }
    }

    fn sum(&self, now_secs: i64) -> u64 {
        self.seconds
            .iter()
            .filter(|(second, _)| *second > now_secs - WINDOW_SECS && *second <= now_secs)
            .map(|(_, count)| count)
            .sum()
    }

    fn last_second(&self) -> i64 {
        self.seconds.last().map_or(i64::MIN, |(second, _)| *second)
    }
}

impl MessageCounters {
    /// Counters for at most 10,000 sources; the one silent for longest gives way.
    pub fn new() -> Self {
        Self::with_sources_max(SOURCES_MAX)
    }

    /// Counters for at most `sources_max` sources, at least one.
    pub fn with_sources_max(sources_max: usize) -> Self {
        Self {
            sources: Mutex::new(HashMap::new()),
            sources_max: sources_max.max(1),
        }
    }

    fn make_room(&self, sources: &mut HashMap<Source, Minute>, now_secs: i64) {
        sources.retain(|_, minute| {
            minute.forget_before(now_secs);
            !minute.seconds.is_empty()
        });
        if sources.len() < self.sources_max {
            return;
        }
        // Many at once, so that a flood of sources does not pay for a scan each time.
        let mut oldest: Vec<(i64, Source)> = sources
            .iter()
            .map(|(source, minute)| (minute.last_second(), *source))
            .collect();
        oldest.sort_unstable();
        let kept = self.sources_max - self.sources_max / 8 - 1;
        for (_, source) in oldest.iter().take(sources.len().saturating_sub(kept)) {
            sources.remove(source);
        }
    }
}

impl Default for MessageCounters {
    fn default() -> Self {
        Self::new()
    }
}

impl Counters for MessageCounters {
    fn count_message(&self, source: IpAddr, now: Timestamp) -> u64 {
        let source = Source::of(source);
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= self.sources_max && !sources.contains_key(&source) {
            self.make_room(&mut sources, now.as_secs());
        }
        let minute = sources.entry(source).or_default();
        minute.add(now.as_secs());
        minute.sum(now.as_secs())
    }

    fn messages_from(&self, source: IpAddr, now: Timestamp) -> u64 {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources
            .get(&Source::of(source))
            .map_or(0, |minute| minute.sum(now.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn a_message_counts_for_a_minute() {
        let counters = MessageCounters::new();
        let source = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(counters.count_message(source, at(100)), 1);
        assert_eq!(counters.count_message(source, at(130)), 2);
        assert_eq!(counters.messages_from(source, at(159)), 2);
        assert_eq!(counters.messages_from(source, at(160)), 1);
        assert_eq!(counters.count_message(source, at(190)), 1);
        assert_eq!(counters.messages_from([192, 0, 2, 2].into(), at(190)), 0);
    }

    #[test]
    fn a_clock_that_goes_back_counts_nobody_out() {
        let counters = MessageCounters::new();
        let source = IpAddr::from([192, 0, 2, 1]);
        counters.count_message(source, at(86_400));
        assert_eq!(counters.count_message(source, at(100)), 1);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let counters = MessageCounters::new();
        let (one, two) = ("2001:db8::1", "2001:db8::2");
        counters.count_message(one.parse().unwrap(), at(1));
        assert_eq!(counters.count_message(two.parse().unwrap(), at(1)), 2);
    }

    #[test]
    fn a_flood_of_sources_stays_bounded_and_keeps_the_latest() {
        let counters = MessageCounters::with_sources_max(64);
        for number in 0..10_000_u32 {
            let source = IpAddr::from(number.to_be_bytes());
            let now = at(i64::from(number / 100));
            assert_eq!(counters.count_message(source, now), 1);
            assert_eq!(counters.messages_from(source, now), 1);
        }
        assert!(counters.sources.lock().unwrap().len() <= 64);
    }
}
