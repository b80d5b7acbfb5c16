//! Stopping a service (S4.3).

use std::time::Duration;

use contracts::Store as _;
use policy::facts::ServiceName;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::office::{Office, address};
use crate::premises::user;

async fn in_data(office_address: std::net::SocketAddr) -> Client {
    let mut client = Client::from(1, office_address).await;
    client.reply().await;
    client.say("EHLO pc1").await;
    client.say("MAIL FROM:<bob@office.test>").await;
    client.say("RCPT TO:<alice@office.test>").await;
    assert!(client.say("DATA").await.starts_with("354 "));
    client.send(b"From: bob@office.test\r\n\r\nhalf\r\n").await;
    client
}

#[tokio::test]
async fn idle_sessions_end_with_a_word_and_a_message_in_flight_is_finished() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let pop3 = office.start(ServiceName::Pop3);
    let mut idle = Client::from(1, address(&smtp)).await;
    idle.reply().await;
    let mut reader = Client::from(1, address(&pop3)).await;
    reader.line().await;
    let mut busy = in_data(address(&smtp)).await;

    smtp.close().await;
    assert!(TcpStream::connect(address(&smtp)).await.is_err());
    assert!(
        idle.reply()
            .await
            .starts_with("421 4.3.2 mail.office.test ")
    );
    assert!(idle.is_closed().await);
    busy.send(b"other half\r\n.\r\n").await;
    assert!(busy.reply().await.starts_with("250 2.0.0 "));
    assert!(busy.reply().await.starts_with("421 4.3.2 "));
    drop((busy, idle));
    smtp.drain(Duration::from_secs(20)).await;
    assert_eq!(smtp.sessions(), 0);
    let kept = office.premises.store.list_maildrop(&user("alice")).await;
    assert_eq!(kept.unwrap().len(), 1);

    // The other service has not noticed.
    assert!(reader.ask("CAPA").await.starts_with("+OK"));
    reader.lines().await;
    let draining = tokio::spawn(async move {
        pop3.drain(Duration::from_secs(20)).await;
        pop3.sessions()
    });
    assert!(reader.line().await.starts_with("-ERR [SYS/TEMP] "));
    drop(reader);
    assert_eq!(draining.await.unwrap(), 0);
    assert_eq!(office.premises.shared.permits.open_total(), 0);
}

#[tokio::test]
async fn whoever_does_not_come_to_an_end_hears_421_at_the_deadline() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut busy = in_data(address(&smtp)).await;
    let draining = tokio::spawn(async move {
        smtp.drain(Duration::ZERO).await;
        smtp.sessions()
    });
    assert!(busy.reply().await.starts_with("421 4.3.2 "));
    assert!(busy.is_closed().await);
    drop(busy);
    assert_eq!(draining.await.unwrap(), 0);
    let kept = office.premises.store.list_maildrop(&user("alice")).await;
    assert!(kept.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_that_is_dropped_ends_its_sessions_with_a_word() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut idle = Client::from(1, address(&smtp)).await;
    idle.reply().await;
    drop(smtp);
    assert!(idle.reply().await.starts_with("421 4.3.2 "));
}

#[tokio::test]
async fn a_service_that_begins_with_tls_does_not_start_without_a_certificate() {
    let office = Office::open().await;
    let mut shared = server::Shared {
        certificates: server::certificates::CertificateHolder::new().unwrap(),
        intake: office.premises.shared.intake.clone(),
        store: office.premises.shared.store.clone(),
        clock: office.premises.shared.clock.clone(),
        live: office.premises.live.clone(),
        authenticator: office.premises.sign_in.clone(),
        permits: office.premises.shared.permits.clone(),
        throttle: office.premises.shared.throttle.clone(),
        limits: office.premises.shared.limits.clone(),
    };
    shared.limits.refusals_max = 1;
    let shared = std::sync::Arc::new(shared);
    let start = |name| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        server::Service::start(name, vec![listener], shared.clone())
    };
    let failed = start(ServiceName::Submissions).unwrap_err().to_string();
    assert!(failed.contains("needs a certificate"), "{failed}");
    assert!(start(ServiceName::Delivery).is_err());
    let smtp = start(ServiceName::Smtp).unwrap();
    let mut client = Client::from(1, address(&smtp)).await;
    client.reply().await;
    assert!(!client.say("EHLO pc1").await.contains("STARTTLS"));
}
