//! TLS of outgoing connections: wished for towards strangers, insisted on towards our own hosts.

use std::sync::Arc;

use crate::office::peers::{Heard, Starttls, certificate, implicit, with_starttls};
use crate::office::{Office, settings};
use contracts::{AttemptOutcome, Event};
use delivery::Tls;
use mail::MailHost;
use policy::settings::{RemoteMethod, SmartHost, SmartHostSignIn, TlsMode};

fn heard(heard: &Heard) -> Vec<String> {
    heard.lock().unwrap().clone()
}

/// The TLS version of the attempt that delivered.
async fn delivered_by(office: &Office, id: mail::QueueId) -> Option<String> {
    let events = office.events(id).await;
    events.into_iter().find_map(|event| match event {
        Event::Attempted {
            tls,
            result: AttemptOutcome::Delivered,
            ..
        } => tls,
        Event::SenderDecided { .. }
        | Event::RecipientDecided { .. }
        | Event::MessageDecided { .. }
        | Event::Aborted { .. }
        | Event::Queued { .. }
        | Event::Attempted { .. }
        | Event::DelayNoticed { .. }
        | Event::Ended { .. }
        | Event::Operated { .. } => None,
    })
}

#[tokio::test]
async fn a_strangers_certificate_is_good_enough() {
    let mut office = Office::new();
    let lines = Heard::default();
    let (_, config) = certificate("somebody.else.test");
    let peer = with_starttls(Starttls::Works(config), Arc::clone(&lines)).await;
    office.zone.mx("hotmail.test", &["192.0.2.1"]);
    office.lines.lead("192.0.2.1:25", peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(delivered_by(&office, id).await.as_deref(), Some("TLSv1.3"));
    let heard = heard(&lines);
    let tls = heard.iter().position(|line| line == "(tls)").unwrap();
    let mail = heard
        .iter()
        .position(|line| line.starts_with("MAIL"))
        .unwrap();
    assert!(tls < mail);
}

#[tokio::test]
async fn a_handshake_that_fails_is_followed_by_clear_text() {
    let mut office = Office::new();
    let lines = Heard::default();
    let peer = with_starttls(Starttls::Broken, Arc::clone(&lines)).await;
    office.zone.mx("hotmail.test", &["192.0.2.1"]);
    office.lines.lead("192.0.2.1:25", peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(delivered_by(&office, id).await, None);
    assert_eq!(office.lines.dialled().len(), 2);
    assert_eq!(
        heard(&lines)
            .iter()
            .filter(|line| *line == "STARTTLS")
            .count(),
        1
    );
}

fn smart_host(tls: TlsMode, office_tls: Tls, secret: Option<&str>) -> Office {
    let mut settings = settings();
    settings.delivery.remote = RemoteMethod::SmartHost;
    settings.delivery.smart_host = Some(SmartHost {
        host: MailHost::Address("192.0.2.7".parse().unwrap()),
        port: 587,
        tls,
        sign_in: secret.map(|secret| SmartHostSignIn {
            user: "office".to_owned(),
            secret: secret.to_owned(),
        }),
    });
    Office::with(settings, office_tls)
}

#[tokio::test]
async fn a_smart_host_is_known_by_its_name() {
    let (root, config) = certificate("192.0.2.7");
    let lines = Heard::default();
    let peer = with_starttls(Starttls::Works(config), Arc::clone(&lines)).await;
    let mut office = smart_host(TlsMode::Required, Tls::new(&[root]).unwrap(), None);
    office.lines.lead("192.0.2.7:587", peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(delivered_by(&office, id).await.as_deref(), Some("TLSv1.3"));
}

#[tokio::test]
async fn another_certificate_gets_no_mail() {
    let (root, config) = certificate("192.0.2.8");
    let lines = Heard::default();
    let peer = with_starttls(Starttls::Works(config), Arc::clone(&lines)).await;
    let mut office = smart_host(TlsMode::Required, Tls::new(&[root]).unwrap(), None);
    office.lines.lead("192.0.2.7:587", peer);
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    let queue = office.tried(1).await;
    assert!(
        queue
            .iter()
            .all(|e| e.last_reply.as_ref().is_some_and(|r| r.contains("TLS")))
    );
    assert!(!heard(&lines).iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_smart_host_under_tls_from_the_first_octet_gets_the_sign_in() {
    let (root, config) = certificate("192.0.2.7");
    let lines = Heard::default();
    let peer = implicit(config, Arc::clone(&lines)).await;
    let tls = Tls::new(&[root]).unwrap();
    let mut office = smart_host(TlsMode::Implicit, tls, Some("provider"));
    office.lines.lead("192.0.2.7:587", peer);
    office.start();
    let id = office.send("bob@office.test", &["fred@hotmail.test"]).await;
    office.queue_empties().await;
    assert_eq!(delivered_by(&office, id).await.as_deref(), Some("TLSv1.3"));
    let heard = heard(&lines);
    assert!(heard.contains(&"AUTH PLAIN AG9mZmljZQBzM2NyZXQ=".to_owned()));
}

#[tokio::test]
async fn without_the_secret_nobody_is_even_called() {
    let tls = Tls::new(&[]).unwrap();
    let mut office = smart_host(TlsMode::Required, tls, Some("lost"));
    office.start();
    office.send("bob@office.test", &["fred@hotmail.test"]).await;
    let queue = office.tried(1).await;
    let says = |reply: &String| reply.contains("no secret lost");
    assert!(
        queue
            .iter()
            .all(|e| e.last_reply.as_ref().is_some_and(says))
    );
    assert!(office.lines.dialled().is_empty());
}
