//! Settings: show, apply, history, restore; and the sheet that is built from them.

use std::sync::Arc;

use contracts::store::SettingsChange;
use contracts::{Current, StoreError};
use policy::UserName;
use policy::settings::{Change, Checked, Problem, RawSettings, Settings};

use crate::office::{known_users, load, parse};
use crate::{Answer, Office, OperateError, Operator};

/// Settings that somebody wants in force.
struct Proposal {
    raw: RawSettings,
    why: String,
    /// The revision they were made from.
    expected: u64,
}

/// What a proposal changed, or would change.
struct Applied {
    revision: Option<u64>,
    changes: Vec<Change>,
    warnings: Vec<Problem>,
}

impl Applied {
    fn into_answer(self) -> Answer {
        let Self {
            revision,
            changes,
            warnings,
        } = self;
        Answer::Changes {
            revision,
            changes,
            warnings,
        }
    }
}

impl Office {
    pub(crate) async fn apply_settings(
        &self,
        by: &Operator,
        toml: &str,
        why: String,
        expected_revision: Option<u64>,
        dry_run: bool,
    ) -> Result<Answer, OperateError> {
        let tabs =
            RawSettings::from_toml(toml).map_err(|problems| OperateError::Problems { problems })?;
        let _one = self.changing.lock().await;
        let current = self.current();
        let expected = expected_revision.unwrap_or(current.revision);
        let raw = tabs.apply_over(&RawSettings::from(current.settings.as_ref()));
        let proposal = Proposal { raw, why, expected };
        if dry_run {
            return self.preview(&proposal);
        }
        let outcome = self.put_in_force(by, proposal).await?;
        Ok(outcome.into_answer())
    }

    pub(crate) async fn revisions(&self) -> Result<Answer, OperateError> {
        Ok(Answer::Revisions {
            revisions: self.parts.store.revisions().await?,
        })
    }

    pub(crate) async fn revision(&self, number: u64) -> Result<Answer, OperateError> {
        Ok(Answer::Revision {
            revision: self.parts.store.revision(number).await?,
        })
    }

    pub(crate) async fn show_settings(&self) -> Result<Answer, OperateError> {
        let current = self.current();
        let revision = self
            .parts
            .store
            .settings()
            .await?
            .map(|revision| revision.head);
        let toml = RawSettings::from(current.settings.as_ref()).to_toml();
        Ok(Answer::Settings { revision, toml })
    }

    pub(crate) async fn restore(
        &self,
        by: &Operator,
        number: u64,
        tab: Option<&str>,
        why: String,
    ) -> Result<Answer, OperateError> {
        let problems = |problems| OperateError::Problems { problems };
        let revision = self.parts.store.revision(number).await?;
        let mut raw = RawSettings::from_toml(&revision.toml).map_err(problems)?;
        if let Some(tab) = tab {
            raw = raw.only(tab).ok_or_else(|| OperateError::NotFound {
                what: format!("a tab named {tab} in revision {number}"),
            })?;
        }
        let _one = self.changing.lock().await;
        let current = self.current();
        let raw = raw.apply_over(&RawSettings::from(current.settings.as_ref()));
        let why = if why.is_empty() {
            format!("revision {number} restored")
        } else {
            why
        };
        let proposal = Proposal {
            raw,
            why,
            expected: current.revision,
        };
        Ok(self.put_in_force(by, proposal).await?.into_answer())
    }

    /// Changes the settings in place: the one way that domain, address and set-up verbs take.
    pub(crate) async fn edit(
        &self,
        by: &Operator,
        what: String,
        edit: impl FnOnce(&mut Settings) -> Result<(), OperateError>,
    ) -> Result<Answer, OperateError> {
        let _one = self.changing.lock().await;
        let current = self.current();
        let mut settings = current.settings.as_ref().clone();
        edit(&mut settings)?;
        let raw = RawSettings::from(&settings);
        let proposal = Proposal {
            raw,
            why: what.clone(),
            expected: current.revision,
        };
        let Applied {
            revision, warnings, ..
        } = self.put_in_force(by, proposal).await?;
        Ok(Answer::Done {
            what,
            revision,
            warnings,
        })
    }

