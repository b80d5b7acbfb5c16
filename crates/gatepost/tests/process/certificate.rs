//! SIGHUP: new connections get the new certificate, open ones go on.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::program::Folder;
use crate::stopping::NOWHERE;

/// Writes a new certificate for 127.0.0.1 and its key; the certificate.
fn renew(chain: &Path, key: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(chain, made.cert.pem()).unwrap();
    made.cert.der().clone()
}

type Tls = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Connects to 995 as a client that trusts this certificate alone, and reads the greeting.
fn connect(to: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(to.ip());
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut tls = BufReader::new(StreamOwned::new(connection, stream));
    assert!(line(&mut tls)?.starts_with("+OK"));
    Ok(tls)
}

fn line(tls: &mut Tls) -> std::io::Result<String> {
    let mut line = String::new();
    tls.read_line(&mut line)?;
    Ok(line)
}

fn fingerprint(folder: &Folder) -> String {
    folder.json(&["status"])["certificate"]["fingerprint"].to_string()
}

#[test]
fn sighup_reads_the_certificate_files_anew() {
    let folder = Folder::new();
    let gateway = folder.open_office(SocketAddr::from(NOWHERE));
    let (chain, key) = (folder.beside("chain.pem"), folder.beside("key.pem"));
    let first = renew(&chain, &key);
    let settings = format!(
        "[machine]\nhost_name = \"mail.office.test\"\n\
         certificate = {{ chain = \"{}\", key = \"{}\" }}\n",
        chain.display(),
        key.display()
    );
    folder.done(&["settings", "apply", "-"], &settings);
    let to = folder.address("pop3s");
    folder.wait_until("the files are in use", |_| connect(to, &first).is_ok());
    let before = fingerprint(&folder);
    let mut open = connect(to, &first).unwrap();

    let second = renew(&chain, &key);
    assert!(connect(to, &second).is_err(), "not before it was asked for");
    gateway.signal(Signal::HUP);
    folder.wait_until("the new certificate is in use", |_| {
        connect(to, &second).is_ok()
    });
    assert!(connect(to, &first).is_err());
    assert_ne!(fingerprint(&folder), before);
    std::io::Write::write_all(open.get_mut(), b"CAPA\r\n").unwrap();
    assert!(line(&mut open).unwrap().starts_with("+OK"));

    // Files that are broken leave the old certificate in use, and are told of.
    std::fs::write(&chain, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    gateway.signal(Signal::HUP);
    folder.wait_until("the fault is told", |folder| {
        folder.json(&["status"])["certificate"]["reload_error"].is_string()
    });
    connect(to, &second).unwrap();
}
