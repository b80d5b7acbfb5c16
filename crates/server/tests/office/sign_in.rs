//! Signing in: passwords, app passwords, SCRAM-SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::{AppPassword, Authenticator as _, ScramKeys, Store as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mail::Timestamp;
use policy::facts::ServiceName;
use sha2::{Digest as _, Sha256};

use crate::client::Client;
use crate::office::{Office, address};
use crate::premises::{BOBS_PASSWORD, office_settings, patient_limits, user};

#[tokio::test]
async fn right_wrong_unknown_and_disabled() {
    let office = Office::open().await;
    office.premises.put("bob", true, 1).await;
    office.premises.put("alice", false, 1).await;
    let sign_in = &office.premises.sign_in;
    let is_in =
        async |name: &str, password: &str| sign_in.verify(name, password).await.unwrap().is_ok();
    assert!(is_in("bob", BOBS_PASSWORD).await);
    assert!(is_in("Bob@office.test", BOBS_PASSWORD).await);
    assert!(!is_in("bob", "wrong").await);
    assert!(!is_in("alice", BOBS_PASSWORD).await);
    assert!(!is_in("alice@office.test", BOBS_PASSWORD).await);
    assert!(!is_in("eve", BOBS_PASSWORD).await);
    assert!(!is_in("no name", BOBS_PASSWORD).await);
}

#[tokio::test]
async fn a_changed_user_is_not_remembered() {
    let office = Office::open().await;
    let premises = &office.premises;
    premises.put("bob", true, 1).await;
    let sign_in = &premises.sign_in;
    let right = sign_in.verify("bob", BOBS_PASSWORD).await.unwrap();
    assert_eq!(right.unwrap().user, user("bob"));
    let mut record = premises.store.user(&user("bob")).await.unwrap().unwrap();
    record.password = Some(sign_in.make_password("another").await.unwrap());
    // Same version: the memory still holds, until it is told to forget.
    premises.put_record(&record).await;
    assert!(sign_in.verify("bob", BOBS_PASSWORD).await.unwrap().is_ok());
    sign_in.forget(&user("bob"));
    assert!(sign_in.verify("bob", BOBS_PASSWORD).await.unwrap().is_err());
    assert!(sign_in.verify("bob", "another").await.unwrap().is_ok());
    record.version = 2;
    record.password = None;
    premises.put_record(&record).await;
    assert!(sign_in.verify("bob", "another").await.unwrap().is_err());
}

#[tokio::test]
async fn an_app_password_signs_in_under_its_label() {
    let office = Office::open().await;
    let premises = &office.premises;
    premises.put("bob", true, 1).await;
    let (text, sha256) = premises.sign_in.make_app_password();
    let mut record = premises.store.user(&user("bob")).await.unwrap().unwrap();
    record.app_passwords.push(AppPassword {
        number: 1,
        label: "phone".to_owned(),
        sha256,
        created_at: Timestamp::from_millis(0),
    });
    premises.put_record(&record).await;
    let signed_in = premises
        .sign_in
        .verify("bob", &text)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(signed_in.app_password.as_deref(), Some("phone"));
    assert!(
        premises
            .sign_in
            .verify("alice", &text)
            .await
            .unwrap()
            .is_err()
    );
    assert!(
        premises
            .sign_in
            .verify("bob", BOBS_PASSWORD)
            .await
            .unwrap()
            .is_ok()
    );
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn keys(password: &str) -> ScramKeys {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), b"0123456789abcdef", 4096, &mut salted);
    ScramKeys {
        salt: STANDARD.encode(b"0123456789abcdef"),
        rounds: 4096,
        stored_key: STANDARD.encode(Sha256::digest(mac(&salted, b"Client Key"))),
        server_key: STANDARD.encode(mac(&salted, b"Server Key")),
    }
}

