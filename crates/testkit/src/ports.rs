//! Ports that no other test uses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A listener on a free port of 127.0.0.1: hand it over, so that nobody takes the port in between.
///
/// # Errors
/// When the system has no port left.
pub fn listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

/// A free port of 127.0.0.1 for a program that must bind by itself.
///
/// # Errors
/// When the system has no port left.
pub fn free() -> io::Result<SocketAddr> {
    listener()?.local_addr()
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_listeners_never_share_a_port() {
        let one = super::listener().unwrap().local_addr().unwrap();
        assert_ne!(one.port(), 0);
        assert_eq!(super::free().unwrap().ip(), one.ip());
    }
}
