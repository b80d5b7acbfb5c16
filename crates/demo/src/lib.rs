//! The office in a box: a pretend Internet beside a real gateway, and one round trip between them.
//!
//! Promises: all of it on loopback (127.0.0.2 is a stranger to the gateway); addresses that fail
//! fail on demand, the same way each time.
//! Does not: start the gateway; the binary does, and hands its addresses over.

mod behaviour;
mod dialog;
mod dns_server;
mod internet;
mod round_trip;
mod smtp_peer;
mod zone;

pub use behaviour::{Behaviour, THINGS_TO_TRY, behaviour_of};
pub use dialog::{DialogError, Pop3Dialog, SmtpDialog};
pub use internet::PretendInternet;
pub use round_trip::{Asked, OfficeInBox, RoundTripError, round_trip};
pub use zone::Zone;