/// The client's final message and the verifier it expects; RFC 5802 §3.
fn client_final(server_first: &str, password: &str) -> (String, String) {
    let attribute = |name: &str| {
        let found = server_first.split(',').find_map(|a| a.strip_prefix(name));
        found.unwrap().to_owned()
    };
    let salt = STANDARD.decode(attribute("s=")).unwrap();
    let rounds = attribute("i=").parse().unwrap();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
    let without_proof = format!("c=biws,r={}", attribute("r="));
    let signed = format!("n=bob,r=abc,{server_first},{without_proof}");
    let client_key = mac(&salted, b"Client Key");
    let signature = mac(&Sha256::digest(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(&signature)
        .map(|(k, s)| k ^ s)
        .collect();
    let verifier = mac(&mac(&salted, b"Server Key"), signed.as_bytes());
    (
        format!("{without_proof},p={}", STANDARD.encode(proof)),
        format!("v={}", STANDARD.encode(verifier)),
    )
}

async fn office_with_scram() -> Office {
    let mut settings = office_settings(true);
    settings.security.scram_offered = true;
    let office = Office::with(settings, patient_limits()).await;
    office.premises.put("bob", true, 1).await;
    let kept = office.premises.store.user(&user("bob")).await;
    let mut record = kept.unwrap().unwrap();
    record.scram = Some(keys(BOBS_PASSWORD));
    office.premises.put_record(&record).await;
    office
}

fn decoded(line: &str, prefix: &str) -> String {
    let text = line
        .strip_prefix(prefix)
        .unwrap_or_else(|| panic!("{line}"));
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

#[tokio::test]
async fn scram_signs_in_over_smtp() {
    let office = office_with_scram().await;
    let submission = office.start(ServiceName::Submission);
    for (password, right) in [(BOBS_PASSWORD, true), ("wrong", false)] {
        let mut client = Client::from(1, address(&submission)).await;
        client.reply().await;
        assert!(client.say("EHLO pc1").await.contains("SCRAM-SHA-256"));
        let first = STANDARD.encode("n,,n=bob,r=abc");
        let challenge = client.say(&format!("AUTH SCRAM-SHA-256 {first}")).await;
        let (last, verifier) = client_final(&decoded(&challenge, "334 "), password);
        let answer = client.say(&STANDARD.encode(last)).await;
        if right {
            assert_eq!(decoded(&answer, "334 "), verifier);
            assert!(client.say("").await.starts_with("235 2.7.0 "));
            assert!(
                client
                    .say("MAIL FROM:<bob@office.test>")
                    .await
                    .starts_with("250 ")
            );
        } else {
            assert!(answer.starts_with("535 5.7.8 "), "{answer}");
            assert!(
                client
                    .say("MAIL FROM:<bob@office.test>")
                    .await
                    .starts_with("530 ")
            );
        }
    }
}

#[tokio::test]
async fn scram_signs_in_over_pop3_and_strangers_look_like_users() {
    let office = office_with_scram().await;
    let pop3 = office.start(ServiceName::Pop3);
    let mut client = Client::from(1, address(&pop3)).await;
    client.line().await;
    let first = STANDARD.encode("n,,n=bob,r=abc");
    let challenge = client.ask(&format!("AUTH SCRAM-SHA-256 {first}")).await;
    let (last, verifier) = client_final(&decoded(&challenge, "+ "), BOBS_PASSWORD);
    let answer = client.ask(&STANDARD.encode(last)).await;
    assert_eq!(decoded(&answer, "+ "), verifier);
    assert!(client.ask("").await.starts_with("+OK 0 messages"));

    let mut stranger = Client::from(1, address(&pop3)).await;
    stranger.line().await;
    let first = STANDARD.encode("n,,n=eve,r=abc");
    let mut salts = Vec::new();
    for _ in 0..2 {
        let challenge = stranger.ask(&format!("AUTH SCRAM-SHA-256 {first}")).await;
        let challenge = decoded(&challenge, "+ ");
        let salt = challenge.split(',').nth(1).unwrap().to_owned();
        assert!(challenge.ends_with(",i=600000"), "{challenge}");
        salts.push(salt);
        let last = STANDARD.encode(format!("c=biws,r=x,p={}", STANDARD.encode([0; 32])));
        assert_eq!(
            stranger.ask(&last).await,
            "-ERR [AUTH] wrong name or password"
        );
    }
    assert_eq!(salts.first(), salts.last());
}
