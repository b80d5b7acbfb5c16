//! A transcript: parsed, run, compared and rewritten.

mod exchange;
mod run;

pub(crate) use exchange::Script;
pub(crate) use run::Cut;
