//! Domains: list, add, remove, alias.

use std::net::IpAddr;

use mail::Domain;
use policy::RecordState;
use policy::settings::{DomainEntry, DomainKind};

use crate::{Answer, Office, OperateError, Operator, RecordReport};

impl Office {
    pub(crate) fn domains(&self) -> Answer {
        Answer::Domains {
            domains: self.current().settings.domains.list.clone(),
        }
    }

    /// The records that the domains need, each checked live; a wrong one is told, never refused.
    pub(crate) async fn records(&self, public: Vec<IpAddr>) -> Result<Answer, OperateError> {
        let public = if public.is_empty() {
            self.public_addresses()?
        } else {
            public
        };
        let mut records = Vec::new();
        for wanted in policy::dns_wanted(&self.current().settings, &public) {
            let found = match Domain::parse(&wanted.name) {
                Ok(name) => self.parts.records.values(&name, wanted.kind).await,
                Err(_) => Ok(Vec::new()),
            };
            let state = match found {
                Ok(found) => wanted.compare(&found),
                Err(error) => RecordState::NotLearnt {
                    failure: error.to_string(),
                },
            };
            records.push(RecordReport { wanted, state });
        }
        Ok(Answer::Records { records })
    }

    fn public_addresses(&self) -> Result<Vec<IpAddr>, OperateError> {
        let interfaces = self.parts.interfaces.interfaces()?.list.into_iter();
        let addresses = interfaces.flat_map(|interface| interface.addresses);
        let public = |address: &IpAddr| {
            !address.is_loopback()
                && !address.is_unspecified()
                && !policy::trust::is_private(*address)
        };
        Ok(addresses
            .map(|(address, _)| address)
            .filter(public)
            .collect())
    }

    pub(crate) async fn add_domain(
        &self,
        by: &Operator,
        name: Domain,
        kind: DomainKind,
    ) -> Result<Answer, OperateError> {
        self.edit(by, format!("domain {name} added"), |settings| {
            if settings.domains.find(&name).is_some() {
                return Err(OperateError::Exists {
                    what: format!("domain {name}"),
                });
            }
            settings.domains.list.push(DomainEntry {
                name,
                kind,
                aliases: Vec::new(),
            });
            Ok(())
        })
        .await
    }

    pub(crate) async fn remove_domain(
        &self,
        by: &Operator,
        name: Domain,
    ) -> Result<Answer, OperateError> {
        self.edit(by, format!("domain {name} removed"), |settings| {
            let before = settings.domains.list.len();
            settings.domains.list.retain(|entry| entry.name != name);
            if settings.domains.list.len() == before {
                return Err(not_found(&name));
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn add_alias(
        &self,
        by: &Operator,
        name: Domain,
        alias: Domain,
    ) -> Result<Answer, OperateError> {
        self.edit(by, format!("{alias} now names {name}"), |settings| {
            if settings.domains.find(&alias).is_some() {
                return Err(OperateError::Exists {
                    what: format!("domain {alias}"),
                });
            }
            let list = &mut settings.domains.list;
            let entry = list.iter_mut().find(|entry| entry.name == name);
            entry.ok_or_else(|| not_found(&name))?.aliases.push(alias);
            Ok(())
        })
        .await
    }

    pub(crate) async fn remove_alias(
        &self,
        by: &Operator,
        name: Domain,
        alias: Domain,
    ) -> Result<Answer, OperateError> {
        self.edit(by, format!("{alias} no longer names {name}"), |settings| {
            let list = &mut settings.domains.list;
            let entry = list.iter_mut().find(|entry| entry.name == name);
            let entry = entry.ok_or_else(|| not_found(&name))?;
            if !entry.aliases.contains(&alias) {
                return Err(OperateError::NotFound {
                    what: format!("alias {alias} of {name}"),
                });
            }
            entry.aliases.retain(|other| *other != alias);
            Ok(())
        })
        .await
    }
}

fn not_found(name: &Domain) -> OperateError {
    OperateError::NotFound {
        what: format!("domain {name}"),
    }
}
