//! Real servers and clients from the project's own Debian root.

mod clients;
mod dns_server;
mod dovecot;
mod postfix;
mod root;
mod secure;

pub use clients::{Account, Client, Message};
pub use dns_server::DnsServer;
pub use dovecot::Dovecot;
pub use postfix::{Postfix, PostfixSettings};
pub use root::{DebianRoot, Scratch};
pub use secure::{SignIn, Tls};
