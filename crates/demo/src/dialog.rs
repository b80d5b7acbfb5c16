//! What Bob's mail program says, line by line.
//!
//! Does not: send what users of real programs send; that is what real programs in tests are for.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// A dialogue that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server said no.
    #[error("{said}: the server answered {reply}")]
    Refused {
        /// What was said.
        said: String,
        /// The answer.
        reply: String,
    },
}

struct Lines {
    stream: BufReader<TcpStream>,
}

impl Lines {
    async fn connect(server: SocketAddr, from: IpAddr) -> io::Result<Self> {
        let socket = if server.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.bind(SocketAddr::new(from, 0))?;
        Ok(Self {
            stream: BufReader::new(socket.connect(server).await?),
        })
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\r\n");
        self.stream.get_mut().write_all(line.as_bytes()).await
    }
}

/// An SMTP client that sends one message.
pub struct SmtpDialog(Lines);

impl SmtpDialog {
    /// Connects from the address `from` and says EHLO.
    ///
    /// # Errors
    /// When the server cannot be reached or does not greet with 220.
    pub async fn connect(
        server: SocketAddr,
        from: IpAddr,
        name: &str,
    ) -> Result<Self, DialogError> {
        let mut dialog = Self(Lines::connect(server, from).await?);
        dialog.reply("connecting", '2').await?;
        dialog.say(&format!("EHLO {name}"), '2').await?;
        Ok(dialog)
    }

    /// Sends one message, given with CRLF line ends, and returns the last reply.
    ///
    /// # Errors
    /// `Refused` with the server's words.
    pub async fn send(
        &mut self,
        from: &str,
        to: &str,
        content: &str,
    ) -> Result<String, DialogError> {
        self.say(&format!("MAIL FROM:<{from}>"), '2').await?;
        self.say(&format!("RCPT TO:<{to}>"), '2').await?;
        self.say("DATA", '3').await?;
        // RFC 5321 §4.5.2: a line that begins with a dot gets another.
        let first = if content.starts_with('.') { "." } else { "" };
        let stuffed = first.to_owned() + &content.replace("\r\n.", "\r\n..");
        let reply = self.say(&format!("{stuffed}\r\n."), '2').await?;
        self.say("QUIT", '2').await?;
        Ok(reply)
    }

    async fn say(&mut self, line: &str, wanted: char) -> Result<String, DialogError> {
        self.0.say(line).await?;
        self.reply(line, wanted).await
    }

    async fn reply(&mut self, said: &str, wanted: char) -> Result<String, DialogError> {
        loop {
            let line = self.0.line().await?;
            // RFC 5321 §4.2.1: a hyphen after the code announces another line.
            if line.chars().nth(3) == Some('-') {
                continue;
            }
            if line.starts_with(wanted) {
                return Ok(line);
            }
            let said = said.lines().next().unwrap_or_default().to_owned();
            return Err(DialogError::Refused { said, reply: line });
        }
    }
}

/// A POP3 client that collects everything and leaves nothing.
pub struct Pop3Dialog(Lines);

impl Pop3Dialog {
    /// Connects and signs in.
    ///
    /// # Errors
    /// When the server cannot be reached or does not let the user in.
    pub async fn sign_in(
        server: SocketAddr,
        user: &str,
        password: &str,
    ) -> Result<Self, DialogError> {
        let from = if server.is_ipv4() { "127.0.0.1" } else { "::1" };
        let from = from.parse().map_err(io::Error::other)?;
        let mut dialog = Self(Lines::connect(server, from).await?);
        dialog.reply("connecting").await?;
        dialog.say(&format!("USER {user}")).await?;
        dialog.say(&format!("PASS {password}")).await?;
        Ok(dialog)
    }

    /// Collects and deletes all messages.
    ///
    /// # Errors
    /// `Refused` with the server's words; nothing is deleted then.
    pub async fn collect(&mut self) -> Result<Vec<String>, DialogError> {
        let status = self.say("STAT").await?;
        let count = status
            .split(' ')
            .nth(1)
            .and_then(|count| count.parse::<u32>().ok());
        let mut messages = Vec::new();
        for number in 1..=count.unwrap_or(0) {
            self.say(&format!("RETR {number}")).await?;
            messages.push(self.multi_line().await?);
            self.say(&format!("DELE {number}")).await?;
        }
        self.say("QUIT").await?;
        Ok(messages)
    }

    async fn multi_line(&mut self) -> Result<String, DialogError> {
        let mut text = String::new();
        loop {
            let line = self.0.line().await?;
            if line == "." {
                return Ok(text);
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
    }

    async fn say(&mut self, line: &str) -> Result<String, DialogError> {
        self.0.say(line).await?;
        let said = if line.starts_with("PASS") {
            "PASS"
        } else {
            line
        };
        self.reply(said).await
    }

    async fn reply(&mut self, said: &str) -> Result<String, DialogError> {
        let reply = self.0.line().await?;
        if reply.starts_with("+OK") {
            return Ok(reply);
        }
        Err(DialogError::Refused {
            said: said.to_owned(),
            reply,
        })
    }
}
