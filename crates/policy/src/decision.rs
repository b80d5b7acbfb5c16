//! Decisions that carry their reason.
//!
//! Promises: one closed list of reasons; each names the setting, rule or fact that decided, whole,
//! for an acceptance too. What a stranger may hear of it is `public`'s business alone.

use std::net::IpAddr;

use mail::{Address, Domain, ReversePath};
use serde::{Deserialize, Serialize};

use crate::UserName;

/// Which way a decision went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Yes.
    Accept,
    /// No, for good.
    Refuse,
    /// Not now; the sender keeps it and tries again.
    Defer,
}

/// An outcome and what brought it about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which way.
    pub outcome: Outcome,
    /// The setting, rule or fact that decided.
    pub because: Because,
}

impl Decision {
    /// Yes, because.
    pub const fn accept(because: Because) -> Self {
        Self {
            outcome: Outcome::Accept,
            because,
        }
    }

    /// No for good, because.
    pub const fn refuse(because: Because) -> Self {
        Self {
            outcome: Outcome::Refuse,
            because,
        }
    }

    /// Not now, because.
    pub const fn defer(because: Because) -> Self {
        Self {
            outcome: Outcome::Defer,
            because,
        }
    }

    /// Whether the answer was yes.
    pub const fn is_accept(&self) -> bool {
        matches!(self.outcome, Outcome::Accept)
    }
}

/// The relation of sender and recipient that a line of the relay table speaks about (S4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From a listed domain to a listed domain.
    LocalToLocal,
    /// From a listed domain to elsewhere.
    LocalToOutside,
    /// From elsewhere (the null reverse-path included) to a listed domain.
    OutsideToLocal,
    /// From elsewhere to elsewhere.
    OutsideToOutside,
}

