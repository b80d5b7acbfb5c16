//! Words that people type for values: instants, sizes, kinds, services.
//!
//! Promises: an instant is UTC, as all that this program prints; a wrong word says what would be
//! right.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use contracts::store::QueueState;
use mail::Timestamp;
use policy::facts::ServiceName;
use policy::settings::DomainKind;

const DAY_MS: i64 = 86_400_000;

/// An instant as people name one: a date, a date and time, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long before now.
    Ago(Duration),
    /// A whole day, by its first instant.
    Day(Timestamp),
    /// This instant.
    At(Timestamp),
}

/// The text names no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a day (2026-11-24), a time in UTC (2026-11-24 09:12), or how long ago (30m, 2h, 7d)"
)]
pub struct WhenSyntax;

impl When {
    /// The first instant that is meant.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now.minus(duration),
            Self::Day(at) | Self::At(at) => at,
        }
    }

    /// The last instant that is meant: a day ends with its last millisecond.
    pub fn until(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(at) => Timestamp::from_millis(at.as_millis() + DAY_MS - 1),
            Self::Ago(_) | Self::At(_) => self.from(now),
        }
    }
}

impl FromStr for When {
    type Err = WhenSyntax;

    fn from_str(text: &str) -> Result<Self, WhenSyntax> {
        let text = text.trim();
        if let Some(duration) = ago(text) {
            return Ok(Self::Ago(duration));
        }
        let text = text.strip_suffix('Z').unwrap_or(text);
        let Some((day, time)) = text.split_once([' ', 'T']) else {
            return Ok(Self::Day(Timestamp::from_millis(day_ms(text)?)));
        };
        Ok(Self::At(Timestamp::from_millis(
            day_ms(day)? + time_ms(time)?,
        )))
    }
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: u64 = digits(text.strip_suffix(unit)?)?.try_into().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

/// Digits alone: no sign, which `parse` would let through.
fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn day_ms(text: &str) -> Result<i64, WhenSyntax> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err(WhenSyntax);
    };
    let number = |text: &str, length: usize| {
        digits(text)
            .filter(|_| text.len() == length)
            .ok_or(WhenSyntax)
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return Err(WhenSyntax);
    }
    // Civil date to days by 400-year eras counted from 1 March of year 0.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok((era * 146_097 + day_of_era - 719_468) * DAY_MS)
}

const fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn time_ms(text: &str) -> Result<i64, WhenSyntax> {
    let mut parts = text.split(':').map(|part| {
        let right = part.len() == 2;
        digits(part).filter(|_| right).ok_or(WhenSyntax)
    });
    let hour = parts.next().ok_or(WhenSyntax)??;
    let minute = parts.next().ok_or(WhenSyntax)??;
    let second = parts.next().unwrap_or(Ok(0))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return Err(WhenSyntax);
    }
    Ok(((hour * 60 + minute) * 60 + second) * 1000)
}

/// The text names no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a size in octets, or with K, M or G (25M)")]
pub struct SizeSyntax;

/// Octets from `1000`, `64K`, `25M`, `25MB`, `25 MiB`; a K is 1024.
pub(crate) fn size(text: &str) -> Result<u64, SizeSyntax> {
    let lower = text.trim().to_ascii_lowercase();
    let number = lower.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = lower.strip_prefix(number).unwrap_or_default().trim();
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(SizeSyntax),
    };
    let count = digits(number).and_then(|count| u64::try_from(count).ok());
    count
        .and_then(|count| count.checked_mul(1 << shift))
        .ok_or(SizeSyntax)
}

/// Reads the name of a System Service.
pub(crate) fn service() -> impl TypedValueParser<Value = ServiceName> {
    one_of(&ServiceName::ALL)
}

/// Reads the name of a service that takes mail in.
pub(crate) fn service_for_mail() -> impl TypedValueParser<Value = ServiceName> {
    one_of(&[
        ServiceName::Smtp,
        ServiceName::Submission,
        ServiceName::Submissions,
    ])
}

fn one_of(services: &'static [ServiceName]) -> impl TypedValueParser<Value = ServiceName> {
    let names = services.iter().map(|service| service.as_str());
    PossibleValuesParser::new(names).try_map(|word| {
        let found = services.iter().find(|service| service.as_str() == word);
        found.copied().ok_or("no such service")
    })
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// What the gateway is for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindWord {
    /// Its mailboxes are here.
    Hosted,
    /// Its mail is passed to an inner server.
    Passed,
    /// Listed addresses are here, all others are passed on.
    Split,
    /// Only to send as; its mail arrives elsewhere.
    SendingOnly,
}

impl From<KindWord> for DomainKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Hosted => Self::Hosted,
            KindWord::Passed => Self::Passed,
            KindWord::Split => Self::Split,
            KindWord::SendingOnly => Self::SendingOnly,
        }
    }
}

/// How an entry of the queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateWord {
    /// Waits for its next try.
    Waiting,
    /// Is being tried.
    Leased,
    /// Is not tried until released.
    Held,
}

impl From<StateWord> for QueueState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::Waiting => Self::Waiting,
            StateWord::Leased => Self::Leased,
            StateWord::Held => Self::Held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let when: When = text.parse().unwrap();
        when.from(Timestamp::from_millis(0)).to_string()
    }

    #[test]
    fn a_day_and_a_time_read_back_as_they_print() {
        assert_eq!(at("2026-11-24"), "2026-11-24T00:00:00.000Z");
        assert_eq!(at("2024-02-29 12:34"), "2024-02-29T12:34:00.000Z");
        assert_eq!(at("1999-03-01T23:59:59Z"), "1999-03-01T23:59:59.000Z");
    }

    #[test]
    fn a_day_as_an_end_includes_all_of_it() {
        let day: When = "2026-11-24".parse().unwrap();
        let until = day.until(Timestamp::from_millis(0));
        assert_eq!(until.to_string(), "2026-11-24T23:59:59.999Z");
    }

    #[test]
    fn how_long_ago_counts_back_from_now() {
        let when: When = "2h".parse().unwrap();
        let now = Timestamp::from_millis(10_000_000);
        assert_eq!(when.from(now).as_millis(), 2_800_000);
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "26-1-1",
            "h",
            "-3d",
            "2026-11-24 24:00",
            "tomorrow",
            "2026-11-24 9:12",
            "é",
        ] {
            assert_eq!(text.parse::<When>(), Err(WhenSyntax), "{text}");
        }
    }

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("25 MiB"), Ok(25 << 20));
        assert_eq!(size("2g"), Ok(2 << 30));
        assert_eq!(size("25 apples"), Err(SizeSyntax));
        assert_eq!(size("-1"), Err(SizeSyntax));
        assert_eq!(size(""), Err(SizeSyntax));
    }
}
