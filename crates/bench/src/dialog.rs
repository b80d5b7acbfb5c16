//! A connection to a server and the lines that come back, for SMTP and POP3 alike.
//!
//! Promises: one write per step; a buffer that grows with what is read and is kept. Every failure
//! names what was said.

use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ_BYTES: usize = 16 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Dialog {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
}

impl Dialog {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers.
    pub(crate) async fn connect(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to)
            .await
            .with_context(|| format!("connecting to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
            taken: 0,
        })
    }

    /// Sends octets as they are.
    ///
    /// # Errors
    /// When the peer is gone.
    pub(crate) async fn send(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.write_all(octets).await.context("sending")
    }

    /// Reads the reply to an SMTP command; its code and its last line.
    ///
    /// # Errors
    /// When the peer is gone, or says what is no reply.
    pub(crate) async fn reply(&mut self) -> Result<(u16, String)> {
        loop {
            let range = self.line().await?;
            let line = self.buffer.get(range).unwrap_or_default();
            let code = line
                .get(..3)
                .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
                .with_context(|| format!("no reply: {}", String::from_utf8_lossy(line)))?;
            // RFC 5321 §4.2.1: a hyphen after the code says that more lines follow.
            if line.get(3) != Some(&b'-') {
                return Ok((code, String::from_utf8_lossy(line).into_owned()));
            }
        }
    }

    /// Reads the first line that the server says.
    ///
    /// # Errors
    /// When it says none.
    pub(crate) async fn greeting(&mut self) -> Result<String> {
        let range = self.line().await?;
        let line = self.buffer.get(range).unwrap_or_default();
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    /// Reads an SMTP reply that must have this class (2, 3, …).
    ///
    /// # Errors
    /// When it has another, with its text.
    pub(crate) async fn expect(&mut self, class: u16) -> Result<()> {
        let (code, text) = self.reply().await?;
        ensure!(code / 100 == class, "{text}");
        Ok(())
    }

    /// Reads a POP3 status line that must be +OK; what follows it.
    ///
    /// # Errors
    /// When it is -ERR, with its text.
    pub(crate) async fn ok(&mut self) -> Result<String> {
        let range = self.line().await?;
        let line = self.buffer.get(range).unwrap_or_default();
        let text = String::from_utf8_lossy(line).into_owned();
        ensure!(line.starts_with(b"+OK"), "{text}");
        Ok(text.get(3..).unwrap_or_default().trim().to_owned())
    }

    /// Reads a POP3 multi-line response behind its status line, final dot included.
    ///
    /// # Errors
    /// When the status is -ERR or the peer is gone.
    pub(crate) async fn multi_line(&mut self) -> Result<&[u8]> {
        let status = self.line().await?;
        if self.buffer.get(status.start) != Some(&b'+') {
            let line = self.buffer.get(status).unwrap_or_default();
            bail!("{}", String::from_utf8_lossy(line));
        }
        // The line end before the dot may be the status line's own.
        let mut searched = self.taken - 2;
        loop {
            let seen = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memmem::find(seen, b"\r\n.\r\n") {
                let range = self.taken..searched + at + 5;
                self.taken = range.end;
                return Ok(self.buffer.get(range).unwrap_or_default());
            }
            searched = searched.max(self.buffer.len().saturating_sub(4));
            searched -= self.fill(searched.min(self.taken)).await?;
        }
    }

    /// Where the next line lies, without its end.
    async fn line(&mut self) -> Result<Range<usize>> {
        let mut searched = self.taken;
        loop {
            let seen = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', seen) {
                let range = self.taken..searched + at;
                self.taken = range.end + 1;
                let cr = range.end.saturating_sub(1);
                let end = if self.buffer.get(cr) == Some(&b'\r') {
                    cr
                } else {
                    range.end
                };
                return Ok(range.start..end);
            }
            searched = self.buffer.len();
            searched -= self.fill(self.taken).await?;
        }
    }

    /// Reads more, dropping what lies before `keep`; answers by how much the rest moved down.
    async fn fill(&mut self, keep: usize) -> Result<usize> {
        // Moved only when that costs little: nothing or little is kept.
        let moved = if self.buffer.len() - keep < READ_BYTES {
            keep
        } else {
            0
        };
        self.buffer.drain(..moved);
        self.taken -= moved;
        self.buffer.reserve(READ_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the peer closed the connection");
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn peer(pieces: Vec<Vec<u8>>) -> Dialog {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for piece in pieces {
                stream.write_all(&piece).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        Dialog::connect(address).await.unwrap()
    }

    #[tokio::test]
    async fn replies_of_several_lines_end_at_the_last() {
        let mut dialog = peer(vec![b"250-a\r\n250 b\r\n354 go\r\n".to_vec()]).await;
        assert_eq!(dialog.reply().await.unwrap(), (250, "250 b".to_owned()));
        assert!(dialog.expect(2).await.is_err());
    }

    #[tokio::test]
    async fn multi_line_responses_are_found_in_any_pieces() {
        let text = b"+OK\r\nline\r\n..x\r\n.\r\n+OK 5 octets\r\n.\r\n+OK done\r\n".to_vec();
        for size in 1..text.len() {
            let pieces = text.chunks(size).map(<[u8]>::to_vec).collect();
            let mut dialog = peer(pieces).await;
            assert_eq!(dialog.multi_line().await.unwrap(), b"line\r\n..x\r\n.\r\n");
            assert_eq!(dialog.multi_line().await.unwrap(), b".\r\n");
            assert_eq!(dialog.ok().await.unwrap(), "done");
        }
    }

    #[tokio::test]
    async fn large_responses_come_whole() {
        let mut text = b"+OK\r\n".to_vec();
        let body = [b'x'; 70].repeat(40_000);
        text.extend_from_slice(&body);
        text.extend_from_slice(b"\r\n.\r\n");
        let mut dialog = peer(vec![text.clone(), text]).await;
        for _ in 0..2 {
            assert_eq!(dialog.multi_line().await.unwrap().len(), body.len() + 5);
        }
    }
}
