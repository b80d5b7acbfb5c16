//! A transcript: parsed, run, compared and rewritten.

mod run;
mod script;

pub(crate) use run::Cut;
pub(crate) use script::Script;
