//! Signing in, for whichever protocol.
//!
//! Promises: guessing gets slower; nobody signs in for somebody else; what went wrong is not told
//! apart.
//! Standards: RFC 4616 §2, RFC 5802 §5, RFC 4954 §4.

use std::net::IpAddr;
use std::sync::Arc;

use contracts::AuthenticateError;
use policy::UserName;

use crate::Shared;
use crate::sign_in::{ClientFirst, ScramExchange, ScramRefused, user_of};

/// Verifies what one connection offers.
pub(super) struct SignInDesk {
    shared: Arc<Shared>,
    source: IpAddr,
    scram: Scram,
}

/// How far an exchange has come.
enum Scram {
    None,
    Begun {
        name: String,
        exchange: Box<ScramExchange>,
    },
    Proved(UserName),
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(super) enum NotSignedIn {
    /// Wrong, unknown or disabled.
    Refused,
    /// Nobody can say right now.
    Unavailable(AuthenticateError),
}

impl From<AuthenticateError> for NotSignedIn {
    fn from(failed: AuthenticateError) -> Self {
        Self::Unavailable(failed)
    }
}

impl From<ScramRefused> for NotSignedIn {
    fn from(_: ScramRefused) -> Self {
        Self::Refused
    }
}

impl SignInDesk {
    pub(super) fn new(shared: Arc<Shared>, source: IpAddr) -> Self {
        Self {
            shared,
            source,
            scram: Scram::None,
        }
    }

    /// Verifies name and password.
    pub(super) async fn password(
        &mut self,
        name: &str,
        password: &str,
        on_behalf_of: Option<&str>,
    ) -> Result<UserName, NotSignedIn> {
        self.wait(name).await;
        let verified = self.shared.authenticator.verify(name, password).await?;
        let signed_in = verified
            .ok()
            .filter(|signed_in| self.is_same(&signed_in.user, on_behalf_of));
        self.outcome(name, signed_in.map(|signed_in| signed_in.user))
    }

    /// Begins a SCRAM exchange; gives the server's first message.
    pub(super) async fn scram_first(&mut self, message: &[u8]) -> Result<Vec<u8>, NotSignedIn> {
        self.scram = Scram::None;
        let first = ClientFirst::parse(message)?;
        let name = first.name.clone();
        self.wait(&name).await;
        if let Some(other) = &first.authorization_id {
            let settings = &self.shared.live.current().settings;
            if user_of(settings, other) != user_of(settings, &name) {
                return self.outcome(&name, None).map(|_| Vec::new());
            }
        }
        let keys = self.shared.authenticator.scram_keys(&name).await?;
        let exchange = Box::new(ScramExchange::begin(first, &keys)?);
        let challenge = exchange.challenge().as_bytes().to_vec();
        self.scram = Scram::Begun { name, exchange };
        Ok(challenge)
    }

    /// Takes the client's proof; gives the server's final message.
    pub(super) fn scram_final(&mut self, message: &[u8]) -> Result<Vec<u8>, NotSignedIn> {
        let Scram::Begun { name, exchange } = std::mem::replace(&mut self.scram, Scram::None)
        else {
            return Err(NotSignedIn::Refused);
        };
        let verifier = exchange.finish(message).ok();
        let user = user_of(&self.shared.live.current().settings, &name);
        let (user, verifier) = user.zip(verifier).unzip();
        self.scram = Scram::Proved(self.outcome(&name, user)?);
        verifier.map(String::into_bytes).ok_or(NotSignedIn::Refused)
    }

    /// Whether an exchange waits for the client's proof.
    pub(super) const fn awaits_proof(&self) -> bool {
        matches!(self.scram, Scram::Begun { .. })
    }

    /// Who has proved to be somebody, once the exchange is over.
    pub(super) fn proved(&mut self) -> Option<UserName> {
        match std::mem::replace(&mut self.scram, Scram::None) {
            Scram::Proved(user) => Some(user),
            Scram::None | Scram::Begun { .. } => None,
        }
    }

    /// One account has one count, however its name was typed.
    fn account(&self, name: &str) -> String {
        let user = user_of(&self.shared.live.current().settings, name);
        user.map_or_else(|| name.to_owned(), |user| user.to_string())
    }

    async fn wait(&self, name: &str) {
        let now = self.shared.clock.now();
        let wait = self
            .shared
            .throttle
            .wait(self.source, &self.account(name), now);
        if !wait.is_zero() {
            self.shared.clock.sleep_until(now.plus(wait)).await;
        }
    }

    fn is_same(&self, user: &UserName, on_behalf_of: Option<&str>) -> bool {
        on_behalf_of.is_none_or(|other| {
            user_of(&self.shared.live.current().settings, other).as_ref() == Some(user)
        })
    }

    fn outcome(&self, name: &str, user: Option<UserName>) -> Result<UserName, NotSignedIn> {
        let Some(user) = user else {
            let now = self.shared.clock.now();
            self.shared
                .throttle
                .failed(self.source, &self.account(name), now);
            tracing::debug!(source = %self.source, name, "a sign-in was refused");
            return Err(NotSignedIn::Refused);
        };
        self.shared
            .throttle
            .succeeded(self.source, &self.account(name));
        Ok(user)
    }
}
