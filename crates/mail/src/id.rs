//! The name that a transaction, and the message it becomes, is known by.
//!
//! Promises: ids sort by time of making, print in Crockford base 32 in groups
//! (`01J8-7QK3-0A1BC`), read back with or without dashes and in either case, and stay unique when
//! the clock goes back.
//! Does not: read a clock or a random source; both are handed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Made at MAIL; stands in every reply from there on (ARCHITECTURE.md, Glossary).
///
/// 63 bits: 41 of milliseconds since 2020, 22 of sequence, so that it fits a signed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(u64);

/// The id of an accepted message; it is the id of the transaction that brought it.
pub type QueueId = TransactionId;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 13;
/// 2020-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_577_836_800_000;
const SEQUENCE_BITS: u32 = 22;
const MAX: u64 = i64::MAX as u64;

impl TransactionId {
    /// The id with this number; only the low 63 bits count.
    pub const fn from_number(number: u64) -> Self {
        Self(number & MAX)
    }

    /// The number behind the text; below 2^63.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for position in 0..DIGITS {
            if position == 4 || position == 8 {
                f.write_str("-")?;
            }
            let shift = 5 * (DIGITS - 1 - position);
            let index = usize::try_from((self.0 >> shift) & 31).unwrap_or(0);
            let digit = ALPHABET.get(index).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

/// The text is not thirteen base 32 digits with optional dashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id such as 01J8-7QK3-0A1BC")]
pub struct IdSyntax;

impl FromStr for TransactionId {
    type Err = IdSyntax;

    fn from_str(text: &str) -> Result<Self, IdSyntax> {
        let mut number: u64 = 0;
        let mut digits = 0;
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            // Crockford base 32 reads O as 0, I and L as 1.
            let byte = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = ALPHABET
                .iter()
                .position(|digit| *digit == byte)
                .ok_or(IdSyntax)?;
            digits += 1;
            if digits > DIGITS || number >> 59 != 0 {
                return Err(IdSyntax);
            }
            number = (number << 5) | u64::try_from(value).map_err(|_| IdSyntax)?;
        }
        if digits == DIGITS && number <= MAX {
            Ok(Self(number))
        } else {
            Err(IdSyntax)
        }
    }
}

impl Serialize for TransactionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TransactionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Makes ids that only grow, whatever the clock does.
#[derive(Debug, Default)]
pub struct IdSource {
    last: u64,
}

impl IdSource {
    /// A source whose ids are all greater than `last` (the greatest id in the store).
    pub const fn after(last: TransactionId) -> Self {
        Self { last: last.0 }
    }

    /// The next id; `salt` (any random number) spreads the first id of each millisecond.
    pub fn next(&mut self, now: Timestamp, salt: u32) -> TransactionId {
        let millis = u64::try_from(now.as_millis().saturating_sub(EPOCH_MS)).unwrap_or(0);
        // Half the sequence space is left for counting up within the millisecond.
        let sequence = u64::from(salt) & ((1 << (SEQUENCE_BITS - 1)) - 1);
        let fresh = ((millis << SEQUENCE_BITS) | sequence) & MAX;
        self.last = if fresh > self.last {
            fresh
        } else {
            (self.last + 1) & MAX
        };
        TransactionId(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let mut source = IdSource::default();
        let first = source.next(Timestamp::from_millis(1_790_000_000_000), 7);
        let second = source.next(Timestamp::from_millis(1_700_000_000_000), 9);
        assert!(second > first);
    }

    #[test]
    fn text_round_trips_in_either_case_and_without_dashes() {
        let id = TransactionId::from_number(0x1234_5678_9abc_def0);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.replace('-', "").to_lowercase().parse(), Ok(id));
        assert!("ZZZZ-ZZZZ-ZZZZZ".parse::<TransactionId>().is_err());
        assert!("01J8".parse::<TransactionId>().is_err());
    }
}
