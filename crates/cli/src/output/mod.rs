//! Answers as people read them.
//!
//! Promises: what strangers wrote (subjects, replies, names) cannot steer the terminal that shows
//! it; times are UTC, with how long ago beside them.

mod explanation;
mod history;
mod office;
mod page;
mod queue;
mod records;
mod settings;
mod status;
mod table;
mod time;

use std::io;

use operate::Answer;

pub(crate) use page::{count, printable};

use crate::Terminal;
use page::Page;

/// How an answer is laid out, where there is more than one way.
pub(crate) enum Layout {
    /// The usual one.
    Usual,
    /// One thing with all its fields, not a table.
    Whole,
    /// As a file: nothing but the text.
    File { tab: Option<String> },
    /// One tab of it.
    Tab { tab: Option<String> },
}

/// Prints an answer to standard output.
pub(crate) fn print(answer: &Answer, layout: &Layout, io: &mut Terminal<'_>) -> io::Result<()> {
    let page = &mut Page::new(io.stdout, io.now);
    match answer {
        Answer::Status(report) => status::report(page, report),
        Answer::Services { services } => status::services(page, services),
        Answer::Domains { domains } => office::domains(page, domains),
        Answer::Records { records } => records::list(page, records),
        Answer::Addresses { addresses } => office::addresses(page, addresses),
        Answer::Users { users } => office::users(page, users),
        Answer::AppPassword { number, password } => office::app_password(page, *number, password),
        Answer::Sheet { sheet } => office::sheet(page, sheet),
        Answer::Queue { entries } if matches!(layout, Layout::Whole) => queue::whole(page, entries),
        Answer::Queue { entries } => queue::list(page, entries),
        Answer::QueueChanged { count: changed } => {
            page.line(count(*changed, "recipient changed.", "recipients changed."))
        }
        Answer::History { heads } => history::heads(page, heads),
        Answer::Story { story } => history::story(page, story),
        Answer::Explanation { explanation } => explanation::steps(page, explanation),
        Answer::Done {
            what,
            revision,
            warnings,
        } => settings::done(page, what, *revision, warnings),
        Answer::Changes {
            revision,
            changes,
            warnings,
        } => settings::changes(page, *revision, changes, warnings),
        Answer::Settings { revision, toml } => {
            settings::text(page, revision.as_ref(), toml, layout)
        }
        Answer::Revisions { revisions } => settings::revisions(page, revisions),
        Answer::Revision { revision } => settings::revision(page, revision),
        Answer::Audit { entries } => settings::audit(page, entries),
    }
}
