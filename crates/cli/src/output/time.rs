//! Instants as people read them: `2026-11-24 09:12`, `4 minutes ago`. All are UTC.

use std::time::Duration;

use mail::Timestamp;

/// `2026-11-24 09:12`.
pub(super) fn minute(at: Timestamp) -> String {
    cut(at, 16)
}

/// `2026-11-24 09:12:04`.
pub(super) fn second(at: Timestamp) -> String {
    cut(at, 19)
}

/// `2026-11-24`.
pub(super) fn day(at: Timestamp) -> String {
    cut(at, 10)
}

/// `2026-11-24 09:12, 4 minutes ago`.
pub(super) fn with_distance(at: Timestamp, now: Timestamp) -> String {
    format!("{}, {}", minute(at), distance(at, now))
}

/// `4 minutes ago`, `in 2 hours`, `just now`.
pub(super) fn distance(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        let ahead = at.since(now);
        return match ahead.as_secs() {
            0 => "now".to_owned(),
            _ => format!("in {}", length(ahead)),
        };
    }
    let ago = now.since(at);
    match ago.as_secs() {
        0 => "just now".to_owned(),
        _ => format!("{} ago", length(ago)),
    }
}

/// `4 minutes`, in the largest unit that fits.
pub(super) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, one) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    super::count(number, one, &format!("{one}s"))
}

fn cut(at: Timestamp, length: usize) -> String {
    let whole = at.to_string().replacen('T', " ", 1);
    whole.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_511_824_000);

    #[test]
    fn the_largest_unit_that_fits_is_named() {
        let ago = |seconds| distance(NOW.minus(Duration::from_secs(seconds)), NOW);
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(1), "1 second ago");
        assert_eq!(ago(240), "4 minutes ago");
        assert_eq!(ago(7300), "2 hours ago");
        assert_eq!(ago(100_000), "27 hours ago");
        assert_eq!(ago(200_000), "2 days ago");
    }

    #[test]
    fn what_is_to_come_reads_so() {
        let next = NOW.plus(Duration::from_mins(10));
        assert_eq!(distance(next, NOW), "in 10 minutes");
    }
}
