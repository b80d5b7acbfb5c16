//! A POP3 client that says when the connection broke.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::smtp::Unexpected;

pub(crate) struct Pop3 {
    stream: BufReader<TcpStream>,
}

impl Pop3 {
    /// Connects and signs in.
    pub(crate) fn signed_in(to: SocketAddr, user: &str, password: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let mut pop3 = Self {
            stream: BufReader::new(stream),
        };
        pop3.line()?;
        pop3.ask(&format!("USER {user}"))?;
        pop3.ask(&format!("PASS {password}"))?;
        Ok(pop3)
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        if line.ends_with(b"\r\n") {
            Ok(line)
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }

    /// Says a command and reads the first line of the answer, which must be +OK.
    pub(crate) fn ask(&mut self, command: &str) -> io::Result<String> {
        self.stream
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())?;
        let line = String::from_utf8_lossy(&self.line()?).trim_end().to_owned();
        if line.starts_with("+OK") {
            Ok(line)
        } else {
            Err(io::Error::other(Unexpected(line)))
        }
    }

    /// The lines up to the dot, as they were meant.
    fn lines(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                return Ok(text);
            }
            text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    /// Number and unique id of each message.
    pub(crate) fn unique_ids(&mut self) -> io::Result<Vec<(u32, String)>> {
        self.ask("UIDL")?;
        let lines = self.lines()?;
        let text = String::from_utf8_lossy(&lines).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let pairs = pairs.filter_map(|(number, id)| Some((number.parse().ok()?, id.to_owned())));
        Ok(pairs.collect())
    }

    pub(crate) fn retrieve(&mut self, number: u32) -> io::Result<Vec<u8>> {
        let said = self.ask(&format!("RETR {number}"))?;
        let text = self.lines()?;
        // RFC 1939 §5: the size is that of the message as it is meant.
        let size = said.split(' ').nth(1).and_then(|size| size.parse().ok());
        assert_eq!(size, Some(text.len()), "{said}");
        Ok(text)
    }

    pub(crate) fn delete(&mut self, number: u32) -> io::Result<()> {
        self.ask(&format!("DELE {number}")).map(drop)
    }

    /// Ends the session; deletions are done when this returns without an error.
    pub(crate) fn quit(mut self) -> io::Result<()> {
        self.ask("QUIT").map(drop)
    }
}
