//! The encoding of DSN and AUTH parameter values.
//!
//! Promises: what is encoded decodes to itself.
//! Standards: RFC 3461 §4.

use std::fmt::Write as _;

// RFC 3461 §4: xchar is any ASCII character from ! to ~ but + and =.
const fn is_xchar(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && byte != b'+' && byte != b'='
}

/// Whether `text` is xtext; with `utf8`, characters beyond ASCII stand for themselves (RFC 6533).
pub fn is_xtext(text: &str, utf8: bool) -> bool {
    decode(text).is_some() && (utf8 || text.is_ascii()) && !text.contains(char::is_control)
}

/// `text` as xtext.
pub fn encode(text: &str) -> String {
    let mut xtext = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_xchar(byte) {
            xtext.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(xtext, "+{byte:02X}");
        }
    }
    xtext
}

/// The octets that `xtext` stands for; `None` when it is not xtext.
pub fn decode(xtext: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(xtext.len());
    let mut bytes = xtext.bytes();
    while let Some(byte) = bytes.next() {
        octets.push(match byte {
            b'+' => {
                let high = hex(bytes.next()?)?;
                high << 4 | hex(bytes.next()?)?
            }
            byte if is_xchar(byte) || !byte.is_ascii() => byte,
            _ => return None,
        });
    }
    Some(octets)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_round_trips() {
        let text = "a+b=c d\u{e9}\u{0}";
        assert_eq!(encode("a+b=c"), "a+2Bb+3Dc");
        assert_eq!(decode(&encode(text)).as_deref(), Some(text.as_bytes()));
    }

    #[test]
    fn what_is_not_xtext_is_refused() {
        for bad in ["+", "+2", "+G0", "a b", "a=b", "\u{0}"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert!(!is_xtext("\u{e9}", false));
        assert!(is_xtext("\u{e9}", true));
    }
}