/// Why a decision went the way it did. Serialised with a stable `kind`; shown as a sentence for
/// operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Because {
    // --- connection ---
    /// The peer is internal, or the service is open to the Internet.
    ServiceOpen {
        /// Name of the service.
        service: String,
        /// The setting that opened it, or the fact of trust that did.
        setting: String,
    },
    /// An outside peer on a service that was not opened to the Internet (S4.11).
    NotOpenToInternet {
        /// Name of the service.
        service: String,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// The service takes mail from signed-in users only (587 and 465).
    SignInRequired {
        /// Name of the service.
        service: String,
    },
    /// Somebody who signed in was disabled or removed meanwhile.
    UserNotEnabled {
        /// Who.
        user: UserName,
    },
    /// As many connections as `setting` allows are open already.
    TooManyConnections {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// Its value, in connections.
        limit: u64,
    },
    /// This source has as many connections as `setting` allows.
    TooManyConnectionsFromSource {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// Its value, in connections.
        limit: u64,
        /// The source.
        source: IpAddr,
    },
    /// This source sent more in the last minute than `setting` allows.
    TooManyMessagesFromSource {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// Its value, in messages a minute.
        limit: u64,
        /// The source.
        source: IpAddr,
    },
    // --- sender ---
    /// Nothing speaks against this sender.
    SenderAcceptable {
        /// What was looked at, as a sentence.
        fact: String,
    },
    /// The signed-in user may send as this address.
    SenderIsTheirs {
        /// The user.
        user: UserName,
        /// The reverse-path.
        sender: ReversePath,
    },
    /// The sender is not an address of the signed-in user; `line` is the line to add.
    SenderNotTheirs {
        /// The user.
        user: UserName,
        /// The reverse-path.
        sender: Address,
        /// The line that would allow it.
        line: String,
    },
    /// An internal peer without sign-in, from a domain that is not listed; `line` is the line to add.
    SenderDomainNotListed {
        /// The reverse-path.
        sender: Address,
        /// The line that would allow it.
        line: String,
    },
    /// A device on the list, within what it may send as.
    DeviceMaySend {
        /// Its name on the list.
        device: String,
        /// The reverse-path.
        sender: ReversePath,
    },
    /// A device on the list, sending as somebody it may not; `line` is the line to add.
    DeviceMayNotSendAs {
        /// Its name on the list.
        device: String,
        /// The reverse-path.
        sender: Address,
        /// The line that would allow it.
        line: String,
    },
    /// The sender's domain does not exist (NXDOMAIN).
    SenderDomainUnknown {
        /// The domain.
        domain: Domain,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// DNS did not say whether the sender's domain exists.
    SenderDomainNotLearnt {
        /// The domain.
        domain: Domain,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// What went wrong.
        failure: String,
    },
    /// The sender's domain says that it takes no mail, so no report could reach it (null MX).
    SenderDomainNullMx {
        /// The domain.
        domain: Domain,
    },
    /// The sender gives an IP address for a domain.
    SenderDomainNumeric {
        /// The reverse-path.
        sender: Address,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// The null reverse-path is refused by choice.
    NullReversePathRefused {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// An outsider sends as one of our domains.
    OwnDomainSpoofed {
        /// The domain.
        domain: Domain,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// The declared or actual size is above the limit.
    TooLarge {
        /// The size in octets.
        size_bytes: u64,
        /// The limit in octets.
        limit_bytes: u64,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// Less disk is free than `setting` asks for.
    DiskLow {
        /// What is free, in octets.
        free_bytes: u64,
        /// What must be free, in octets.
        limit_bytes: u64,
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
    },
    /// How much disk is free could not be learnt.
    DiskNotLearnt {
        /// What went wrong.
        failure: String,
    },
    // --- recipient ---
    /// An address of a hosted or split domain, for these users.
    AddressKnown {
        /// The listed address, or the one asked for where a rule for many matched.
        address: Address,
        /// Whose mailboxes it reaches; at least one.
        users: Vec<UserName>,
        /// The setting that ties the address to the users, and the relay line that let it in.
        via: String,
    },
    /// Nobody here has that address; `nearest` is the likeliest meant.
    AddressUnknown {
        /// The address asked for.
        address: Address,
        /// A listed address that is written almost the same.
        nearest: Option<Address>,
    },
    /// The address is listed, but none of its users exists (yet) or is enabled.
    AddressWithoutUser {
        /// The listed address.
        address: Address,
        /// The users that it names.
        users: Vec<UserName>,
    },
    /// The domain is passed to an inner server.
    DomainPassed {
        /// The domain.
        domain: Domain,
        /// The relay line that let it in.
        entry: String,
    },
    /// The relay table lets this one through.
    RelayAllowed {
        /// Name of the line.
        entry: String,
        /// From where to where.
        direction: Direction,
    },
    /// The relay table has no line that lets this one through.
    RelayRefused {
        /// From where to where.
        direction: Direction,
        /// The fact of trust, and who signed in.
        standing: String,
    },
    /// The message has as many recipients as `setting` allows.
    TooManyRecipients {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// Its value, in recipients.
        limit: u64,
    },
    /// The recipient is no address that mail can be sent to.
    RecipientNotRoutable {
        /// The recipient as given.
        recipient: String,
    },
    // --- message ---
    /// Every check passed.
    MessageAcceptable {
        /// What was looked at, as a sentence.
        fact: String,
    },
    /// The header From is not one of the signed-in user's, the device's or the listed domains'.
    HeaderFromNotAllowed {
        /// The address in the header, or that it cannot be read.
        from: String,
        /// The line that would allow it.
        line: String,
    },
    /// The message went through more hosts than `receiving.hops_max` allows.
    TooManyHops {
        /// Count of Received fields.
        hops: u64,
        /// The limit.
        limit: u64,
    },
    /// A part of the machine that the decision needs did not answer.
    Outside {
        /// Which part.
        part: String,
        /// What went wrong.
        failure: String,
    },
    /// So much mail is under way that this message would have to wait for memory.
    MemoryShort {
        /// What the memory is for.
        what: String,
    },
    // --- routing and delivery ---
    /// Where the recipient's mail goes, by which setting.
    RoutedBy {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// The next hop in words.
        next_hop: String,
    },
    /// The far side said this.
    FarSide {
        /// The host.
        host: String,
        /// Its reply, whole.
        reply: String,
    },
    /// The domain says that it takes no mail (null MX, RFC 7505).
    RecipientNullMx {
        /// The domain.
        domain: Domain,
    },
    /// The domain does not exist.
    RecipientDomainUnknown {
        /// The domain.
        domain: Domain,
    },
    /// Every host for the domain leads back to this gateway.
    LoopsToOurselves {
        /// The host that turned out to be this gateway.
        host: String,
    },
    /// Tried until `setting` said to stop.
    Expired {
        /// Path of the setting, such as `receiving.recipients_max`.
        setting: String,
        /// The last failure.
        last: String,
    },
    /// The far side lacks an extension that the message needs.
    FarSideLacks {
        /// The host.
        host: String,
        /// The extension, such as SMTPUTF8.
        extension: String,
    },
    /// An operator took it out of the queue.
    DeletedByOperator {
        /// Who.
        operator: String,
    },
    /// No host could be reached.
    Unreachable {
        /// What went wrong.
        failure: String,
    },
}
