//! The office that an operator looks after: the parts of a gateway that requests act on.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::store::AuditEntry;
use contracts::{
    Authenticator, Certificates, Clock, Current, InterfaceSource, Live, RecordSource, Services,
    Store, StoreError,
};
use intake::Intake;
use mail::{Domain, Timestamp};
use policy::UserName;
use policy::facts::Directory;
use policy::settings::{RawSettings, Settings};

use crate::{Answer, OperateError, Request};

/// Who asks, for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// A name: of the system's user at the local socket, of the administrator in the console.
    pub name: String,
}

/// What an office is made of; handed over by the binary.
pub struct OfficeParts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The settings and users in force.
    pub live: Arc<Live>,
    /// Makes password records.
    pub authenticator: Arc<dyn Authenticator>,
    /// Starts and stops services.
    pub services: Arc<dyn Services>,
    /// Knows the server certificate.
    pub certificates: Arc<dyn Certificates>,
    /// Knows the machine's addresses.
    pub interfaces: Arc<dyn InterfaceSource>,
    /// Looks DNS records up.
    pub records: Arc<dyn RecordSource>,
    /// Explains.
    pub intake: Arc<Intake>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Called when the queue should be looked at now.
    pub wake_delivery: Arc<dyn Fn() + Send + Sync>,
    /// When the gateway was started; `None` while it does not run.
    pub started_at: Option<Timestamp>,
    /// The program's version.
    pub version: &'static str,
}

/// Carries requests out.
pub struct Office {
    pub(crate) parts: OfficeParts,
    /// One change of the settings at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

impl Office {
    /// An office of these parts.
    pub fn new(parts: OfficeParts) -> Self {
        Self {
            parts,
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// Carries one request out.
    ///
    /// # Errors
    /// `OperateError`: nothing was changed.
    pub async fn operate(&self, by: &Operator, request: Request) -> Result<Answer, OperateError> {
        match request {
            Request::Status => self.status().await,
            Request::SetUpOwnServer(answers) => self.set_up_own_server(by, answers).await,
            Request::DomainList => Ok(self.domains()),
            Request::DomainAdd { name, kind } => self.add_domain(by, name, kind).await,
            Request::DomainRemove { name } => self.remove_domain(by, name).await,
            Request::DomainAlias {
                name,
                alias,
                remove: false,
            } => self.add_alias(by, name, alias).await,
            Request::DomainAlias {
                name,
                alias,
                remove: true,
            } => self.remove_alias(by, name, alias).await,
            Request::DomainRecords { public } => self.records(public).await,
            Request::AddressList => Ok(self.addresses()),
            Request::AddressAdd { address, users } => self.add_address(by, address, users).await,
            Request::AddressRemove { address, users } => {
                self.remove_address(by, address, users).await
            }
            Request::AddressCatchAll { domain, users } => self.catch_all(by, domain, users).await,
            Request::UserList => self.users().await,
            Request::UserAdd {
                name,
                full_name,
                password,
            } => self.add_user(by, name, full_name, &password).await,
            Request::UserRemove { name } => self.remove_user(by, name).await,
            Request::UserPassword {
                name,
                password,
                scram,
            } => self.set_password(by, &name, &password, scram).await,
            Request::UserEnable { name, enabled } => self.enable_user(by, &name, enabled).await,
            Request::AppPasswordAdd { name, label } => {
                self.add_app_password(by, &name, label).await
            }
            Request::AppPasswordRemove { name, number } => {
                self.remove_app_password(by, &name, number).await
            }
            Request::ServiceList => Ok(self.services()),
            Request::ServiceStart { service } => self.start_service(by, service).await,
            Request::ServiceStop { service } => self.stop_service(by, service).await,
            Request::QueueList { filter } => self.list_queue(&filter).await,
            Request::QueueChange { filter, action } => self.change_queue(by, &filter, action).await,
            Request::HistorySearch { query } => self.search_history(&query).await,
            Request::HistoryShow { id } => self.show_story(id).await,
            Request::Explain { question } => self.explain(&question).await,
            Request::SettingsShow => self.show_settings().await,
            Request::SettingsApply {
                toml,
                why,
                expected_revision,
                dry_run,
            } => {
                self.apply_settings(by, &toml, why, expected_revision, dry_run)
                    .await
            }
            Request::SettingsHistory => self.revisions().await,
            Request::SettingsRevision { number } => self.revision(number).await,
            Request::SettingsRestore { number, tab, why } => {
                self.restore(by, number, tab.as_deref(), why).await
            }
            Request::Sheet { user } => self.sheet(&user).await,
            Request::Audit { limit } => self.list_audit(limit).await,
        }
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        self.parts.live.current()
    }

    pub(crate) fn audit(&self, by: &Operator, action: impl Into<String>) -> AuditEntry {
        AuditEntry {
            at: self.parts.clock.now(),
            operator: by.name.clone(),
            action: action.into(),
        }
    }

    /// Puts the users that the store has in force.
    pub(crate) async fn reload_directory(&self) -> Result<(), OperateError> {
        let directory = directory(self.parts.store.as_ref()).await?;
        let current = self.current();
        self.parts.live.replace(Current {
            revision: current.revision,
            settings: Arc::clone(&current.settings),
            directory: Arc::new(directory),
        });
        Ok(())
    }
}

async fn directory(store: &dyn Store) -> Result<Directory, StoreError> {
    let mut directory = Directory::default();
    for user in store.users().await? {
        if user.enabled {
            directory.enabled.insert(user.name);
        } else {
            directory.disabled.insert(user.name);
        }
    }
    Ok(directory)
}

/// Every user that exists, enabled or not.
pub(crate) fn known_users(directory: &Directory) -> BTreeSet<UserName> {
    directory
        .enabled
        .union(&directory.disabled)
        .cloned()
        .collect()
}

/// Reads what is in force from the store; before the first revision, closed defaults for
/// `host_name`.
///
/// # Errors
/// When the store cannot be read, or holds settings that this version can not use.
pub async fn load(store: &dyn Store, host_name: Domain) -> Result<Current, OperateError> {
    let directory = directory(store).await?;
    let (revision, settings) = match store.settings().await? {
        Some(revision) => (revision.head.number, parse(&revision.toml, &directory)?),
        None => (0, policy::settings::starter(host_name)),
    };
    Ok(Current {
        revision,
        settings: Arc::new(settings),
        directory: Arc::new(directory),
    })
}

pub(crate) fn parse(toml: &str, directory: &Directory) -> Result<Settings, OperateError> {
    let problems = |problems| OperateError::Problems { problems };
    let raw = RawSettings::from_toml(toml).map_err(problems)?;
    let checked = policy::settings::check(&raw, &known_users(directory)).map_err(problems)?;
    Ok(checked.settings)
}
