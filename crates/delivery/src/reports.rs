//! Reports about one message, made ready to be committed with the attempt that causes them.
//!
//! Promises: one report for all recipients that failed, one for all that are late, one for all
//! that were passed on; the message itself comes back whole only where RET=FULL asked for it.
//! Standards: RFC 3461 §4.3, §6; RFC 3464 §2.

use std::sync::Arc;

use contracts::store::{Acceptance, QueueEntry};
use contracts::{Current, Store, StoreError};
use intake::{Report, ReportError, Reports, author};
use mail::dsn::{self, Action, RecipientReport, Returned};
use mail::{Ret, Timestamp};

use crate::message::Message;
use crate::random::Random;

/// Octets of the message that are read for its header.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Writes reports.
pub(crate) struct Reporter {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reports: Reports,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) returned_bytes_max: u64,
}

/// A report and what it is about.
pub(crate) struct Ready {
    pub(crate) action: Action,
    /// `None` where the sender cannot be told.
    pub(crate) acceptance: Option<Acceptance>,
}

impl Reporter {
    /// The reports about the message of `entry`.
    ///
    /// # Errors
    /// When the store fails: nothing may be recorded then, so that it is tried again.
    pub(crate) async fn ready(
        &self,
        current: &Current,
        entry: &QueueEntry,
        recipients: &[RecipientReport],
        now: Timestamp,
    ) -> Result<Vec<Ready>, StoreError> {
        let mut ready = Vec::new();
        for action in [Action::Failed, Action::Delayed, Action::Relayed] {
            let about = recipients.iter().filter(|one| one.action == action);
            let about: Vec<RecipientReport> = about.cloned().collect();
            if about.is_empty() {
                continue;
            }
            let report = self.write(current, entry, &about, now).await?;
            let acceptance = match report {
                Some(report) => self.accepted(report).await?,
                None => None,
            };
            ready.push(Ready { action, acceptance });
        }
        Ok(ready)
    }

    async fn accepted(&self, report: Report) -> Result<Option<Acceptance>, StoreError> {
        match self.reports.acceptance(report).await {
            Ok(acceptance) => Ok(Some(acceptance)),
            Err(error @ ReportError::NotRoutable { .. }) => {
                tracing::warn!(%error, "nobody can be told of a failure");
                Ok(None)
            }
            Err(ReportError::Store(error)) => Err(error),
        }
    }

    async fn write(
        &self,
        current: &Current,
        entry: &QueueEntry,
        about: &[RecipientReport],
        now: Timestamp,
    ) -> Result<Option<Report>, StoreError> {
        let Some(to) = entry.mail.reverse_path.address() else {
            return Ok(None);
        };
        let store = Arc::clone(&self.store);
        let message = Message::open(store, entry.id, HEADER_BYTES_MAX).await?;
        let whole = self.whole(entry, about, &message).await?;
        let host_name = &current.settings.machine.host_name;
        let token = self.random.number();
        let dsn = dsn::write(&dsn::Report {
            from: &author(&current.settings, to),
            to,
            reporting_mta: host_name,
            at: now,
            arrived_at: entry.queued_at,
            about: entry.id,
            envid: entry.mail.envid.as_deref(),
            message_id: &format!("{}.{token:016x}@{host_name}", entry.id),
            boundary: &format!("report{token:016x}{:016x}", self.random.number()),
            recipients: about,
            returned: match &whole {
                Some(octets) => Returned::Whole(octets),
                None => Returned::Header(message.header()),
            },
        });
        Ok(Some(Report::new(to.clone(), entry.id, dsn)))
    }

    /// The whole message, where a failure report is to bring it back.
    async fn whole(
        &self,
        entry: &QueueEntry,
        about: &[RecipientReport],
        message: &Message,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        // RFC 3461 §4.3: RET=FULL is about failures only.
        let failed = about.iter().any(|one| one.action == Action::Failed);
        if failed && entry.mail.ret == Some(Ret::Full) {
            message.whole(self.returned_bytes_max).await
        } else {
            Ok(None)
        }
    }
}
