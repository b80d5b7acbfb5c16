//! Who somebody is.
//!
//! Promises: unknown, disabled and wrong cost the same and read the same; verification never runs
//! on the threads that serve sessions.

use policy::UserName;
use serde::{Deserialize, Serialize};

/// A password hash as a PHC string (argon2id).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordRecord(pub String);

impl std::fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordRecord(hidden)")
    }
}

/// What a server keeps for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScramKeys {
    /// Salt, base64.
    pub salt: String,
    /// Rounds of PBKDF2.
    pub rounds: u32,
    /// `StoredKey`, base64.
    pub stored_key: String,
    /// `ServerKey`, base64.
    pub server_key: String,
}

impl std::fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScramKeys(hidden)")
    }
}

/// Somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub user: UserName,
    /// Label of the app password that was used, if one was.
    pub app_password: Option<String>,
}

/// No: wrong, unknown or disabled; which of them is for the log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wrong name or password")]
pub struct SignInRefused;

/// Neither yes nor no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError {
    /// As many verifications as allowed are waiting already.
    #[error("too many sign-ins at once")]
    Busy,
    /// The store of users did not answer.
    #[error("users could not be read: {failure}")]
    Outside {
        /// What it said.
        failure: String,
    },
}

/// Verifies passwords and makes their records.
#[async_trait::async_trait]
pub trait Authenticator: Send + Sync {
    /// Verifies name and password (app passwords too).
    ///
    /// # Errors
    /// `AuthenticateError`: nothing was learnt, the client should try again.
    async fn verify(
        &self,
        name: &str,
        password: &str,
    ) -> Result<Result<SignedIn, SignInRefused>, AuthenticateError>;

    /// The SCRAM keys of a user; for others keys that no password fits, always the same ones for
    /// the same name, so that an outsider cannot tell them apart.
    ///
    /// # Errors
    /// `AuthenticateError` as above.
    async fn scram_keys(&self, name: &str) -> Result<ScramKeys, AuthenticateError>;

    /// Makes the record of a new password.
    ///
    /// # Errors
    /// `AuthenticateError::Busy` when too much waits.
    async fn make_password(&self, password: &str) -> Result<PasswordRecord, AuthenticateError>;

    /// Makes SCRAM keys for a password.
    ///
    /// # Errors
    /// `AuthenticateError::Busy` when too much waits.
    async fn make_scram_keys(&self, password: &str) -> Result<ScramKeys, AuthenticateError>;

    /// Makes an app password: the text to show once, and its SHA-256 in hex.
    fn make_app_password(&self) -> (String, String);

    /// Forgets remembered sign-ins of `user`; called after any change of it.
    fn forget(&self, user: &UserName);
}
