//! POP3: collecting what SMTP brought.

use contracts::Store as _;
use policy::facts::ServiceName;

use crate::client::Client;
use crate::office::{Office, address};
use crate::premises::{BOBS_PASSWORD, office_settings, patient_limits, user};

async fn send(office: &Office, count: usize) {
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(1, address(&smtp)).await;
    client.reply().await;
    client.say("EHLO pc1").await;
    for number in 0..count {
        client.say("MAIL FROM:<alice@office.test>").await;
        client.say("RCPT TO:<bob@office.test>").await;
        client.say("DATA").await;
        let text = format!(
            "From: alice@office.test\r\nSubject: number {number}\r\n\r\n..hidden\r\n{}\r\n.\r\n",
            "x".repeat(70_000)
        );
        client.send(text.as_bytes()).await;
        assert!(client.reply().await.starts_with("250 "));
    }
    client.say("QUIT").await;
}

#[tokio::test]
async fn bob_collects_what_was_sent_and_deletes_it() {
    let office = Office::open().await;
    office.premises.put("bob", true, 1).await;
    send(&office, 2).await;
    let pop3 = office.start(ServiceName::Pop3);
    let mut client = Client::from(1, address(&pop3)).await;
    assert!(client.line().await.starts_with("+OK "));
    assert_eq!(client.ask("USER bob").await, "+OK now the password");
    let signed_in = client.ask(&format!("PASS {BOBS_PASSWORD}")).await;
    assert!(signed_in.starts_with("+OK 2 messages"), "{signed_in}");
    let said = client.ask("RETR 1").await;
    let lines = client.lines().await;
    let octets: usize = lines.iter().map(|line| line.len() + 2).sum();
    // One dot is stuffed.
    assert_eq!(said, format!("+OK {} octets", octets - 1));
    assert!(lines.contains(&"..hidden".to_owned()));
    assert!(lines.contains(&"x".repeat(70_000)));
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    assert!(client.ask("QUIT").await.starts_with("+OK"));
    assert!(client.is_closed().await);
    let left = office
        .premises
        .store
        .list_maildrop(&user("bob"))
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn one_session_holds_the_mailbox_and_quit_frees_it_at_once() {
    let office = Office::open().await;
    office.premises.put("bob", true, 1).await;
    let pop3 = office.start(ServiceName::Pop3);
    let sign_in = async || {
        let mut client = Client::from(1, address(&pop3)).await;
        client.line().await;
        client.ask("USER bob@office.test").await;
        let said = client.ask(&format!("PASS {BOBS_PASSWORD}")).await;
        (client, said)
    };
    for _ in 0..20 {
        let (mut first, said) = sign_in().await;
        assert!(said.starts_with("+OK"), "{said}");
        let (_, said) = sign_in().await;
        assert!(said.starts_with("-ERR [IN-USE]"), "{said}");
        assert!(first.ask("QUIT").await.starts_with("+OK"));
    }
}

#[tokio::test]
async fn stls_and_port_995_sign_in_under_tls() {
    let mut settings = office_settings(true);
    settings.services.pop3s_open_to_internet = true;
    let office = Office::with(settings, patient_limits()).await;
    office.premises.put("bob", true, 1).await;
    send(&office, 1).await;
    let pop3 = office.start(ServiceName::Pop3);
    let mut client = Client::from(1, address(&pop3)).await;
    client.line().await;
    client.send(b"STLS\r\nNOOP\r\n").await;
    assert!(client.line().await.starts_with("+OK"));
    let mut client = client
        .secured(&office.authority(), &["pop3"])
        .await
        .unwrap();
    client.ask("CAPA").await;
    let capabilities = client.lines().await;
    assert!(capabilities.contains(&"SASL PLAIN LOGIN".to_owned()));
    assert!(!capabilities.contains(&"STLS".to_owned()));

    let pop3s = office.start(ServiceName::Pop3s);
    let mut client = office.secure_client(2, address(&pop3s)).await;
    assert!(client.line().await.starts_with("+OK "));
    client.ask("USER bob").await;
    assert_eq!(
        client.ask("PASS wrong").await,
        "-ERR [AUTH] wrong name or password"
    );
    client.ask("USER bob").await;
    let said = client.ask(&format!("PASS {BOBS_PASSWORD}")).await;
    assert!(said.starts_with("+OK 1 messages"), "{said}");
    assert!(client.ask("RETR 1").await.starts_with("+OK"));
    assert!(client.lines().await.contains(&"x".repeat(70_000)));
}

#[tokio::test]
async fn deletions_that_fail_are_said_and_not_done() {
    let office = Office::open().await;
    office.premises.put("bob", true, 1).await;
    send(&office, 1).await;
    let pop3 = office.start(ServiceName::Pop3);
    let mut client = Client::from(1, address(&pop3)).await;
    client.line().await;
    client.ask("USER bob").await;
    client.ask(&format!("PASS {BOBS_PASSWORD}")).await;
    client.ask("DELE 1").await;
    office
        .premises
        .store
        .fail_step(0, contracts::stand_in::Fault::Io);
    let said = client.ask("QUIT").await;
    assert!(said.starts_with("-ERR"), "{said}");
    let left = office
        .premises
        .store
        .list_maildrop(&user("bob"))
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}
