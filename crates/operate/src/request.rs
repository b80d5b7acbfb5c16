//! What an operator can ask for. Serialised with stable names: scripts and the socket rely on them.

use std::net::IpAddr;

use contracts::store::{HistoryQuery, QueueAction, QueueFilter};
use mail::{Address, Domain, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;
use policy::settings::DomainKind;
use serde::{Deserialize, Serialize};

/// The answers that scenario 1 needs (S1.8).
#[derive(Clone, Serialize, Deserialize)]
pub struct SetUpOwnServer {
    /// The office's domain.
    pub domain: Domain,
    /// The first user; gets an address of the same name, postmaster and abuse.
    pub user: UserName,
    /// Their password; `None` when the user exists already.
    pub password: Option<String>,
    /// The name the machine greets with; `None`: `mail.` before the domain.
    pub host_name: Option<Domain>,
    /// The answer to S4.11: port 25 takes mail from the Internet.
    pub open_to_internet: bool,
}

/// One request.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Request {
    /// How is everything?
    Status,
    /// Scenario 1 in one step.
    SetUpOwnServer(SetUpOwnServer),
    /// All domains.
    DomainList,
    /// One more domain.
    DomainAdd {
        /// Its name.
        name: Domain,
        /// What the gateway is for it.
        kind: DomainKind,
    },
    /// One domain less.
    DomainRemove {
        /// Its name.
        name: Domain,
    },
    /// Another name for a domain, or one less.
    DomainAlias {
        /// The domain.
        name: Domain,
        /// The other name.
        alias: Domain,
        /// Take it away.
        remove: bool,
    },
    /// The DNS records that the domains need, checked live.
    DomainRecords {
        /// The addresses that the Internet reaches the gateway by; empty: the machine's public ones.
        public: Vec<IpAddr>,
    },
    /// All addresses.
    AddressList,
    /// Give an address to users, beside those who have it.
    AddressAdd {
        /// The address.
        address: Address,
        /// At least one.
        users: Vec<UserName>,
    },
    /// Take an address away, from everybody or from some.
    AddressRemove {
        /// The address.
        address: Address,
        /// Only from these; empty: from all.
        users: Vec<UserName>,
    },
    /// Who gets mail for unknown names of a domain; nobody when empty.
    AddressCatchAll {
        /// The domain.
        domain: Domain,
        /// Who.
        users: Vec<UserName>,
    },
    /// All users.
    UserList,
    /// One more user.
    UserAdd {
        /// The name.
        name: UserName,
        /// In full; may be empty.
        full_name: String,
        /// The password.
        password: String,
    },
    /// One user less; the mailbox stays.
    UserRemove {
        /// The name.
        name: UserName,
    },
    /// Another password.
    UserPassword {
        /// The name.
        name: UserName,
        /// The password.
        password: String,
        /// Keep SCRAM keys for it too.
        scram: bool,
    },
    /// Let a user in, or keep them out.
    UserEnable {
        /// The name.
        name: UserName,
        /// In or out.
        enabled: bool,
    },
    /// One more app password, shown once.
    AppPasswordAdd {
        /// Whose.
        name: UserName,
        /// What for.
        label: String,
    },
    /// One app password less.
    AppPasswordRemove {
        /// Whose.
        name: UserName,
        /// Which.
        number: u32,
    },
    /// All services.
    ServiceList,
    /// Start one.
    ServiceStart {
        /// Which.
        service: ServiceName,
    },
    /// Stop one.
    ServiceStop {
        /// Which.
        service: ServiceName,
    },
    /// Entries of the queue.
    QueueList {
        /// Which.
        filter: QueueFilter,
    },
    /// Act on entries of the queue.
    QueueChange {
        /// Which.
        filter: QueueFilter,
        /// What.
        action: QueueAction,
    },
    /// Stories.
    HistorySearch {
        /// Which.
        query: HistoryQuery,
    },
    /// One story, whole.
    HistoryShow {
        /// Which.
        id: TransactionId,
    },
    /// What would happen to a message, and why.
    Explain {
        /// The message.
        question: intake::Question,
    },
    /// The settings in force, as TOML.
    SettingsShow,
    /// Put tabs in force; a tab that is not named stays.
    SettingsApply {
        /// The tabs, as TOML.
        toml: String,
        /// Why.
        why: String,
        /// The revision they were edited from; `None`: the one in force.
        expected_revision: Option<u64>,
        /// Only say what would change.
        dry_run: bool,
    },
    /// All revisions.
    SettingsHistory,
    /// One revision, as TOML.
    SettingsRevision {
        /// Which.
        number: u64,
    },
    /// Put an old revision in force again, whole or one tab of it.
    SettingsRestore {
        /// Which.
        number: u64,
        /// Only this tab.
        tab: Option<String>,
        /// Why.
        why: String,
    },
    /// What a user types into a mail program.
    Sheet {
        /// Whose.
        user: UserName,
    },
    /// What operators did.
    Audit {
        /// At most so many.
        limit: usize,
    },
}
