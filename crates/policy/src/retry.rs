//! When to try again, and when to give up.
//!
//! Promises: pauses double up to the longest, with jitter that `salt` gives, never beyond the
//! instant of expiry, at which one last attempt is made. Standards: RFC 5321 §4.5.4.1.

use std::time::Duration;

use mail::Timestamp;

use crate::settings::Retry;

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTry {
    /// Try again at this instant.
    At(Timestamp),
    /// Give up and report.
    Expire,
}

/// Decides after attempt `attempt_no` (1 for the first) failed; `salt` is any random number.
pub fn next(
    retry: &Retry,
    queued_at: Timestamp,
    attempt_no: u32,
    now: Timestamp,
    salt: u32,
) -> NextTry {
    let expires_at = queued_at.plus(Duration::from_secs(retry.expire_secs));
    if now >= expires_at {
        return NextTry::Expire;
    }
    NextTry::At(now.plus(pause(retry, attempt_no, salt)).min(expires_at))
}

/// Three quarters to the whole of first x 2^(attempt - 1), the whole being at most the longest.
fn pause(retry: &Retry, attempt_no: u32, salt: u32) -> Duration {
    let doublings = attempt_no.saturating_sub(1).min(32);
    let whole_ms = retry
        .first_secs
        .saturating_mul(1 << doublings)
        .min(retry.longest_secs)
        .max(1)
        .saturating_mul(1000);
    let quarter_ms = whole_ms / 4;
    Duration::from_millis(whole_ms - u64::from(salt) % (quarter_ms + 1))
}

/// Whether the sender should now be told of the delay; at most once, so never when `told`.
pub fn delay_notice_due(retry: &Retry, queued_at: Timestamp, told: bool, now: Timestamp) -> bool {
    let after = Duration::from_secs(retry.delay_notice_secs);
    !told && retry.delay_notice_secs != 0 && now >= queued_at.plus(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry {
        first_secs: 300,
        longest_secs: 7200,
        expire_secs: 432_000,
        delay_notice_secs: 14_400,
    };
    const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn pause_secs(attempt_no: u32, salt: u32) -> u64 {
        match next(&RETRY, START, attempt_no, START, salt) {
            NextTry::At(at) => at.since(START).as_secs(),
            NextTry::Expire => panic!("too early"),
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = (1..8).map(|n| pause_secs(n, 0)).collect();
        assert_eq!(pauses, [300, 600, 1200, 2400, 4800, 7200, 7200]);
        assert_eq!(pause_secs(u32::MAX, 0), 7200);
    }

    #[test]
    fn jitter_takes_off_at_most_a_quarter() {
        for salt in [1, 77_777, u32::MAX / 2, u32::MAX] {
            for attempt_no in 1..10 {
                let whole = pause_secs(attempt_no, 0);
                let jittered = pause_secs(attempt_no, salt);
                assert!(jittered <= whole && jittered >= whole * 3 / 4 - 1);
            }
        }
        assert_ne!(pause_secs(3, 77_777), pause_secs(3, 123_456));
    }

    #[test]
    fn the_last_attempt_is_at_expiry_and_then_it_is_over() {
        let expiry = START.plus(Duration::from_hours(120));
        let shortly_before = expiry.minus(Duration::from_mins(1));
        assert_eq!(
            next(&RETRY, START, 80, shortly_before, 5),
            NextTry::At(expiry)
        );
        assert_eq!(next(&RETRY, START, 81, expiry, 5), NextTry::Expire);
    }

    #[test]
    fn a_delay_is_told_once_and_not_at_all_when_zero() {
        let later = START.plus(Duration::from_hours(4));
        assert!(!delay_notice_due(
            &RETRY,
            START,
            false,
            later.minus(Duration::from_secs(1))
        ));
        assert!(delay_notice_due(&RETRY, START, false, later));
        assert!(!delay_notice_due(&RETRY, START, true, later));
        let never = Retry {
            delay_notice_secs: 0,
            ..RETRY
        };
        assert!(!delay_notice_due(&never, START, false, later));
    }
}
