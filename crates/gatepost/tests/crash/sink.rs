//! The host outside: takes everything, and writes each copy into the ledger before it says so.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use crate::kill::now;
use crate::ledger::{Connection, Ledger};

/// Listens until the test ends; its address.
pub(crate) fn start(ledger: Arc<Ledger>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let ledger = Arc::clone(&ledger);
            let connection = Connection {
                number,
                accepted_at: now(),
            };
            std::thread::spawn(move || {
                // A connection that the kill breaks is what this is about.
                if converse(&stream, &ledger, connection).is_err() {
                    ledger.broken_outside(connection);
                }
            });
        }
    });
    address
}

fn converse(stream: &TcpStream, ledger: &Ledger, connection: Connection) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let say = |reply: &str| {
        let mut stream = stream;
        stream.write_all(format!("{reply}\r\n").as_bytes())
    };
    say("220 far.test ESMTP")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.to_ascii_uppercase().get(..4) {
            Some(b"EHLO") => say("250-far.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE")?,
            Some(b"DATA") => {
                say("354 go on")?;
                let text = content(&mut reader)?;
                ledger.taken_outside(&text, connection, now());
                say("250 2.0.0 taken")?;
            }
            Some(b"QUIT") => return say("221 2.0.0 bye"),
            _ => say("250 2.0.0 ok")?,
        }
    }
}

fn content(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let begin = text.len();
        if reader.read_until(b'\n', &mut text)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if text[begin..] == *b".\r\n" {
            text.truncate(begin);
            return Ok(text);
        }
        if text[begin] == b'.' {
            text.remove(begin);
        }
    }
}
