//! `office.db`: settings, users, services, audit.

mod reading;
mod step;

pub(crate) use reading::{audit, revision, revisions, settings, stopped_services, user, users};
pub(crate) use step::OfficeStep;
