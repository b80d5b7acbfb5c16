//! The one way in for a message, whatever its door: facts, order of checks, trace fields, commit.
//!
//! Promises: nothing is acknowledged before it is durable; an outside failure always asks the
//! sender to try again; every transaction that said MAIL leaves a story; `explain` runs the very
//! loop that mail runs.
//! Does not: speak a protocol (`server`), decide (`policy`) or keep anything (`contracts::Store`).

mod acceptance;
mod content;
mod decisions;
mod destination;
mod door;
mod explain;
mod facts;
mod ids;
mod intake;
mod network;
mod recorder;
mod report;
mod trace;
mod transaction;

pub use destination::destination;
pub use door::{Door, Ruling};
pub use explain::{Explanation, FactUsed, Question, Step, StepName};
pub use ids::Ids;
pub use intake::{Intake, IntakeLimits, Parts};
pub use report::{Report, ReportError, Reports, author};
