//! The operator's verbs as typed requests and answers.
//!
//! Promises: the command line, the local socket and the console are three faces of this one room;
//! every change is audited under the operator who made it.
//! Does not: print, parse words, or hold a rule of its own (`policy` has them).

mod addresses;
mod answer;
pub mod control;
mod domains;
mod error;
mod office;
mod queue;
mod request;
mod services;
mod set_up;
mod settings;
mod status;
mod users;

pub use answer::{Answer, AppPasswordReport, QueueReport, RecordReport, StatusReport, UserReport};
pub use error::OperateError;
pub use intake::{Explanation, FactUsed, Question, Step, StepName};
pub use office::{Office, OfficeParts, Operator, load};
pub use request::{Request, SetUpOwnServer};
