//! Reports of our own: delivery status notifications made ready for a commit.
//!
//! Promises: a report has the null reverse-path, asks for no report itself, and is routed like
//! any other mail. Whoever causes it commits it, with the step that ends its cause.
//! Does not: write the text (`mail::dsn`), or commit.
//! Standards: RFC 3461 §4, §5, §6.

use std::sync::Arc;

use contracts::store::{Acceptance, Rendition};
use contracts::{Clock, Event, Live, Store, StoreError, Story, StoryEntry, StoryHead};
use mail::dsn::{self, Action, Dsn, RecipientReport, Returned};
use mail::{
    Address, EnhancedStatus, Envelope, ForwardPath, LocalPart, MailParameters, Notify, Recipient,
    ReversePath, StatusClass, Timestamp, TransactionId,
};
use policy::settings::Settings;
use policy::{Because, Decision};

use crate::Ids;
use crate::acceptance::Routing;

/// A report to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The reverse-path of the message it is about.
    pub to: Address,
    /// The message it is about.
    pub about: TransactionId,
    /// The whole report: header, blank line, body, all lines ending in CRLF.
    pub content: Vec<u8>,
    /// Its Subject, for the history.
    pub subject: String,
    /// Whether its header needs SMTPUTF8.
    pub smtputf8: bool,
}

impl Report {
    /// The report that `dsn` is, to `to`, about the message `about`.
    pub fn new(to: Address, about: TransactionId, dsn: Dsn) -> Self {
        Self {
            to,
            about,
            content: dsn.content,
            subject: dsn.subject,
            smtputf8: dsn.smtputf8,
        }
    }
}

/// Who reports to `to` are from: postmaster of the first domain, else of this host.
// RFC 5321 §4.5.1: postmaster is an address that every domain has, and a person reads.
pub fn author(settings: &Settings, to: &Address) -> Address {
    let domain = settings
        .domains
        .list
        .first()
        .map_or(&settings.machine.host_name, |entry| &entry.name);
    match LocalPart::parse("postmaster") {
        Ok(local) => Address::new(local, domain.clone().into()),
        Err(_) => to.clone(),
    }
}

/// A message that came to rest in mailboxes here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveredHere<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) id: TransactionId,
    pub(crate) at: Timestamp,
    pub(crate) envelope: &'a Envelope,
    /// Indexes of the recipients.
    pub(crate) delivered: &'a [usize],
    /// Its header section.
    pub(crate) header: &'a [u8],
}

impl DeliveredHere<'_> {
    /// The report that its sender asked for, if they did.
    // RFC 3461 §5.2.2: NOTIFY=SUCCESS is answered where final delivery is made.
    pub(crate) fn report(&self) -> Option<Report> {
        let mail = &self.envelope.mail;
        let to = mail.reverse_path.address()?;
        let recipients: Vec<RecipientReport> = self
            .delivered
            .iter()
            .filter_map(|index| self.envelope.recipients.get(*index))
            .filter(|recipient| recipient.notify.is_some_and(|notify| notify.success))
            .map(|recipient| self.delivered_to(recipient))
            .collect();
        if recipients.is_empty() {
            return None;
        }
        let host_name = &self.settings.machine.host_name;
        let report = dsn::Report {
            from: &author(self.settings, to),
            to,
            reporting_mta: host_name,
            at: self.at,
            arrived_at: self.at,
            about: self.id,
            envid: mail.envid.as_deref(),
            message_id: &format!("{}.delivered@{host_name}", self.id),
            boundary: &format!("report{}", self.id.number()),
            recipients: &recipients,
            // RFC 3461 §4.3: RET is for failures; a report of success brings the header only.
            returned: Returned::Header(self.header),
        };
        Some(Report::new(to.clone(), self.id, dsn::write(&report)))
    }

    fn delivered_to(&self, recipient: &Recipient) -> RecipientReport {
        RecipientReport {
            recipient: recipient.path.clone(),
            orcpt: recipient.orcpt.clone(),
            action: Action::Delivered,
            status: EnhancedStatus::new(StatusClass::Success, 0, 0),
            remote_mta: None,
            diagnostic: None,
            explanation: "It was put into the mailbox.".to_owned(),
            last_attempt_at: Some(self.at),
            retry_until: None,
        }
    }
}

/// Why no report could be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The sender cannot be reached; nobody is told.
    #[error("the sender cannot be reached: {because}")]
    NotRoutable {
        /// Why.
        because: Because,
    },
    /// The store would not take the text.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes reports ready.
#[derive(Clone)]
pub struct Reports {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    live: Arc<Live>,
    ids: Arc<Ids>,
}

impl std::fmt::Debug for Reports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reports")
    }
}

impl Reports {
    /// Reports kept by `store`, routed by the settings in `live`, named from `ids`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        live: Arc<Live>,
        ids: Arc<Ids>,
    ) -> Self {
        Self {
            store,
            clock,
            live,
            ids,
        }
    }

    /// The report as an acceptance, not yet committed.
    ///
    /// # Errors
    /// `NotRoutable` is final: nobody can be told. `Store` asks for another try.
    pub async fn acceptance(&self, report: Report) -> Result<Acceptance, ReportError> {
        let now = self.clock.now();
        let envelope = envelope(&report);
        let current = self.live.current();
        let routing = Routing::of(
            &current,
            &envelope.mail.reverse_path,
            &envelope.recipients,
            now,
        )
        .map_err(|because| ReportError::NotRoutable { because })?;
        let mut writer = self.store.new_body();
        writer.write(&report.content).await?;
        let body = writer.finish().await?;
        let id = self.ids.next(now);
        let head = StoryHead {
            id,
            at: now,
            connection: None,
            sender: "<>".to_owned(),
            recipients: vec![report.to.to_string()],
            subject: Some(report.subject.clone()),
            size_bytes: body.size_bytes,
            accepted: true,
        };
        let mut entries = vec![StoryEntry {
            id,
            at: now,
            event: Event::MessageDecided {
                size_bytes: body.size_bytes,
                message_id: None,
                subject: Some(report.subject),
                decision: Decision::accept(Because::MessageAcceptable {
                    fact: format!("a report of our own about {}", report.about),
                }),
            },
        }];
        entries.extend(routing.entries(id, now));
        Ok(Acceptance {
            id,
            at: now,
            body,
            rendition: Rendition::default(),
            ends_with_crlf: report.content.ends_with(b"\r\n"),
            envelope,
            deliveries: routing.deliveries,
            queue: routing.queue,
            story: Story { head, entries },
        })
    }
}

fn envelope(report: &Report) -> Envelope {
    let mut mail = MailParameters::plain(ReversePath::Null);
    mail.smtputf8 = report.smtputf8;
    mail.size_bytes = u64::try_from(report.content.len()).ok();
    let recipient = Recipient {
        path: ForwardPath::Address(report.to.clone()),
        // RFC 3461 §6.1: a report is sent with NOTIFY=NEVER.
        notify: Some(Notify {
            success: false,
            failure: false,
            delay: false,
        }),
        orcpt: None,
    };
    Envelope {
        mail,
        recipients: vec![recipient],
    }
}
