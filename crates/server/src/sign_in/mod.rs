//! Who somebody is: passwords, app passwords, SCRAM-SHA-256.
//!
//! Promises: unknown, disabled and wrong cost the same and read the same; hashing runs on a few
//! threads of its own, and when too much waits for them the client hears *not now*; a right
//! password is remembered ten minutes, in a form that dies with the process.
//! Does not: keep users (`contracts::Store`) or lock anybody out (`Throttle` only slows).
//! Standards: RFC 9106, RFC 5802, RFC 7677.

mod app_password;
mod name;
mod password;
mod pool;
mod random;
mod remembered;
mod scram_exchange;
mod scram_keys;
mod throttle;
mod users;

pub(crate) use name::user_of;
pub(crate) use scram_exchange::{ClientFirst, ScramExchange, ScramRefused};
pub use throttle::{Throttle, ThrottleLimits};
pub use users::{SignIn, SignInLimits};
