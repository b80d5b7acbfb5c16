//! App passwords: made by us, 160 random bits, so that one plain hash is enough to keep them.
//!
//! Promises: what is kept cannot be turned back; how it is typed (case, dashes, spaces) does not
//! matter; comparing takes as long for a near miss as for a wild guess.

use contracts::AppPassword;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::random;

/// 160 bits are 32 digits of base 32.
const DIGITS: usize = 32;
const GROUP: usize = 4;

/// The text to show once, and the SHA-256 to keep, in hex.
pub(super) fn make() -> (String, String) {
    let digits = BASE32_NOPAD
        .encode(&random::octets::<20>())
        .to_ascii_lowercase();
    let mut text = String::with_capacity(DIGITS + DIGITS / GROUP);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at.is_multiple_of(GROUP) {
            text.push('-');
        }
        text.push(digit);
    }
    (text, hash(&digits))
}

/// The app password among `kept` that `typed` is.
pub(super) fn find<'a>(kept: &'a [AppPassword], typed: &str) -> Option<&'a AppPassword> {
    let digits = digits(typed)?;
    let hash = hash(&digits);
    let mut found = None;
    for one in kept {
        if bool::from(one.sha256.as_bytes().ct_eq(hash.as_bytes())) {
            found = Some(one);
        }
    }
    found
}

/// The digits of a text that can be an app password.
fn digits(typed: &str) -> Option<String> {
    let digits: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .take(DIGITS + 1)
        .collect();
    let good = |c: char| c.is_ascii_lowercase() || ('2'..='7').contains(&c);
    (digits.len() == DIGITS && digits.chars().all(good)).then_some(digits)
}

fn hash(digits: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(digits.as_bytes()))
}

#[cfg(test)]
mod tests {
    use mail::Timestamp;

    use super::*;

    fn kept(sha256: String) -> AppPassword {
        AppPassword {
            number: 1,
            label: "phone".to_owned(),
            sha256,
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn what_was_made_is_found_however_it_is_typed() {
        let (text, sha256) = make();
        assert_eq!(text.len(), 39);
        assert_eq!(sha256.len(), 64);
        let kept = [kept(sha256)];
        for typed in [
            text.clone(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.to_uppercase(),
        ] {
            assert_eq!(find(&kept, &typed), kept.first(), "{typed}");
        }
        assert_eq!(find(&kept, &make().0), None);
        assert_eq!(find(&kept, &format!("{text}a")), None);
        assert_eq!(find(&kept, "secret"), None);
    }
}
