//! A transcript of the client's side: parsed, run, compared and rewritten.

mod run;
mod script;

pub(crate) use run::Cut;
pub(crate) use script::Script;
