//! What the gateway needs from outside, as traits with documented promises.
//!
//! Promises: no driver lives here; each contract has an in-memory stand-in and, where promises are
//! many, a conformance suite. `Event` is the closed vocabulary of what can happen to mail.
//! Does not: decide anything (`policy`) or drive anything (`intake`, `delivery`, `server`).

mod authenticator;
mod certificates;
mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod counters;
mod event;
mod interfaces;
mod live;
mod resolver;
mod services;
pub mod stand_in;
pub mod store;
mod user;

pub use authenticator::{
    AuthenticateError, Authenticator, PasswordRecord, ScramKeys, SignInRefused, SignedIn,
};
pub use certificates::{CertificateReport, Certificates};
pub use clock::{Clock, SystemClock};
pub use counters::Counters;
pub use event::{Abort, AttemptOutcome, Event, Story, StoryEntry, StoryHead, Terminal};
pub use interfaces::{InterfaceSource, InterfacesError};
pub use live::{Current, Live};
pub use resolver::{MxAnswer, MxHost, RecordSource, ResolveError, Resolver};
pub use services::{ServiceReport, ServiceState, Services, ServicesError};
pub use store::{BodyWriter, Store, StoreError};
pub use user::{AppPassword, UserRecord};
