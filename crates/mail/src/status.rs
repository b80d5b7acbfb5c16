//! Enhanced mail system status codes.
//!
//! Promises: the class exists once, so a basic code and an enhanced code built from one value can
//! not disagree.
//! Standards: RFC 3463, RFC 5248.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// First digit of a status: success, persistent transient failure, permanent failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StatusClass {
    /// 2: it worked.
    Success,
    /// 4: try again later.
    Transient,
    /// 5: do not try this again.
    Permanent,
}

impl StatusClass {
    /// The digit 2, 4 or 5.
    pub const fn digit(self) -> u16 {
        match self {
            Self::Success => 2,
            Self::Transient => 4,
            Self::Permanent => 5,
        }
    }

    /// The class whose digit is `digit`; `None` for any other digit.
    pub const fn from_digit(digit: u16) -> Option<Self> {
        match digit {
            2 => Some(Self::Success),
            4 => Some(Self::Transient),
            5 => Some(Self::Permanent),
            _ => None,
        }
    }
}

/// `class.subject.detail`, for example `5.7.1`; subject and detail are 0 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    /// What the sender should make of it.
    pub class: StatusClass,
    /// Where it comes from (RFC 3463 §3).
    pub subject: u16,
    /// What exactly happened.
    pub detail: u16,
}

impl EnhancedStatus {
    /// The status `class.subject.detail`.
    pub const fn new(class: StatusClass, subject: u16, detail: u16) -> Self {
        Self {
            class,
            subject,
            detail,
        }
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

/// The text is not `class.subject.detail` with digits in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an enhanced status code such as 5.1.1")]
pub struct StatusSyntax;

impl FromStr for EnhancedStatus {
    type Err = StatusSyntax;

    fn from_str(text: &str) -> Result<Self, StatusSyntax> {
        // RFC 3463 §2: class "." subject "." detail, one digit, then one to three digits each.
        let mut parts = text.split('.');
        let mut number = |max: usize| {
            parts
                .next()
                .filter(|part| {
                    (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
                })
                .and_then(|part| part.parse::<u16>().ok())
                .ok_or(StatusSyntax)
        };
        let class = StatusClass::from_digit(number(1)?).ok_or(StatusSyntax)?;
        let status = Self {
            class,
            subject: number(3)?,
            detail: number(3)?,
        };
        if parts.next().is_some() {
            Err(StatusSyntax)
        } else {
            Ok(status)
        }
    }
}

impl Serialize for EnhancedStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_bad_text_is_refused() {
        for text in ["2.0.0", "5.7.1", "4.3.999"] {
            assert_eq!(
                text.parse::<EnhancedStatus>().map(|s| s.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "", "5", "5.7", "3.1.1", "5.7.1.1", "5.1000.1", "5..1", "+5.1.1", "5.-1.1",
        ] {
            assert!(text.parse::<EnhancedStatus>().is_err(), "{text}");
        }
    }
}
