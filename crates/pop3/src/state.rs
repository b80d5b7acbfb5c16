//! The states of a session; each owns what it needs.
//!
//! Promises: a question is open exactly in the states that say so.
//! Does not: move from one to another; the command files do.
//! Standards: RFC 1939 §3.

use crate::maildrop::Maildrop;
use crate::retrieval::Transfer;
use crate::sasl::Exchange;
use crate::transaction::Listing;

/// Where a session stands.
#[derive(Debug, Default)]
pub(crate) enum State {
    /// AUTHORIZATION: a command is awaited.
    Authorization {
        /// The name that USER gave.
        user: Option<String>,
    },
    /// AUTHORIZATION: the peer's next SASL response is awaited.
    Exchange(Exchange),
    /// A question about credentials is open.
    SigningIn(Asked),
    /// The maildrop is being opened; a question is open.
    Opening,
    /// TRANSACTION: a command is awaited.
    Transaction(Maildrop),
    /// A listing is being written, as far as there is room for replies.
    Listing(Maildrop, Listing),
    /// A message is being sent; a question is open.
    Retrieving(Maildrop, Transfer),
    /// UPDATE: the deletions are being applied; a question is open.
    Updating,
    /// STLS was accepted; nothing is read until TLS is active.
    Securing,
    /// Over.
    #[default]
    Closed,
}

/// Which question about credentials is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Credentials,
    ScramStart,
    ScramStep,
}
