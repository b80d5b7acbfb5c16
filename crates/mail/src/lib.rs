//! The words of mail: what RFC 5321, 5322, 3461 to 3464 name, as values that cannot be wrong.
//!
//! Promises: pure; no clock, no I/O, no async. Every type prints as the standard writes it and
//! reads back what it printed.
//! Standards: RFC 5321, 5322, 3461, 3463, 3464, 6531.

mod address;
mod domain;
pub mod dsn;
mod envelope;
pub mod header;
pub mod header_values;
mod id;
pub mod received;
mod status;
mod timestamp;

pub use address::{Address, AddressSyntax, ForwardPath, LocalPart, ReversePath, fold_local};
pub use domain::{Domain, DomainSyntax, MailHost};
pub use envelope::{BodyType, Envelope, MailParameters, Notify, Recipient, Ret};
pub use id::{IdSource, IdSyntax, QueueId, TransactionId};
pub use status::{EnhancedStatus, StatusClass, StatusSyntax};
pub use timestamp::Timestamp;
