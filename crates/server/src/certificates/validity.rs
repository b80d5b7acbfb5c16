//! How long certificates of our own last.

use std::time::Duration;

use mail::Timestamp;
use rcgen::{CertificateParams, date_time_ymd};

const DAY: Duration = Duration::from_hours(24);

/// The authority's certificate: ten years.
pub(super) const AUTHORITY: Duration = DAY.saturating_mul(3652);
/// The server's certificate: one year. Programs of Apple take no more than 825 days.
pub(super) const SERVER: Duration = DAY.saturating_mul(365);
/// The server's certificate is made anew when less than this is left.
pub(super) const SERVER_LEFT_MIN: Duration = DAY.saturating_mul(30);
/// The authority is made anew when less than this is left: a server certificate must fit in.
pub(super) const AUTHORITY_LEFT_MIN: Duration = DAY.saturating_mul(400);
/// Clocks of office machines go wrong by hours.
const EARLIER: Duration = DAY;
/// 9000-01-01: later instants do not fit the form of a certificate.
const SECS_MAX: u64 = 221_845_392_000;

/// Whether at least `left` of the time until `not_after` is left at `now`.
pub(super) fn lasts(not_after: Timestamp, now: Timestamp, left: Duration) -> bool {
    not_after >= now.plus(left)
}

/// Makes `params` valid from a day before `now` for `duration`.
pub(super) fn set(params: &mut CertificateParams, now: Timestamp, duration: Duration) {
    let epoch = date_time_ymd(1970, 1, 1);
    let since = |instant: Timestamp| {
        let secs = u64::try_from(instant.as_secs()).unwrap_or(0);
        Duration::from_secs(secs.min(SECS_MAX))
    };
    params.not_before = epoch + since(now.minus(EARLIER));
    params.not_after = epoch + since(now.plus(duration));
}
