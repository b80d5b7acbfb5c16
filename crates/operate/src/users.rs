//! Users: list, add, remove, passwords, app passwords.

use contracts::AppPassword;
use contracts::UserRecord;
use policy::UserName;
use policy::settings::{DomainKind, Problem};

use crate::{Answer, AppPasswordReport, Office, OperateError, Operator, UserReport};

/// Shortest password in characters (NIST SP 800-63B §5.1.1.1).
const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password in octets; keeps one sign-in from costing much.
const PASSWORD_BYTES_MAX: usize = 1024;

impl Office {
    pub(crate) async fn remove_user(
        &self,
        by: &Operator,
        name: UserName,
    ) -> Result<Answer, OperateError> {
        let _one = self.changing.lock().await;
        if self.is_last_postmaster(&name) {
            return Err(OperateError::Refused {
                why: format!("{name} is the last user who gets the mail of postmaster and abuse"),
                remedy: "give the address of postmaster to another user first".to_owned(),
            });
        }
        let audit = self.audit(by, format!("user {name} removed"));
        self.parts.store.remove_user(&name, audit).await?;
        self.parts.authenticator.forget(&name);
        self.reload_directory().await?;
        done(format!(
            "user {name} removed; the mailbox stays under that name"
        ))
    }

    pub(crate) async fn set_password(
        &self,
        by: &Operator,
        name: &UserName,
        password: &str,
        scram: bool,
    ) -> Result<Answer, OperateError> {
        check_password(password)?;
        let record = self.parts.authenticator.make_password(password).await?;
        let keys = if scram {
            Some(self.parts.authenticator.make_scram_keys(password).await?)
        } else {
            None
        };
        self.edit_user(by, name, "password changed", |user| {
            user.password = Some(record);
            user.scram = keys;
            Ok(())
        })
        .await
    }

    pub(crate) async fn enable_user(
        &self,
        by: &Operator,
        name: &UserName,
        enabled: bool,
    ) -> Result<Answer, OperateError> {
        let what = if enabled { "enabled" } else { "disabled" };
        let mut warnings = Vec::new();
        // Locking somebody out must always be possible, so this is no refusal.
        if !enabled && self.is_last_postmaster(name) {
            warnings.push(Problem::new(
                "addresses.postmaster",
                "Nobody gets the mail of postmaster and abuse now, so it is refused.",
                "Give the address of postmaster to another user.",
            ));
        }
        self.edit_user(by, name, what, |user| {
            user.enabled = enabled;
            Ok(())
        })
        .await
        .map(|answer| answer.with_warnings(warnings))
    }

    /// Whether nobody would be left for postmaster of a hosted domain without this user.
    fn is_last_postmaster(&self, name: &UserName) -> bool {
        let current = self.current();
        let mut without = current.directory.as_ref().clone();
        without.enabled.remove(name);
        let domains = current.settings.domains.list.iter();
        let hosted = domains.filter(|entry| entry.kind == DomainKind::Hosted);
        hosted
            .filter_map(|entry| format!("postmaster@{}", entry.name).parse().ok())
            .any(|path| {
                let is_reached = |by| policy::route::route(&current.settings, by, &path).is_ok();
                is_reached(&current.directory) && !is_reached(&without)
            })
    }

