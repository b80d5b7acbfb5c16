//! A small SMTP server that does what a test tells it: for tests of delivery, without any peer.
//!
//! Promises: listens on a free port of 127.0.0.1 (or on a listener handed over), records every
//! transaction, and at each stage answers as the script says: any code, late, or by hanging up.
//! Does not: know all of SMTP; it is a pretend peer, not a reference.

use crate::{ports, wait};
use anyhow::Result;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A moment of the conversation at which the peer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The connection was opened.
    Greeting,
    /// EHLO.
    Ehlo,
    /// HELO.
    Helo,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The final dot.
    Text,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

/// What the peer does at a stage instead of agreeing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Says this, lines ended by `\r\n` (the last one is added).
    Reply(String),
    /// Waits, then agrees.
    Delay(Duration),
    /// Hangs up without a word.
    Disconnect,
}

/// A line of the script: the first that fits is used, and used up if it is for one time.
#[derive(Debug, Clone)]
struct Line {
    stage: Stage,
    /// Only for commands (or, at `Text`, messages) that contain this; empty fits all.
    containing: String,
    act: Act,
    once: bool,
}

/// A message that the peer was given, whether it took it or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The name from EHLO or HELO.
    pub hello: String,
    /// The MAIL command's argument, with its parameters.
    pub mail: String,
    /// The RCPT commands' arguments that were accepted, with their parameters.
    pub recipients: Vec<String>,
    /// The text as it was meant: dots removed, CRLF kept.
    pub text: Vec<u8>,
    /// Whether the peer said 250 to it.
    pub accepted: bool,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Line>,
    received: Vec<Received>,
    commands: Vec<String>,
    connections: usize,
}

/// The running peer; it ends when dropped.
#[derive(Debug)]
pub struct ScriptedSmtp {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

impl ScriptedSmtp {
    /// Starts a peer that agrees to everything.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        Self::on(ports::listener()?)
    }

    /// Starts a peer on a listener, which may be in another network namespace.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn on(listener: TcpListener) -> Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let (served, over) = (Arc::clone(&state), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&served);
                // A broken connection is what some tests are about: it ends that thread only.
                std::thread::spawn(move || {
                    Conversation::new(stream, state).and_then(Conversation::run)
                });
            }
        });
        Ok(Self {
            address,
            state,
            ended,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on acts like this at a stage, for commands that contain `containing`.
    #[must_use]
    pub fn always(self, stage: Stage, containing: &str, act: Act) -> Self {
        self.add(stage, containing, act, false);
        self
    }

    /// Acts like this the next time only.
    #[must_use]
    pub fn once(self, stage: Stage, containing: &str, act: Act) -> Self {
        self.add(stage, containing, act, true);
        self
    }

    fn add(&self, stage: Stage, containing: &str, act: Act, once: bool) {
        lock(&self.state).script.push_back(Line {
            stage,
            containing: containing.to_owned(),
            act,
            once,
        });
    }

    /// Forgets the script: from now on the peer agrees to everything.
    pub fn relent(&self) {
        lock(&self.state).script.clear();
    }

    /// The messages that it was given so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// Every command line so far, in order of arrival.
    pub fn commands(&self) -> Vec<String> {
        lock(&self.state).commands.clone()
    }

    /// How many connections were opened to it so far.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    /// Waits until it has accepted so many messages.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn wait_for_messages(&self, number: usize) -> Result<Vec<Received>> {
        wait::until("messages at the scripted peer", wait::PATIENCE, || {
            let mut accepted = self.received();
            accepted.retain(|message| message.accepted);
            (accepted.len() >= number).then_some(accepted)
        })
    }
}

