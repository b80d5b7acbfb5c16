//! The machine's own time, and counts turned into rates.
//!
//! Promises: the only place of this crate that asks for the time or gives up precision.

use std::time::{Duration, Instant};

/// The present.
#[expect(
    clippy::disallowed_methods,
    reason = "this measures other programs in the machine's time; no simulation runs it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A count as a real number; exact up to 2^53, far beyond what is counted here.
#[expect(clippy::cast_precision_loss, reason = "counts here stay below 2^53")]
pub(crate) const fn real(count: u64) -> f64 {
    count as f64
}

/// So many in such a time, per second; 0 if no time passed.
pub(crate) fn per_second(count: u64, took: f64) -> f64 {
    if took > 0.0 { real(count) / took } else { 0.0 }
}

/// Milliseconds with their fraction.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The number of things in a list, as counted here.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
