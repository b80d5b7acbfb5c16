//! Networks of a test's own: namespaces, cables, and the offices built from them.

mod namespace;
mod office;
mod switch;

pub(crate) use namespace::is_stale;
pub use namespace::{Link, Namespace};
pub use office::{Host, Office, Place};
pub use switch::Switch;