impl Drop for ScriptedSmtp {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections, where it can be reached.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection.
struct Conversation {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    state: Arc<Mutex<State>>,
    current: Received,
}

impl Conversation {
    fn new(stream: TcpStream, state: Arc<Mutex<State>>) -> io::Result<Self> {
        lock(&state).connections += 1;
        Ok(Self {
            reader: BufReader::new(stream.try_clone()?),
            writer: stream,
            state,
            current: Received::default(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        self.answer(Stage::Greeting, "", "220 scripted.test ESMTP")?;
        while let Some(line) = self.line()? {
            let command = String::from_utf8_lossy(&line).trim_end().to_owned();
            lock(&self.state).commands.push(command.clone());
            self.handle(&command)?;
            if command.eq_ignore_ascii_case("QUIT") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn handle(&mut self, command: &str) -> io::Result<()> {
        let (verb, argument) = command.split_once(' ').unwrap_or((command, ""));
        let value = argument
            .split_once(':')
            .map_or(argument, |(_, value)| value);
        let value = value.trim_start().to_owned();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                argument.clone_into(&mut self.current.hello);
                let features = "250-scripted.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
                    250-ENHANCEDSTATUSCODES\r\n250 SIZE 100000000";
                self.answer(Stage::Ehlo, command, features).map(drop)
            }
            "HELO" => {
                argument.clone_into(&mut self.current.hello);
                self.answer(Stage::Helo, command, "250 scripted.test")
                    .map(drop)
            }
            "MAIL" => {
                self.current.recipients.clear();
                self.current.mail = value;
                if !self.answer(Stage::Mail, command, "250 2.1.0 ok")? {
                    self.current.mail.clear();
                }
                Ok(())
            }
            // Whoever pipelines must not be given a recipient of a sender that was refused.
            "RCPT" if self.current.mail.is_empty() => self.say("503 5.5.1 MAIL first"),
            "RCPT" => {
                if self.answer(Stage::Recipient, command, "250 2.1.5 ok")? {
                    self.current.recipients.push(value);
                }
                Ok(())
            }
            "DATA" if self.current.recipients.is_empty() => self.say("554 5.5.1 no recipients"),
            "DATA" => self.data(command),
            "RSET" => {
                self.current.recipients.clear();
                self.answer(Stage::Reset, command, "250 2.0.0 ok").map(drop)
            }
            "NOOP" => self.say("250 2.0.0 ok"),
            "QUIT" => self.answer(Stage::Quit, command, "221 2.0.0 bye").map(drop),
            _ => self.say("502 5.5.1 not in the script"),
        }
    }

    fn data(&mut self, command: &str) -> io::Result<()> {
        if !self.answer(Stage::Data, command, "354 go on")? {
            return Ok(());
        }
        let mut text = Vec::new();
        loop {
            let Some(line) = self.line()? else {
                return Ok(());
            };
            if line == b".\r\n" {
                break;
            }
            text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        self.current.text = text;
        let number = {
            let mut state = lock(&self.state);
            state.received.push(self.current.clone());
            state.received.len() - 1
        };
        let agreed = self.decide(Stage::Text, &shown, "250 2.0.0 taken")?;
        // Recorded before it is said: who hears 250 may look at once.
        if let Some(message) = lock(&self.state).received.get_mut(number) {
            message.accepted = agreed.starts_with('2');
        }
        self.say(&agreed)
    }

    /// Answers at a stage; whether the answer agreed.
    fn answer(&mut self, stage: Stage, command: &str, agreeing: &str) -> io::Result<bool> {
        let reply = self.decide(stage, command, agreeing)?;
        self.say(&reply)?;
        Ok(reply.starts_with(['2', '3']))
    }

    /// What to say at a stage.
    fn decide(&mut self, stage: Stage, command: &str, agreeing: &str) -> io::Result<String> {
        match self.act(stage, command) {
            None => Ok(agreeing.to_owned()),
            Some(Act::Reply(reply)) => Ok(reply),
            Some(Act::Delay(time)) => {
                std::thread::sleep(time);
                Ok(agreeing.to_owned())
            }
            Some(Act::Disconnect) => {
                self.writer.shutdown(std::net::Shutdown::Both)?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    /// The script's line for this moment.
    fn act(&self, stage: Stage, command: &str) -> Option<Act> {
        let mut shared = lock(&self.state);
        let place = shared
            .script
            .iter()
            .position(|line| line.stage == stage && command.contains(&line.containing))?;
        let line = shared.script.get(place)?.clone();
        if line.once {
            shared.script.remove(place);
        }
        Some(line.act)
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.writer.write_all(format!("{reply}\r\n").as_bytes())
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line)?;
        Ok((read > 0).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Sends everything at once and reads until the peer hangs up.
    fn talk(peer: &ScriptedSmtp, lines: &str) -> String {
        let mut stream = TcpStream::connect(peer.address()).unwrap();
        stream.write_all(lines.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    const MESSAGE: &str = "HELO a\r\nMAIL FROM:<b@c.test>\r\nRCPT TO:<d@e.test>\r\n\
        RCPT TO:<f@e.test>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n";

    #[test]
    fn message_is_recorded_as_it_was_meant() {
        let peer = ScriptedSmtp::start().unwrap();
        assert!(talk(&peer, MESSAGE).ends_with("221 2.0.0 bye\r\n"));
        let messages = peer.wait_for_messages(1).unwrap();
        assert_eq!(messages[0].mail, "<b@c.test>");
        assert_eq!(messages[0].recipients, ["<d@e.test>", "<f@e.test>"]);
        assert_eq!(messages[0].text, b"Subject: x\r\n\r\n.dot\r\n");
    }

    #[test]
    fn refused_recipient_is_not_recorded_and_the_other_is() {
        let act = Act::Reply("550 5.1.1 no such user".to_owned());
        let peer = ScriptedSmtp::start()
            .unwrap()
            .always(Stage::Recipient, "<d@", act);
        assert!(talk(&peer, MESSAGE).contains("550 5.1.1"));
        assert_eq!(peer.received()[0].recipients, ["<f@e.test>"]);
    }

    #[test]
    fn line_for_one_time_is_used_up() {
        let act = Act::Reply("451 4.3.0 later".to_owned());
        let peer = ScriptedSmtp::start().unwrap().once(Stage::Text, "", act);
        assert!(talk(&peer, MESSAGE).contains("451 4.3.0"));
        assert!(talk(&peer, MESSAGE).contains("250 2.0.0 taken"));
        let accepted: Vec<bool> = peer.received().iter().map(|one| one.accepted).collect();
        assert_eq!(accepted, [false, true]);
        assert_eq!(peer.connections(), 2);
    }

    #[test]
    fn peer_can_hang_up_at_any_stage() {
        let peer = ScriptedSmtp::start()
            .unwrap()
            .always(Stage::Data, "", Act::Disconnect);
        let answer = talk(
            &peer,
            "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<d@e.test>\r\nDATA\r\n",
        );
        assert!(answer.ends_with("250 2.1.5 ok\r\n"));
        assert!(peer.received().is_empty());
    }
}
