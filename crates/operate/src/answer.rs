//! What an operator hears.

use contracts::store::{AuditEntry, QueueEntry, Revision, RevisionHead};
use contracts::{CertificateReport, ServiceReport, Story, StoryHead};
use mail::{Address, Domain, Timestamp};
use policy::settings::{Addresses, Change, DomainEntry, Problem};
use policy::sheet::ClientSheet;
use policy::{RecordState, UserName, WantedRecord};
use serde::{Deserialize, Serialize};

/// An app password without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordReport {
    /// Number within the user.
    pub number: u32,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserReport {
    /// The name.
    pub name: UserName,
    /// In full.
    pub full_name: String,
    /// Whether they may sign in and get mail.
    pub enabled: bool,
    /// Whether SCRAM keys are kept.
    pub scram: bool,
    /// App passwords.
    pub app_passwords: Vec<AppPasswordReport>,
    /// Their addresses.
    pub addresses: Vec<Address>,
}

/// A DNS record that is wanted, and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordReport {
    /// What should be there.
    #[serde(flatten)]
    pub wanted: WantedRecord,
    /// What is.
    #[serde(flatten)]
    pub state: RecordState,
}

/// The queue in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReport {
    /// Recipients that wait for a try.
    pub waiting: u64,
    /// Being tried now.
    pub leased: u64,
    /// Held.
    pub held: u64,
}

/// How everything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The program's version.
    pub version: String,
    /// When it was started; `None` when it does not run.
    pub started_at: Option<Timestamp>,
    /// The name it greets with.
    pub host_name: Domain,
    /// The settings revision in force.
    pub revision: u64,
    /// Services.
    pub services: Vec<ServiceReport>,
    /// The queue.
    pub queue: QueueReport,
    /// Free bytes where messages are kept.
    pub disk_free_bytes: Option<u64>,
    /// The server certificate.
    pub certificate: Option<CertificateReport>,
    /// What needs a person, in sentences.
    pub attention: Vec<String>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// How everything is.
    Status(Box<StatusReport>),
    /// It was done.
    Done {
        /// What, as a sentence.
        what: String,
        /// The settings revision it made, where it made one.
        revision: Option<u64>,
        /// What to keep an eye on.
        warnings: Vec<Problem>,
    },
    /// What changes, or would change.
    Changes {
        /// The settings revision it made; `None`: nothing was saved.
        revision: Option<u64>,
        /// The differences.
        changes: Vec<Change>,
        /// What to keep an eye on.
        warnings: Vec<Problem>,
    },
    /// Domains.
    Domains {
        /// All of them.
        domains: Vec<DomainEntry>,
    },
    /// DNS records.
    Records {
        /// What is wanted, and how it is.
        records: Vec<RecordReport>,
    },
    /// Addresses.
    Addresses {
        /// The whole tab.
        addresses: Addresses,
    },
    /// Users.
    Users {
        /// All of them.
        users: Vec<UserReport>,
    },
    /// A new app password.
    AppPassword {
        /// Its number.
        number: u32,
        /// The text, shown this once.
        password: String,
    },
    /// Services.
    Services {
        /// All of them.
        services: Vec<ServiceReport>,
    },
    /// Entries of the queue.
    Queue {
        /// Oldest first.
        entries: Vec<QueueEntry>,
    },
    /// How many entries an action changed.
    QueueChanged {
        /// So many.
        count: u64,
    },
    /// Stories.
    History {
        /// Newest first.
        heads: Vec<StoryHead>,
    },
    /// One story.
    Story {
        /// Whole.
        story: Box<Story>,
    },
    /// What would happen, and why.
    Explanation {
        /// Step by step.
        explanation: Box<intake::Explanation>,
    },
    /// Settings as TOML.
    Settings {
        /// Number, who, when; `None` before the first revision.
        revision: Option<RevisionHead>,
        /// The text.
        toml: String,
    },
    /// Revisions.
    Revisions {
        /// Newest first.
        revisions: Vec<RevisionHead>,
    },
    /// One revision.
    Revision {
        /// Whole.
        revision: Revision,
    },
    /// A client sheet.
    Sheet {
        /// The sheet.
        sheet: Box<ClientSheet>,
    },
    /// What operators did.
    Audit {
        /// Newest first.
        entries: Vec<AuditEntry>,
    },
}

impl Answer {
    /// The same, with more to keep an eye on; only what was done has room for it.
    pub(crate) fn with_warnings(mut self, more: Vec<Problem>) -> Self {
        if let Self::Done { warnings, .. } = &mut self {
            warnings.extend(more);
        }
        self
    }
}
