//! What is kept for SCRAM-SHA-256, and what strangers get in its place.
//!
//! Promises: a name without keys gets keys all the same, always the same ones while the process
//! runs, that no password fits.
//! Standards: RFC 5802 §3, RFC 7677.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::ScramKeys;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::random;

/// OWASP's password storage cheat sheet for PBKDF2 with SHA-256 (2023 and since); RFC 7677 §4
/// asks for no less than 4096.
pub(super) const ROUNDS: u32 = 600_000;

/// An HMAC-SHA-256.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// A SHA-256.
pub(super) fn digest(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

/// Keys for a password, under a new salt.
// DEVIATES RFC 5802 §2.2: passwords are taken as UTF-8 without SASLprep, as everywhere else here.
pub(super) fn make(password: &[u8], rounds: u32) -> Option<ScramKeys> {
    from_password(password, &random::octets::<16>(), rounds)
}

fn from_password(password: &[u8], salt: &[u8], rounds: u32) -> Option<ScramKeys> {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut salted);
    // RFC 5802 §3.
    let client_key = mac(&salted, &[b"Client Key"])?;
    Some(ScramKeys {
        salt: STANDARD.encode(salt),
        rounds,
        stored_key: STANDARD.encode(digest(&client_key)),
        server_key: STANDARD.encode(mac(&salted, &[b"Server Key"])?),
    })
}

/// Keys for a name that has none.
pub(super) fn of_nobody(secret: &[u8; 32], name: &str) -> Option<ScramKeys> {
    let part = |what: &[u8]| mac(secret, &[what, b"\0", name.as_bytes()]);
    let salt = part(b"salt")?;
    Some(ScramKeys {
        salt: STANDARD.encode(salt.first_chunk::<16>()?),
        rounds: ROUNDS,
        stored_key: STANDARD.encode(part(b"stored key")?),
        server_key: STANDARD.encode(part(b"server key")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        // RFC 7677 §3: user "user", password "pencil".
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = from_password(b"pencil", &salt, 4096).unwrap();
        assert_eq!(
            keys.stored_key,
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        );
        assert_eq!(
            keys.server_key,
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn a_stranger_gets_the_same_keys_each_time_and_others_than_his_neighbour() {
        let secret = random::octets();
        let keys = |name| of_nobody(&secret, name).unwrap();
        assert_eq!(keys("eve"), keys("eve"));
        assert_ne!(keys("eve").salt, keys("eva").salt);
        assert_eq!(keys("eve").rounds, ROUNDS);
        assert_eq!(STANDARD.decode(keys("eve").salt).unwrap().len(), 16);
    }
}
