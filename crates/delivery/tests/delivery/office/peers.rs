//! Peers that the scripted one of testkit is too well behaved for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a peer heard, line by line.
pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

/// Takes connections and says nothing.
pub(crate) async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    address
}

/// Greets, agrees to EHLO, and answers nothing more.
pub(crate) async fn greeting_only() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 x\r\n").await;
            let mut lines = BufReader::new(stream);
            let mut hello = String::new();
            let _ = lines.read_line(&mut hello).await;
            let _ = lines.get_mut().write_all(b"250 x\r\n").await;
            held.push(lines);
        }
    });
    address
}

/// How the peer treats STARTTLS.
#[derive(Clone)]
pub(crate) enum Starttls {
    /// Says 220 and then rubbish.
    Broken,
    /// Does it, with this certificate.
    Works(Arc<ServerConfig>),
}

/// A peer that offers STARTTLS.
pub(crate) async fn with_starttls(kind: Starttls, heard: Heard) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (kind, heard) = (kind.clone(), Arc::clone(&heard));
            tokio::spawn(conversation(stream, kind, heard));
        }
    });
    address
}

/// A peer that is under TLS from the first octet and wants a sign-in.
pub(crate) async fn implicit(config: Arc<ServerConfig>, heard: Heard) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            if let Ok(mut secured) = acceptor.accept(stream).await {
                secured.write_all(b"220 x\r\n").await.unwrap();
                secured.flush().await.unwrap();
                talk(&mut secured, "250-x\r\n250 AUTH PLAIN\r\n", &heard).await;
            }
        }
    });
    address
}

async fn conversation(mut stream: TcpStream, kind: Starttls, heard: Heard) {
    let offer = "250-x\r\n250 STARTTLS\r\n";
    stream.write_all(b"220 x\r\n").await.unwrap();
    if !talk(&mut stream, offer, &heard).await {
        return;
    }
    match kind {
        Starttls::Broken => {
            let rubbish = b"220 go\r\nthis is no handshake, this is rubbish\r\n";
            let _ = stream.write_all(rubbish).await;
        }
        Starttls::Works(config) => {
            stream.write_all(b"220 go\r\n").await.unwrap();
            if let Ok(mut secured) = TlsAcceptor::from(config).accept(stream).await {
                heard.lock().unwrap().push("(tls)".to_owned());
                talk(&mut secured, "250 x\r\n", &heard).await;
            }
        }
    }
}

/// Talks SMTP until the client is gone, or says STARTTLS (true).
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    hello: &str,
    heard: &Heard,
) -> bool {
    let mut stream = BufReader::new(stream);
    let mut in_text = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let line = line.trim_end();
        heard.lock().unwrap().push(line.to_owned());
        let answer = match line {
            "." => "250 taken\r\n",
            _ if in_text => continue,
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            "STARTTLS" => return true,
            line if line.starts_with("EHLO") => hello,
            line if line.starts_with("AUTH") => "235 2.7.0 welcome\r\n",
            _ => "250 ok\r\n",
        };
        in_text = line == "DATA";
        if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return false;
        }
        let _ = stream.get_mut().flush().await;
    }
}

/// A certificate for `name`, and a server that shows it.
pub(crate) fn certificate(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (certificate, Arc::new(config))
}
