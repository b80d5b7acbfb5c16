//! One SMTP connection at the pretend Internet: our own session with its own simple policy.

use std::io;
use std::time::Duration;

use contracts::{Clock, SystemClock};
use mail::{ForwardPath, ReversePath};
use smtp::server::{
    Answer, AuthOffer, BareLf, Facts, Limits, Output, Question, Service, Session, TlsState,
};
use smtp::{Reply, ReplyCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::behaviour::{Behaviour, behaviour_of};

/// A message the pretend Internet took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) reverse_path: ReversePath,
    pub(crate) recipients: Vec<ForwardPath>,
    pub(crate) content: Vec<u8>,
}

#[derive(Default)]
struct Transaction {
    reverse_path: Option<ReversePath>,
    recipients: Vec<ForwardPath>,
    content: Vec<u8>,
    wait: Duration,
}

/// Serves one connection; each message taken is handed to `taken`.
pub(crate) async fn serve(
    mut stream: TcpStream,
    host_name: &str,
    taken: &(dyn Fn(Taken) + Send + Sync),
) -> io::Result<()> {
    let facts = Facts {
        host_name: host_name.to_owned(),
        service: Service::Relay,
        tls: TlsState::Unavailable,
        auth: AuthOffer::NotHere,
        auth_required: false,
        bare_lf: BareLf::Refuse,
    };
    let clock = SystemClock;
    let mut session = Session::new(facts, Limits::default(), clock.now());
    let mut transaction = Transaction::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Reply(lines) => stream.write_all(&lines).await?,
                Output::Ask(question) => {
                    let answer = transaction.answer(question, taken).await;
                    session.answer(clock.now(), answer);
                }
                Output::BodyChunk(chunk) => transaction.content.extend_from_slice(&chunk),
                Output::Discard => transaction.content.clear(),
                Output::StartTls | Output::Close => return stream.shutdown().await,
            }
        }
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        session.handle_input(clock.now(), buffer.get(..length).unwrap_or_default());
    }
}

impl Transaction {
    async fn answer(
        &mut self,
        question: Question,
        taken: &(dyn Fn(Taken) + Send + Sync),
    ) -> Answer {
        match question {
            Question::Mail { parameters, .. } => {
                *self = Self {
                    reverse_path: Some(parameters.reverse_path),
                    ..Self::default()
                };
                yes("2.1.0 sender ok")
            }
            Question::Recipient { recipient } => self.recipient(recipient.path),
            Question::Body => yes("go on"),
            Question::Message { .. } => {
                tokio::time::sleep(self.wait).await;
                taken(Taken {
                    reverse_path: self.reverse_path.take().unwrap_or(ReversePath::Null),
                    recipients: std::mem::take(&mut self.recipients),
                    content: std::mem::take(&mut self.content),
                });
                yes("2.0.0 taken by the pretend Internet")
            }
            Question::Authenticate(_) | Question::Scram { .. } => {
                Answer::Reply(reply(535, "5.7.8 nobody signs in here"))
            }
        }
    }

    fn recipient(&mut self, path: ForwardPath) -> Answer {
        let local = path
            .address()
            .map_or_else(String::new, |address| address.local.folded());
        match behaviour_of(&local) {
            Behaviour::Refuses(why) => return Answer::Reply(reply(550, why)),
            Behaviour::Defers(why) => return Answer::Reply(reply(450, why)),
            Behaviour::Slow(wait) => self.wait = wait,
            Behaviour::Answers | Behaviour::Takes => {}
        }
        self.recipients.push(path);
        yes("2.1.5 recipient ok")
    }
}

fn yes(text: &str) -> Answer {
    Answer::Reply(reply(250, text))
}

/// `text` begins with an enhanced code, which the reply carries as such.
fn reply(code: u16, text: &str) -> Reply {
    let (enhanced, words) = match text.split_once(' ') {
        Some((first, rest)) => match first.parse::<mail::EnhancedStatus>() {
            Ok(status) => (Some((status.subject, status.detail)), rest),
            Err(_) => (None, text),
        },
        None => (None, text),
    };
    let code = ReplyCode::from_number(code)
        .unwrap_or_else(|| ReplyCode::new(smtp::ReplyClass::Permanent, 50));
    Reply::new(code, enhanced, words)
}
