//! Argon2id hashes of passwords.
//!
//! Promises: a record that cannot be read fits no password; the memory of a hash goes back to the
//! system when it is done.
//! Standards: RFC 9106.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use contracts::PasswordRecord;
use subtle::ConstantTimeEq;

use super::random;

/// 19 MiB, two passes, one lane: the second choice of OWASP's password storage cheat sheet (2023
/// and since) and the default of the library; tens of milliseconds on one core.
const PARAMS: Params = Params::DEFAULT;
/// Blocks of 1 KiB set aside for one hash: above 32 MiB, so that the C library maps it by itself
/// and gives it back at once. Only what the parameters need is touched.
const BLOCKS_RESERVED: usize = 33 * 1024;
/// Parameters of a record that asks for more are not ours: it fits no password.
const BLOCKS_MAX: usize = 256 * 1024;

/// Verifies against this when there is no record, so that it costs as much.
pub(super) fn record_of_nobody() -> PasswordRecord {
    make(&random::octets::<32>()).unwrap_or_else(|| PasswordRecord(String::new()))
}

/// The record of a new password; `None` if it is longer than 4 GiB.
pub(super) fn make(password: &[u8]) -> Option<PasswordRecord> {
    let salt = Salt::new(&random::octets::<16>()).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS);
    let mut octets = [0; Params::DEFAULT_OUTPUT_LEN];
    hash(&argon2, password, &salt, &mut octets)?;
    let record = PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&PARAMS).ok()?,
        salt: Some(salt),
        hash: Some(Output::new(&octets).ok()?),
    };
    Some(PasswordRecord(record.to_string()))
}

/// Whether `password` is the one of the record.
pub(super) fn fits(record: &PasswordRecord, password: &[u8]) -> bool {
    try_fits(record, password).unwrap_or(false)
}

fn try_fits(record: &PasswordRecord, password: &[u8]) -> Option<bool> {
    let record = PasswordHash::new(&record.0).ok()?;
    let algorithm = Algorithm::try_from(record.algorithm.as_str()).ok()?;
    let version = match record.version {
        Some(version) => Version::try_from(version).ok()?,
        None => Version::V0x13,
    };
    let params = Params::try_from(&record.params).ok()?;
    let (salt, expected) = (record.salt?, record.hash?);
    let argon2 = Argon2::new(algorithm, version, params);
    let mut octets = vec![0; expected.len()];
    hash(&argon2, password, &salt, &mut octets)?;
    Some(octets.ct_eq(expected.as_bytes()).into())
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], octets: &mut [u8]) -> Option<()> {
    let count = argon2.params().block_count();
    if count > BLOCKS_MAX {
        return None;
    }
    let mut blocks = Vec::with_capacity(count.max(BLOCKS_RESERVED));
    blocks.resize(count, Block::default());
    argon2
        .hash_password_into_with_memory(password, salt, octets, blocks.as_mut_slice())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_fits_its_password_and_no_other() {
        let record = make("grün".as_bytes()).unwrap();
        assert!(record.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(fits(&record, "grün".as_bytes()));
        assert!(!fits(&record, b"gruen"));
        assert_ne!(make(b"same"), make(b"same"));
    }

    #[test]
    fn a_record_made_by_others_is_understood() {
        // The reference implementation's: echo -n password | argon2 somesalt -id -t 2 -m 16 -l 24.
        let record = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                      CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(fits(&PasswordRecord(record.to_owned()), b"password"));
        assert!(!fits(&PasswordRecord(record.to_owned()), b"Password"));
    }

    #[test]
    fn a_damaged_record_fits_nothing() {
        for damaged in [
            "",
            "$argon2id$",
            "$5$abc",
            "$argon2id$v=19$m=999999999,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert!(!fits(&PasswordRecord(damaged.to_owned()), b""));
        }
        assert!(!fits(&record_of_nobody(), b""));
    }
}
