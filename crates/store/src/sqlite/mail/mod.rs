//! `mail.db`: messages, mailboxes, queue, history.

mod accept;
mod history;
mod incoming;
mod maildrop;
mod queue;
mod reading;
mod searching;
mod step;

pub(crate) use history::release_leases;
pub(crate) use incoming::{Incoming, NewEntry, NewStory, id_column, json, large_octets};
pub(crate) use queue::{Attempt, Change, Claim, earliest_due, list};
pub(crate) use reading::{body_files, list_maildrop, read_message};
pub(crate) use searching::{last_id, search, story, surplus};
pub(crate) use step::MailStep;
