//! The octets of one connection, in clear or under TLS.
//!
//! Promises: a connection that waits holds no read buffer of ours: one per thread serves all;
//! writing, handshakes and closing each have an end.
//! Standards: RFC 3207 §4, RFC 2595 §4, RFC 8446 §6.1.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use contracts::Clock;
use policy::facts::TlsFacts;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::turn::at_once;

const BUFFER_BYTES: usize = 64 * 1024;
/// How long a peer that was told goodbye may go on sending before the connection is cut.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER_BYTES]);
}

/// A connection.
pub(crate) enum Wire<S> {
    /// In clear.
    Plain(S),
    /// Under TLS.
    Tls(Box<TlsStream<S>>),
    /// Lost within a handshake.
    Gone,
}

/// Time, and how long a peer may take.
#[derive(Clone)]
pub(crate) struct Patience {
    pub(crate) clock: Arc<dyn Clock>,
    /// For taking what is written, at most 64 KiB or so at once.
    pub(crate) write: Duration,
    /// For a TLS handshake.
    pub(crate) handshake: Duration,
}

impl Patience {
    async fn until<T>(
        &self,
        limit: Duration,
        doing: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let mut doing = pin!(doing);
        if let Some(done) = at_once(doing.as_mut()).await {
            return done;
        }
        let end = self.clock.now().plus(limit);
        tokio::select! {
            done = doing => done,
            () = self.clock.sleep_until(end) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Waits for octets and gives them to `take`; returns how many, 0 when the peer has left.
    pub(super) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut octets = ReadBuf::new(buffer);
                ready!(self.poll_read(context, &mut octets))?;
                let octets = octets.filled();
                if !octets.is_empty() {
                    take(octets);
                }
                Poll::Ready(Ok(octets.len()))
            })
        })
        .await
    }

    pub(crate) async fn write(&mut self, octets: &[u8], patience: &Patience) -> io::Result<()> {
        patience
            .until(patience.write, async {
                match self {
                    Self::Plain(stream) => stream.write_all(octets).await,
                    Self::Tls(stream) => stream.write_all(octets).await,
                    Self::Gone => Err(io::ErrorKind::NotConnected.into()),
                }
            })
            .await
    }

    /// Sends what TLS has gathered.
    pub(crate) async fn flush(&mut self, patience: &Patience) -> io::Result<()> {
        match self {
            Self::Plain(_) | Self::Gone => Ok(()),
            Self::Tls(stream) => patience.until(patience.write, stream.flush()).await,
        }
    }

    /// Shakes hands as server. What the peer sent in clear ahead of it is none of TLS and ends it.
    pub(crate) async fn secure(
        &mut self,
        config: Arc<ServerConfig>,
        patience: &Patience,
    ) -> io::Result<TlsFacts> {
        let Self::Plain(stream) = mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let handshake = Box::pin(TlsAcceptor::from(config).accept(stream));
        let stream = patience.until(patience.handshake, handshake).await?;
        let facts = tls_facts(&stream);
        *self = Self::Tls(Box::new(stream));
        Ok(facts)
    }

    /// Says that nothing follows, and waits a little for the peer to agree: a reset would destroy
    /// the last words that are still on their way.
    pub(crate) async fn close(&mut self, patience: &Patience) {
        let end = patience.clock.now().plus(LINGER);
        let leave = async {
            let closed = match self {
                Self::Plain(stream) => stream.shutdown().await,
                Self::Tls(stream) => stream.shutdown().await,
                Self::Gone => return,
            };
            if closed.is_ok() {
                while matches!(self.read(|_| {}).await, Ok(1..)) {}
            }
        };
        tokio::select! {
            () = leave => {}
            () = patience.clock.sleep_until(end) => {}
        }
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        octets: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, octets),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, octets),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

fn tls_facts<S>(stream: &TlsStream<S>) -> TlsFacts {
    let (_, connection) = stream.get_ref();
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(_) | None => "unknown",
    };
    let cipher = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    TlsFacts {
        version: version.to_owned(),
        cipher: cipher.unwrap_or("unknown").to_owned(),
    }
}
