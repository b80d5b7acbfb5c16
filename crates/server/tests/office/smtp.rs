//! SMTP: who may send what, and what is heard.

use contracts::Store as _;
use contracts::store::{HistoryQuery, MessageRef};
use policy::facts::ServiceName;
use server::certificates::{AuthorityFolder, CertificateOrigin};

use crate::client::Client;
use crate::office::{Office, address};
use crate::premises::{BOBS_PASSWORD, office_settings, patient_limits, user};

const MESSAGE: &[u8] = b"From: bob@office.test\r\nSubject: hello\r\n\r\n.one dot\r\nlast line\r\n";

/// The message as DATA carries it.
fn stuffed() -> Vec<u8> {
    let mut octets = MESSAGE.to_vec();
    let at = octets.windows(4).position(|w| w == b".one").unwrap();
    octets.insert(at, b'.');
    octets.extend_from_slice(b".\r\n");
    octets
}

#[tokio::test]
async fn a_colleague_sends_without_sign_in_and_the_mailbox_has_it() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(1, address(&smtp)).await;
    assert_eq!(client.reply().await, "220 mail.office.test ESMTP ready");
    let hello = client.say("EHLO pc1").await;
    for wanted in [
        "PIPELINING",
        "SIZE 52428800",
        "STARTTLS",
        "AUTH PLAIN LOGIN",
        "CHUNKING",
    ] {
        assert!(hello.contains(wanted), "{hello}");
    }
    assert!(!hello.contains("SCRAM"));
    assert!(
        client
            .say("MAIL FROM:<bob@office.test>")
            .await
            .starts_with("250 2.1.0 ")
    );
    assert!(
        client
            .say("RCPT TO:<alice@office.test>")
            .await
            .starts_with("250 2.1.5 ")
    );
    assert!(
        client
            .say("RCPT TO:<eve@office.test>")
            .await
            .starts_with("550 5.1.1 ")
    );
    assert!(client.say("DATA").await.starts_with("354 "));
    client.send(&stuffed()).await;
    let accepted = client.reply().await;
    assert!(accepted.starts_with("250 2.0.0 "), "{accepted}");
    let id = accepted.rsplit(' ').next().unwrap();
    let story = office
        .premises
        .store
        .story(id.parse().unwrap())
        .await
        .unwrap();
    assert!(story.head.accepted);
    let messages = office
        .premises
        .store
        .list_maildrop(&user("alice"))
        .await
        .unwrap();
    let uid = messages.first().unwrap().uid;
    let message = MessageRef::InMaildrop {
        user: user("alice"),
        uid,
    };
    let octets = office
        .premises
        .store
        .read_message(&message, 0, 1 << 20)
        .await
        .unwrap();
    assert!(octets.ends_with(b"\r\n\r\n.one dot\r\nlast line\r\n"));
    assert!(client.say("QUIT").await.starts_with("221 2.0.0 "));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn what_was_pipelined_is_answered_in_order() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(1, address(&smtp)).await;
    let mut all = b"EHLO pc1\r\nMAIL FROM:<bob@office.test>\r\nRCPT TO:<alice@office.test>\r\n\
                    RCPT TO:<nobody@office.test>\r\nDATA\r\n"
        .to_vec();
    client.reply().await;
    client.send(&all).await;
    let mut replies = Vec::new();
    for _ in 0..5 {
        replies.push(client.reply().await.get(..3).unwrap().to_owned());
    }
    assert_eq!(replies, ["250", "250", "250", "550", "354"]);
    all = stuffed();
    all.extend_from_slice(b"NOOP\r\nMAIL FROM:<bob@office.test>\r\nRSET\r\nQUIT\r\n");
    client.send(&all).await;
    let mut replies = Vec::new();
    for _ in 0..5 {
        replies.push(client.reply().await.get(..3).unwrap().to_owned());
    }
    assert_eq!(replies, ["250", "250", "250", "250", "221"]);
}

