//! What the machine's network looks like.

use policy::facts::Interfaces;

/// The interfaces could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the network interfaces: {failure}")]
pub struct InterfacesError {
    /// What the system said.
    pub failure: String,
}

/// Reads interfaces, addresses and default routes.
pub trait InterfaceSource: Send + Sync {
    /// What the network looks like now; may be cached for a few seconds.
    ///
    /// # Errors
    /// `InterfacesError` when the system does not say; treat every peer as external then.
    fn interfaces(&self) -> Result<Interfaces, InterfacesError>;
}
