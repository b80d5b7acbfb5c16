//! How connections are opened: by TCP, or as a test says.
//!
//! Promises: the address is dialled as given; no name is looked up here.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What a conversation runs over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A connection could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct DialError {
    /// Where to.
    pub address: SocketAddr,
    /// What the system said.
    pub failure: String,
}

impl DialError {
    /// Always: a host that does not answer now may answer later.
    pub const fn is_transient(&self) -> bool {
        true
    }
}

/// Opens connections.
#[async_trait::async_trait]
pub trait Dialer: Send + Sync {
    /// Connects to `address`; whoever calls sets the deadline.
    ///
    /// # Errors
    /// `DialError`: try the next address.
    async fn dial(&self, address: SocketAddr) -> Result<Box<dyn Stream>, DialError>;
}

/// Opens TCP connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

#[async_trait::async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self, address: SocketAddr) -> Result<Box<dyn Stream>, DialError> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        match stream {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(DialError {
                address,
                failure: error.to_string(),
            }),
        }
    }
}
