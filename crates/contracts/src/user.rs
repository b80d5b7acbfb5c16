//! A user as the store keeps it.

use mail::Timestamp;
use policy::UserName;
use serde::{Deserialize, Serialize};

use crate::{PasswordRecord, ScramKeys};

/// One app password: 160 random bits, of which the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    /// Number within the user, never reused.
    pub number: u32,
    /// What it is for, in the user's words.
    pub label: String,
    /// SHA-256 of the password, in hex.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The name they sign in with.
    pub name: UserName,
    /// Their name in full, for pages and sheets; may be empty.
    pub full_name: String,
    /// A disabled user can not sign in and gets no mail.
    pub enabled: bool,
    /// Hash of the password; `None`: cannot sign in by password.
    pub password: Option<PasswordRecord>,
    /// SCRAM keys, for users switched to it.
    pub scram: Option<ScramKeys>,
    /// App passwords.
    pub app_passwords: Vec<AppPassword>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Grows with every change of this user; remembered sign-ins end with it.
    pub version: u64,
}