#[tokio::test]
async fn a_stranger_may_send_to_us_and_not_through_us() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(2, address(&smtp)).await;
    assert!(client.reply().await.starts_with("220 "));
    assert!(!client.say("EHLO far.example").await.contains("AUTH"));
    assert!(
        client
            .say("AUTH PLAIN AGJvYgBib2I=")
            .await
            .starts_with("502 5.5.1 ")
    );
    assert!(
        client
            .say("MAIL FROM:<fred@far.example>")
            .await
            .starts_with("250 ")
    );
    let relay = client.say("RCPT TO:<joe@elsewhere.example>").await;
    assert!(relay.starts_with("550 5.7.1 "), "{relay}");
    assert!(
        client
            .say("RCPT TO:<bob@office.test>")
            .await
            .starts_with("250 ")
    );
    drop(client);
    // The story is told when the client has left.
    let query = HistoryQuery::default();
    loop {
        office.premises.shared.intake.flush().await;
        let heads = office.premises.store.search_history(&query).await.unwrap();
        if let Some(head) = heads.first() {
            assert_eq!(head.sender, "fred@far.example");
            assert!(!head.accepted);
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_unopened_service_says_421_to_strangers_instead_of_greeting() {
    let office = Office::with(office_settings(false), patient_limits()).await;
    for name in [ServiceName::Smtp, ServiceName::Submission] {
        let service = office.start(name);
        let mut client = Client::from(2, address(&service)).await;
        assert_eq!(
            client.reply().await,
            "421 4.3.2 mail.office.test Service not available"
        );
        assert!(client.is_closed().await);
        let mut client = Client::from(1, address(&service)).await;
        assert!(client.reply().await.starts_with("220 "));
    }
    let submissions = office.start(ServiceName::Submissions);
    let mut client = office.secure_client(2, address(&submissions)).await;
    assert!(client.reply().await.starts_with("421 4.3.2 "));
    for name in [ServiceName::Pop3, ServiceName::Pop3s] {
        let service = office.start(name);
        let mut client = if name == ServiceName::Pop3 {
            Client::from(2, address(&service)).await
        } else {
            office.secure_client(2, address(&service)).await
        };
        assert_eq!(client.line().await, "-ERR [SYS/TEMP] Service not available");
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn submission_needs_sign_in_also_on_the_lan() {
    let office = Office::open().await;
    office.premises.put("bob", true, 1).await;
    let submission = office.start(ServiceName::Submission);
    let mut client = Client::from(1, address(&submission)).await;
    client.reply().await;
    client.say("EHLO pc1").await;
    let refused = client.say("MAIL FROM:<bob@office.test>").await;
    assert!(refused.starts_with("530 5.7.0 "), "{refused}");
    assert!(client.say("AUTH LOGIN").await.starts_with("334 "));
    assert!(client.say("Ym9i").await.starts_with("334 "));
    let wrong = client.say("d3Jvbmc=").await;
    assert!(wrong.starts_with("535 5.7.8 "), "{wrong}");
    let plain = base64(format!("\0bob@office.test\0{BOBS_PASSWORD}"));
    let right = client.say(&format!("AUTH PLAIN {plain}")).await;
    assert_eq!(right, "235 2.7.0 Signed in");
    let not_his = client.say("MAIL FROM:<alice@office.test>").await;
    assert!(not_his.starts_with("550 5.7.1 "), "{not_his}");
    assert!(
        client
            .say("MAIL FROM:<bob@office.test>")
            .await
            .starts_with("250 ")
    );
    let outside = client.say("RCPT TO:<joe@elsewhere.example>").await;
    assert!(outside.starts_with("250 "), "{outside}");
}

#[tokio::test]
async fn nothing_to_sign_in_with_is_offered_in_clear_to_a_stranger() {
    let mut settings = office_settings(true);
    settings.services.submission_open_to_internet = true;
    let office = Office::with(settings, patient_limits()).await;
    office.premises.put("bob", true, 1).await;
    let submission = office.start(ServiceName::Submission);
    let mut client = Client::from(2, address(&submission)).await;
    client.reply().await;
    assert!(!client.say("EHLO pc1").await.contains("AUTH"));
    let plain = base64(format!("\0bob\0{BOBS_PASSWORD}"));
    let auth = format!("AUTH PLAIN {plain}");
    assert!(client.say(&auth).await.starts_with("538 5.7.11 "));
    assert!(client.say("STARTTLS").await.starts_with("220 "));
    let mut client = client
        .secured(&office.authority(), &["smtp"])
        .await
        .unwrap();
    let hello = client.say("EHLO pc1").await;
    assert!(hello.contains("AUTH PLAIN LOGIN"), "{hello}");
    assert!(!hello.contains("STARTTLS"), "{hello}");
    assert!(client.say(&auth).await.starts_with("235 "));
    assert!(
        client
            .say("MAIL FROM:<bob@office.test>")
            .await
            .starts_with("250 ")
    );
}

#[tokio::test]
async fn starting_tls_forgets_what_was_said_and_what_was_sent_ahead() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(1, address(&smtp)).await;
    client.reply().await;
    client.say("EHLO pc1").await;
    // CVE-2011-0411: the RSET must be neither carried out nor answered.
    client.send(b"STARTTLS\r\nRSET\r\n").await;
    assert!(client.reply().await.starts_with("220 2.0.0 "));
    let mut client = client.secured(&office.authority(), &[]).await.unwrap();
    let reply = client.say("NOOP").await;
    assert!(reply.starts_with("250 2.0.0 OK"), "{reply}");
    assert!(client.say("EHLO pc1").await.starts_with("250-"));
}

#[tokio::test]
async fn a_client_of_another_protocol_gets_no_tls() {
    let office = Office::open().await;
    let submissions = office.start(ServiceName::Submissions);
    let client = Client::from(1, address(&submissions)).await;
    let failed = client.secured(&office.authority(), &["http/1.1"]).await;
    assert!(failed.is_err());
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_the_history_says_which() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    for (version, name) in [
        (&rustls::version::TLS12, "TLSv1.2"),
        (&rustls::version::TLS13, "TLSv1.3"),
    ] {
        let mut client = Client::from(1, address(&smtp)).await;
        client.reply().await;
        client.say("EHLO pc1").await;
        client.say("STARTTLS").await;
        let (authority, versions) = (office.authority(), [version]);
        let secured = client.secured_by(&authority, &[], &versions).await;
        let mut client = secured.unwrap();
        client.say("EHLO pc1").await;
        client.say("MAIL FROM:<bob@office.test>").await;
        client.say("RCPT TO:<alice@office.test>").await;
        client.say("DATA").await;
        client.send(&stuffed()).await;
        let accepted = client.reply().await;
        let id = accepted.rsplit(' ').next().unwrap().parse().unwrap();
        let story = office.premises.store.story(id).await.unwrap();
        assert_eq!(story.head.connection.unwrap().tls.unwrap().version, name);
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_the_old_ones_go_on() {
    let office = Office::open().await;
    let submissions = office.start(ServiceName::Submissions);
    let mut before = office.secure_client(1, address(&submissions)).await;
    assert!(before.reply().await.starts_with("220 "));
    let old_authority = office.authority();
    let folder = office.premises.folder.path().join("tls");
    std::fs::remove_file(folder.join("authority.key")).unwrap();
    let origin = CertificateOrigin::LocalAuthority(AuthorityFolder {
        folder,
        host_name: "mail.office.test".parse().unwrap(),
        names: Vec::new(),
        addresses: vec![[127, 0, 0, 1].into()],
    });
    let shared = &office.premises.shared;
    shared
        .certificates
        .load(&origin, shared.clock.now())
        .unwrap();
    let client = Client::from(1, address(&submissions)).await;
    assert!(client.secured(&old_authority, &[]).await.is_err());
    let mut after = office.secure_client(1, address(&submissions)).await;
    assert!(after.reply().await.starts_with("220 "));
    assert!(before.say("NOOP").await.starts_with("250 "));
}

#[tokio::test]
async fn many_connections_of_one_stranger_are_too_many_and_a_colleague_is_served() {
    let mut settings = office_settings(true);
    settings.receiving.connections_per_source_max = 2;
    let office = Office::with(settings, patient_limits()).await;
    let smtp = office.start(ServiceName::Smtp);
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut client = Client::from(2, address(&smtp)).await;
        assert!(client.reply().await.starts_with("220 "));
        kept.push(client);
    }
    let mut third = Client::from(2, address(&smtp)).await;
    assert!(third.reply().await.starts_with("421 4.7.0 "));
    for _ in 0..3 {
        let mut colleague = Client::from(1, address(&smtp)).await;
        assert!(colleague.reply().await.starts_with("220 "));
        kept.push(colleague);
    }
    assert_eq!(smtp.sessions(), 5);
    kept.clear();
    loop {
        let mut again = Client::from(2, address(&smtp)).await;
        if again.reply().await.starts_with("220 ") {
            break;
        }
    }
}

#[tokio::test]
async fn a_panic_ends_its_own_session_only_and_with_a_word() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut other = Client::from(2, address(&smtp)).await;
    other.reply().await;
    let mut client = Client::from(2, address(&smtp)).await;
    client.reply().await;
    client.say("EHLO far.example").await;
    let last = client.say("MAIL FROM:<fred@panic.example>").await;
    assert!(last.starts_with("421 4.3.0 mail.office.test "), "{last}");
    assert!(client.is_closed().await);
    assert!(other.say("NOOP").await.starts_with("250 "));
}

#[tokio::test]
async fn bare_line_feeds_are_refused_but_from_a_listed_device() {
    for allowed in [false, true] {
        let mut settings = office_settings(true);
        settings.security.devices.push(policy::settings::Device {
            name: "scanner".to_owned(),
            address: [127, 0, 0, 1].into(),
            may_send_as: Vec::new(),
            bare_lf_allowed: allowed,
        });
        let office = Office::with(settings, patient_limits()).await;
        let smtp = office.start(ServiceName::Smtp);
        let mut client = Client::from(1, address(&smtp)).await;
        client.reply().await;
        client.say("EHLO scanner").await;
        client.say("MAIL FROM:<bob@office.test>").await;
        client.say("RCPT TO:<alice@office.test>").await;
        client.say("DATA").await;
        client
            .send(b"From: bob@office.test\r\n\r\na\nb\r\n.\r\n")
            .await;
        let reply = client.reply().await;
        let wanted = if allowed { "250 2.0.0 " } else { "550 5.6.0 " };
        assert!(reply.starts_with(wanted), "{reply}");
    }
}

#[tokio::test]
async fn a_store_that_fails_asks_the_sender_to_come_again() {
    let office = Office::open().await;
    let smtp = office.start(ServiceName::Smtp);
    let mut client = Client::from(1, address(&smtp)).await;
    client.reply().await;
    client.say("EHLO pc1").await;
    client.say("MAIL FROM:<bob@office.test>").await;
    client.say("RCPT TO:<alice@office.test>").await;
    client.say("DATA").await;
    for nth in 0..3 {
        let fault = contracts::stand_in::Fault::Io;
        office.premises.store.fail_step(nth, fault);
    }
    client.send(&stuffed()).await;
    let reply = client.reply().await;
    assert!(reply.starts_with("451 4.3.0 "), "{reply}");
    let kept = office
        .premises
        .store
        .list_maildrop(&user("alice"))
        .await
        .unwrap();
    assert!(kept.is_empty());
}

fn base64(text: String) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
