//! Listening sockets, and a sentence for each way that one cannot be had.

use std::net::{SocketAddr, TcpListener};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use super::holder;

/// Connections the kernel keeps ready; a burst of an office's clients must not meet SYN cookies.
const BACKLOG: i32 = 1024;

/// A listener on `address`; an IPv6 one takes IPv6 only.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    try_listen(address).map_err(|error| match error {
        Errno::ADDRINUSE => {
            let holder = holder::of_port(address.port());
            format!("{address} is in use by {holder}; stop it, and this service starts by itself")
        }
        Errno::ACCESS | Errno::PERM => format!(
            "{address} needs the capability CAP_NET_BIND_SERVICE: start gatepost as root (it drops \
             the privilege at once), or use --high-ports"
        ),
        Errno::ADDRNOTAVAIL => format!("this machine does not have the address {address}"),
        other => format!("{address} cannot be listened on: {other}"),
    })
}

fn try_listen(address: SocketAddr) -> rustix::io::Result<TcpListener> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_names_its_holder() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = listen(first.local_addr().unwrap()).unwrap_err();
        assert!(error.contains("is in use by"), "{error}");
        assert!(error.contains(&std::process::id().to_string()), "{error}");
    }
}
