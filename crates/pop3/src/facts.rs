//! What the shell knows about a connection before the first byte.
//!
//! Promises: plain data; the session decides from it what is offered and never guesses.
//! Does not: decide who is internal or trusted; that is policy, the shell asks it.

/// The facts of one connection; given again after TLS was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The machine's name, shown in the greeting.
    pub host_name: String,
    /// Whether the connection is encrypted, or could be.
    pub tls: TlsState,
    /// Whether this peer may sign in although the connection is not encrypted.
    ///
    /// Without it nothing is offered for signing in until TLS is active.
    pub clear_text_sign_in: bool,
    /// Whether SCRAM-SHA-256 is offered.
    pub scram_offered: bool,
    /// The text of the IMPLEMENTATION capability; empty leaves the capability out.
    pub implementation: String,
}

impl Facts {
    /// Whether a name and a password may be sent over this connection as it is now.
    pub(crate) fn sign_in_offered(&self) -> bool {
        match self.tls {
            TlsState::Active => true,
            TlsState::Off | TlsState::Available => self.clear_text_sign_in,
        }
    }
}

/// Encryption of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsState {
    /// Not encrypted, and STLS is not offered.
    Off,
    /// Not encrypted; STLS is offered.
    Available,
    /// Encrypted, from the start (port 995) or after STLS.
    Active,
}
