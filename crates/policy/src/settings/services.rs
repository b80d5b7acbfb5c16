//! What the Internet may reach (S4.11). Which services run is kept beside the settings.

use serde::{Deserialize, Serialize};

/// The answer to *open it?*, port by port; all off until a person says Yes. 110 never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four ticks of one dialog, each by itself"
)]
pub struct Services {
    /// Port 25, by which other servers bring mail.
    /// Default: off. Source: product duty S4.11.
    pub smtp_open_to_internet: bool,
    /// Port 587, for users on the road (STARTTLS).
    /// Default: off. Source: product duty S4.11.
    pub submission_open_to_internet: bool,
    /// Port 465, for users on the road (TLS).
    /// Default: off. Source: product duty S4.11.
    pub submissions_open_to_internet: bool,
    /// Port 995, for users on the road (TLS).
    /// Default: off. Source: product duty S4.11.
    pub pop3s_open_to_internet: bool,
}
