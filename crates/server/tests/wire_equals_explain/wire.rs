//! One transaction over a real socket, and what was heard in it.

use base64::Engine as _;
use mail::TransactionId;
use policy::facts::ServiceName;

use crate::client::{Client, connect_from};
use crate::office::{Office, PASSWORD};
use crate::random::Case;

/// The replies, as far as the peer came.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) service: ServiceName,
    /// `None`: cut off without a word.
    pub(crate) greeting: Option<String>,
    pub(crate) mail: Option<String>,
    /// One for each recipient.
    pub(crate) recipients: Vec<String>,
    /// To the message, if one was sent.
    pub(crate) message: Option<String>,
}

/// Sends the case's message, as far as the gateway lets it.
pub(crate) async fn talk(office: &Office, case: &Case) -> Heard {
    let mut heard = Heard {
        service: case.service,
        greeting: None,
        mail: None,
        recipients: Vec::new(),
        message: None,
    };
    let Some(mut client) = connect(office, case).await else {
        return heard;
    };
    let greeting = client.reply().await;
    let served = greeting.starts_with("220 ");
    heard.greeting = (!greeting.is_empty()).then_some(greeting);
    if !served {
        return heard;
    }
    client.say("EHLO peer.test").await;
    if let Some(user) = case.user {
        client = signed_in(client, user, office, case).await;
    }
    transaction(&mut client, case, &mut heard).await;
    client.send(b"QUIT\r\n").await;
    heard
}

async fn connect(office: &Office, case: &Case) -> Option<Client> {
    let to = office.address(case.service);
    if case.service != ServiceName::Submissions {
        return Some(Client::from(case.peer, to).await);
    }
    let plain = Client::over(connect_from(case.peer, to).await);
    plain.secured(&office.authority(), &[]).await.ok()
}

async fn signed_in(mut client: Client, user: &str, office: &Office, case: &Case) -> Client {
    if case.service == ServiceName::Submission && case.peer != 1 {
        assert!(client.say("STARTTLS").await.starts_with("220 "));
        client = client.secured(&office.authority(), &[]).await.unwrap();
        client.say("EHLO peer.test").await;
    }
    let plain = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
    let reply = client.say(&format!("AUTH PLAIN {plain}")).await;
    assert!(reply.starts_with("235 "), "{reply}");
    client
}

async fn transaction(client: &mut Client, case: &Case, heard: &mut Heard) {
    let from = case.from.trim_matches(['<', '>']);
    let size = case.size_bytes.map(|size| format!(" SIZE={size}"));
    let mail = format!("MAIL FROM:<{from}>{}", size.unwrap_or_default());
    let reply = client.say(&mail).await;
    let open = reply.starts_with("250 ");
    heard.mail = Some(reply);
    if !open {
        return;
    }
    for to in &case.to {
        let reply = client.say(&format!("RCPT TO:<{to}>")).await;
        heard.recipients.push(reply);
    }
    let taken = |reply: &String| reply.starts_with("250 ");
    if !heard.recipients.iter().any(taken) {
        return;
    }
    let reply = client.say("DATA").await;
    assert!(reply.starts_with("354 "), "{reply}");
    let author = case
        .header_from
        .as_deref()
        .or((!from.is_empty()).then_some(from));
    let header = author.map(|author| format!("From: {author}\r\n"));
    let text = format!(
        "{}Subject: hello\r\n\r\nhello\r\n.\r\n",
        header.unwrap_or_default()
    );
    client.send(text.as_bytes()).await;
    heard.message = Some(client.reply().await);
}

/// The id in a reply: in brackets at its end, or behind `queued as`.
pub(crate) fn id_in(reply: &str) -> Option<TransactionId> {
    let last = reply.rsplit(' ').next()?;
    last.trim_matches(['(', ')']).parse().ok()
}
