//! An SMTP client that waits for each reply, and says when the connection broke.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) struct Smtp {
    stream: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects and reads the greeting, which must be 220.
    pub(crate) fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let mut smtp = Self {
            stream: BufReader::new(stream),
        };
        smtp.reply()?.expect("220")?;
        Ok(smtp)
    }

    /// Connects, and has said EHLO.
    pub(crate) fn greeted(to: SocketAddr) -> io::Result<Self> {
        let mut smtp = Self::connect(to)?;
        smtp.say("EHLO client.test")?.expect("250")?;
        Ok(smtp)
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets)
    }

    /// One reply, its lines joined by LF.
    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(line.trim_end());
            if last {
                return Ok(Reply(reply));
            }
            reply.push('\n');
        }
    }

    pub(crate) fn say(&mut self, command: &str) -> io::Result<Reply> {
        self.write(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    /// MAIL, RCPT and DATA, up to 354.
    pub(crate) fn begin(&mut self, from: &str, to: &[&str]) -> io::Result<()> {
        self.say(&format!("MAIL FROM:<{from}>"))?.expect("250")?;
        for recipient in to {
            self.say(&format!("RCPT TO:<{recipient}>"))?.expect("250")?;
        }
        self.say("DATA")?.expect("354")?;
        Ok(())
    }

    /// Sends a message whose lines need no stuffing; the id it was queued as.
    pub(crate) fn send(&mut self, from: &str, to: &[&str], text: &[u8]) -> io::Result<String> {
        self.begin(from, to)?;
        self.write(text)?;
        self.say(".")?.queued_as()
    }

    /// Whether the other side has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.fill_buf(), Ok([]) | Err(_))
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply(pub(crate) String);

impl Reply {
    /// Itself, if it begins like this.
    pub(crate) fn expect(self, beginning: &str) -> io::Result<Self> {
        if self.0.starts_with(beginning) {
            Ok(self)
        } else {
            Err(io::Error::other(Unexpected(self.0)))
        }
    }

    /// The id of a message that was accepted.
    pub(crate) fn queued_as(self) -> io::Result<String> {
        let accepted = self.expect("250 ")?.0;
        match accepted.split_once("queued as ") {
            Some((_, id)) => Ok(id.to_owned()),
            None => Err(io::Error::other(Unexpected(accepted))),
        }
    }
}

/// Another reply than the one that was expected.
#[derive(Debug)]
pub(crate) struct Unexpected(pub(crate) String);

impl std::fmt::Display for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unexpected reply: {}", self.0)
    }
}

impl std::error::Error for Unexpected {}
