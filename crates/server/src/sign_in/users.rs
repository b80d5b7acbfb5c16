//! `SignIn`: the authenticator over the users of the store.
//!
//! Promises: each refused password costs exactly one hash, whoever was named; a disabled user is
//! refused like a stranger; nothing is remembered of what was wrong.

use std::sync::Arc;

use contracts::{
    AuthenticateError, Authenticator, Clock, Live, PasswordRecord, ScramKeys, SignInRefused,
    SignedIn, Store, UserRecord,
};
use policy::UserName;

use super::pool::Pool;
use super::remembered::Remembered;
use super::{app_password, password, random, scram_keys, user_of};

/// Numbers of the sign-in that are not on any tab.
#[derive(Clone, Copy, Debug)]
pub struct SignInLimits {
    /// Threads that hash; each takes 19 MiB while it does. Default: one per core, at most 4.
    pub threads: usize,
    /// Verifications that wait for a thread; more are told to come again. Default: 64.
    pub waiting_max: usize,
    /// Right passwords that are remembered. Default: 4096.
    pub remembered_max: usize,
}

impl Default for SignInLimits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads: cores.min(4),
            waiting_max: 64,
            remembered_max: 4096,
        }
    }
}

/// Verifies passwords of the users in the store.
pub struct SignIn {
    store: Arc<dyn Store>,
    live: Arc<Live>,
    clock: Arc<dyn Clock>,
    pool: Pool,
    remembered: Remembered,
    nobody: PasswordRecord,
    secret: [u8; 32],
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        store: Arc<dyn Store>,
        live: Arc<Live>,
        clock: Arc<dyn Clock>,
        limits: SignInLimits,
    ) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            pool: Pool::start(limits.threads, limits.waiting_max)?,
            remembered: Remembered::new(limits.remembered_max),
            nobody: password::record_of_nobody(),
            secret: random::octets(),
            store,
            live,
            clock,
        }))
    }

    /// The enabled user that `name` means, if there is one.
    async fn user(&self, name: &str) -> Result<Option<UserRecord>, AuthenticateError> {
        let Some(name) = user_of(&self.live.current().settings, name) else {
            return Ok(None);
        };
        match self.store.user(&name).await {
            Ok(user) => Ok(user.filter(|user| user.enabled)),
            Err(failed) => {
                tracing::error!(%failed, "a user could not be read");
                Err(AuthenticateError::Outside {
                    failure: failed.to_string(),
                })
            }
        }
    }

    /// Says yes without a hash, where that can be said.
    fn known(&self, user: &UserRecord, password: &str) -> Option<SignedIn> {
        let now = self.clock.now();
        if self
            .remembered
            .knows(&user.name, user.version, password, now)
        {
            return Some(SignedIn {
                user: user.name.clone(),
                app_password: None,
            });
        }
        let found = app_password::find(&user.app_passwords, password)?;
        Some(SignedIn {
            user: user.name.clone(),
            app_password: Some(found.label.clone()),
        })
    }
}

#[async_trait::async_trait]
impl Authenticator for SignIn {
    async fn verify(
        &self,
        name: &str,
        password: &str,
    ) -> Result<Result<SignedIn, SignInRefused>, AuthenticateError> {
        let user = self.user(name).await?;
        if let Some(user) = &user
            && let Some(signed_in) = self.known(user, password)
        {
            return Ok(Ok(signed_in));
        }
        let record = user.as_ref().and_then(|user| user.password.clone());
        let has_record = record.is_some();
        let record = record.unwrap_or_else(|| self.nobody.clone());
        let typed = password.to_owned();
        let fits = self
            .pool
            .run(move || password::fits(&record, typed.as_bytes()))
            .await?;
        match user {
            Some(user) if fits && has_record => {
                let now = self.clock.now();
                self.remembered
                    .remember(&user.name, user.version, password, now);
                Ok(Ok(SignedIn {
                    user: user.name,
                    app_password: None,
                }))
            }
            Some(_) | None => Ok(Err(SignInRefused)),
        }
    }

    async fn scram_keys(&self, name: &str) -> Result<ScramKeys, AuthenticateError> {
        let of_nobody = || {
            let name = name.trim().to_lowercase();
            scram_keys::of_nobody(&self.secret, &name).ok_or(AuthenticateError::Outside {
                failure: "a key could not be derived".to_owned(),
            })
        };
        match self.user(name).await?.and_then(|user| user.scram) {
            Some(keys) => Ok(keys),
            None => of_nobody(),
        }
    }

    async fn make_password(&self, password: &str) -> Result<PasswordRecord, AuthenticateError> {
        let typed = password.to_owned();
        let made = self.pool.run(move || password::make(typed.as_bytes()));
        made.await?.ok_or_else(not_made)
    }

    async fn make_scram_keys(&self, password: &str) -> Result<ScramKeys, AuthenticateError> {
        let typed = password.to_owned();
        let made = self
            .pool
            .run(move || scram_keys::make(typed.as_bytes(), scram_keys::ROUNDS));
        made.await?.ok_or_else(not_made)
    }

    fn make_app_password(&self) -> (String, String) {
        app_password::make()
    }

    fn forget(&self, user: &UserName) {
        self.remembered.forget(user);
    }
}

fn not_made() -> AuthenticateError {
    AuthenticateError::Outside {
        failure: "the password cannot be hashed".to_owned(),
    }
}