    pub(crate) async fn remove_app_password(
        &self,
        by: &Operator,
        name: &UserName,
        number: u32,
    ) -> Result<Answer, OperateError> {
        self.edit_user(by, name, "app password removed", |user| {
            let before = user.app_passwords.len();
            user.app_passwords
                .retain(|password| password.number != number);
            if user.app_passwords.len() == before {
                let what = format!("app password {number} of {}", user.name);
                return Err(OperateError::NotFound { what });
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn add_user(
        &self,
        by: &Operator,
        name: UserName,
        full_name: String,
        password: &str,
    ) -> Result<Answer, OperateError> {
        check_password(password)?;
        check_text("a full name", &full_name)?;
        let password = self.parts.authenticator.make_password(password).await?;
        let _one = self.changing.lock().await;
        if self.parts.store.user(&name).await?.is_some() {
            return Err(OperateError::Exists {
                what: format!("user {name}"),
            });
        }
        let now = self.parts.clock.now();
        let user = UserRecord {
            name: name.clone(),
            full_name,
            enabled: true,
            password: Some(password),
            scram: None,
            app_passwords: Vec::new(),
            created_at: now,
            // Not 1: what is remembered of a former user of that name must not fit this one.
            version: u64::try_from(now.as_millis()).unwrap_or(0).max(1),
        };
        let left_over = self.parts.store.list_maildrop(&name).await?.len();
        let audit = self.audit(by, format!("user {name} added"));
        self.parts.store.put_user(&user, audit).await?;
        self.reload_directory().await?;
        let mut warnings = Vec::new();
        if left_over > 0 {
            warnings.push(Problem::new(
                format!("user {name}"),
                format!(
                    "The mailbox of an earlier {name} is this user's now ({left_over} messages)."
                ),
                "If it is another person, remove the user and add them under another name.",
            ));
        }
        Ok(done(format!("user {name} added"))?.with_warnings(warnings))
    }

    pub(crate) async fn add_app_password(
        &self,
        by: &Operator,
        name: &UserName,
        label: String,
    ) -> Result<Answer, OperateError> {
        check_text("a label", &label)?;
        let (password, sha256) = self.parts.authenticator.make_app_password();
        let created_at = self.parts.clock.now();
        let mut number = 0;
        self.edit_user(by, name, "app password added", |user| {
            let last = user
                .app_passwords
                .iter()
                .map(|password| password.number)
                .max();
            number = last.unwrap_or(0) + 1;
            user.app_passwords.push(AppPassword {
                number,
                label,
                sha256,
                created_at,
            });
            Ok(())
        })
        .await?;
        Ok(Answer::AppPassword { number, password })
    }

    async fn edit_user(
        &self,
        by: &Operator,
        name: &UserName,
        what: &str,
        edit: impl FnOnce(&mut UserRecord) -> Result<(), OperateError>,
    ) -> Result<Answer, OperateError> {
        let _one = self.changing.lock().await;
        let user = self.parts.store.user(name).await?;
        let mut user = user.ok_or_else(|| OperateError::NotFound {
            what: format!("user {name}"),
        })?;
        edit(&mut user)?;
        user.version += 1;
        let what = format!("user {name}: {what}");
        self.parts
            .store
            .put_user(&user, self.audit(by, what.clone()))
            .await?;
        self.parts.authenticator.forget(name);
        self.reload_directory().await?;
        done(what)
    }

    pub(crate) async fn users(&self) -> Result<Answer, OperateError> {
        let current = self.current();
        let addresses_of = |name: &UserName| {
            let list = current.settings.addresses.list.iter();
            list.filter(|entry| entry.users.contains(name))
                .map(|entry| entry.address.clone())
                .collect()
        };
        let users = self.parts.store.users().await?;
        let users = users
            .into_iter()
            .map(|user| UserReport {
                addresses: addresses_of(&user.name),
                name: user.name,
                full_name: user.full_name,
                enabled: user.enabled,
                scram: user.scram.is_some(),
                app_passwords: user
                    .app_passwords
                    .into_iter()
                    .map(|password| AppPasswordReport {
                        number: password.number,
                        label: password.label,
                        created_at: password.created_at,
                    })
                    .collect(),
            })
            .collect();
        Ok(Answer::Users { users })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every verb ends in a Result")]
pub(crate) fn done(what: String) -> Result<Answer, OperateError> {
    Ok(Answer::Done {
        what,
        revision: None,
        warnings: Vec::new(),
    })
}

/// Longest name or label in characters; they stand in tables and logs.
const TEXT_CHARS_MAX: usize = 200;

fn check_text(what: &str, text: &str) -> Result<(), OperateError> {
    if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(OperateError::Refused {
            why: format!("{what} has at most {TEXT_CHARS_MAX} characters, all on one line"),
            remedy: "write a shorter one".to_owned(),
        });
    }
    Ok(())
}

fn check_password(password: &str) -> Result<(), OperateError> {
    let refused = |why: String| {
        Err(OperateError::Refused {
            why,
            remedy: "choose another password".to_owned(),
        })
    };
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return refused(format!(
            "a password has at least {PASSWORD_CHARS_MIN} characters"
        ));
    }
    if password.len() > PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
        return refused(format!(
            "a password has at most {PASSWORD_BYTES_MAX} octets and no control characters"
        ));
    }
    Ok(())
}
