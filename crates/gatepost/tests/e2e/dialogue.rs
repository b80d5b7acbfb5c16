//! A conversation by hand: for clients simpler, or ruder, than any program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::net::Host;

/// An open connection.
pub(crate) struct Dialogue {
    stream: BufReader<TcpStream>,
}

impl Dialogue {
    /// Connects from a host.
    pub(crate) fn open(from: &Host, to: SocketAddr) -> Result<Self> {
        let stream = from.namespace.connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// The next reply, all its lines.
    pub(crate) fn reply(&mut self) -> Result<String> {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line)?;
            ensure!(read > 0, "hung up after {reply:?}");
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    /// Says a line and hears the reply, which must begin like this.
    pub(crate) fn say(&mut self, line: &str, wanted: &str) -> Result<String> {
        self.send(format!("{line}\r\n").as_bytes())?;
        let reply = self.reply().with_context(|| line.to_owned())?;
        ensure!(reply.starts_with(wanted), "{line}: {reply}");
        Ok(reply)
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(octets)?;
        Ok(())
    }

    /// That nothing more comes.
    pub(crate) fn is_over(&mut self) -> Result<()> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        ensure!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
        Ok(())
    }
}