    /// Checks what `edit` would make of the settings, without changing anything.
    pub(crate) fn rehearse(&self, edit: impl FnOnce(&mut Settings)) -> Result<(), OperateError> {
        let current = self.current();
        let mut settings = current.settings.as_ref().clone();
        edit(&mut settings);
        let proposal = Proposal {
            raw: RawSettings::from(&settings),
            why: String::new(),
            expected: current.revision,
        };
        self.weigh(&proposal).map(drop)
    }

    fn preview(&self, proposal: &Proposal) -> Result<Answer, OperateError> {
        let (_, applied) = self.weigh(proposal)?;
        Ok(applied.into_answer())
    }

    /// Checks a proposal and tells what it would change, without changing anything.
    fn weigh(&self, proposal: &Proposal) -> Result<(Settings, Applied), OperateError> {
        let current = self.current();
        let Checked { settings, warnings } =
            policy::settings::check(&proposal.raw, &known_users(&current.directory))
                .map_err(|problems| OperateError::Problems { problems })?;
        let changes = policy::settings::differences(&current.settings, &settings);
        if proposal.expected != current.revision {
            let (expected, found) = (proposal.expected, current.revision);
            return Err(OperateError::Conflict { expected, found });
        }
        Ok((
            settings,
            Applied {
                revision: None,
                changes,
                warnings,
            },
        ))
    }

    /// Checks, saves and puts in force; the caller holds `changing`.
    async fn put_in_force(
        &self,
        by: &Operator,
        proposal: Proposal,
    ) -> Result<Applied, OperateError> {
        let current = self.current();
        let (settings, mut applied) = self.weigh(&proposal)?;
        if applied.changes.is_empty() && current.revision > 0 {
            return Ok(applied);
        }
        let change = SettingsChange {
            toml: proposal.raw.to_toml(),
            operator: by.name.clone(),
            why: proposal.why,
            at: self.parts.clock.now(),
        };
        // What is saved must be readable by the next start, whatever was handed in.
        parse(&change.toml, &current.directory)?;
        let saved = self.parts.store.save_settings(proposal.expected, change);
        let revision = match saved.await {
            Ok(revision) => revision,
            Err(failed) => {
                // What is in force is not what is stored: after a save whose answer was lost every
                // later one would be a conflict.
                if matches!(failed, StoreError::Conflict { .. }) {
                    let host_name = current.settings.machine.host_name.clone();
                    let stored = load(self.parts.store.as_ref(), host_name).await?;
                    self.parts.live.replace(stored);
                }
                return Err(failed.into());
            }
        };
        self.parts.live.replace(Current {
            revision,
            settings: Arc::new(settings),
            directory: Arc::clone(&self.current().directory),
        });
        (self.parts.wake_delivery)();
        applied.revision = Some(revision);
        Ok(applied)
    }

    pub(crate) async fn sheet(&self, user: &UserName) -> Result<Answer, OperateError> {
        if self.parts.store.user(user).await?.is_none() {
            return Err(OperateError::NotFound {
                what: format!("user {user}"),
            });
        }
        let interfaces = self.parts.interfaces.interfaces()?.list.into_iter();
        let addresses: Vec<_> = interfaces
            .flat_map(|interface| interface.addresses)
            .map(|(address, _)| address)
            .collect();
        let certificate = self.parts.certificates.report();
        let fingerprint = certificate.map_or_else(String::new, |report| report.fingerprint);
        let settings = &self.current().settings;
        let mut ports = std::collections::BTreeMap::new();
        for service in self.parts.services.list() {
            if let Some(address) = service.addresses.first() {
                ports.insert(service.name, address.port());
            }
        }
        let sheet = policy::sheet::sheet(settings, user, &addresses, &fingerprint).on_ports(&ports);
        Ok(Answer::Sheet {
            sheet: Box::new(sheet),
        })
    }
}
