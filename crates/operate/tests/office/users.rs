//! Users and the first set-up.

use contracts::Store;
use contracts::store::{Acceptance, LocalDelivery, Rendition, SpooledBody, SpooledContent};
use contracts::{Story, StoryHead};
use mail::{Envelope, MailParameters, ReversePath, Timestamp, TransactionId};
use operate::{Answer, OperateError, Request};

use crate::rig::{Rig, set_up, user, warnings};

fn remove(name: &str) -> Request {
    Request::UserRemove { name: user(name) }
}

fn enable(name: &str, enabled: bool) -> Request {
    let name = user(name);
    Request::UserEnable { name, enabled }
}

/// One message in the mailbox of `name`.
async fn deliver(rig: &Rig, name: &str) {
    let id = TransactionId::from_number(1);
    let at = Timestamp::from_millis(0);
    let mail = MailParameters::plain(ReversePath::Null);
    let acceptance = Acceptance {
        id,
        at,
        body: SpooledBody {
            size_bytes: 2,
            content: SpooledContent::Memory(b"\r\n".to_vec()),
        },
        rendition: Rendition::default(),
        ends_with_crlf: true,
        envelope: Envelope {
            mail,
            recipients: Vec::new(),
        },
        deliveries: vec![LocalDelivery {
            user: user(name),
            prefix: Vec::new(),
        }],
        queue: Vec::new(),
        story: Story {
            head: StoryHead {
                id,
                at,
                connection: None,
                sender: String::new(),
                recipients: Vec::new(),
                subject: None,
                size_bytes: 2,
                accepted: true,
            },
            entries: Vec::new(),
        },
    };
    rig.store.accept_message(acceptance).await.unwrap();
}

#[tokio::test]
async fn one_request_sets_an_office_up_and_again_adds_nothing() {
    let rig = Rig::set_up().await;
    assert!(rig.reaches("bob@office.example") && rig.reaches("Postmaster"));
    assert_eq!(rig.revision().await, 1);
    let with_password = rig.ask(set_up("office.example", Some("another one"))).await;
    assert!(matches!(with_password, Err(OperateError::Refused { .. })));
    rig.ask(set_up("office.example", None)).await.unwrap();
    assert_eq!(rig.revision().await, 1);
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn a_set_up_that_cannot_be_saved_leaves_no_user_behind() {
    let rig = Rig::empty().await;
    let refused = rig.ask(set_up("co.uk", Some("open sesame"))).await;
    assert!(matches!(refused, Err(OperateError::Problems { .. })));
    assert!(rig.store.users().await.unwrap().is_empty());
    rig.ask(set_up("office.example", Some("open sesame")))
        .await
        .unwrap();
}

#[tokio::test]
async fn passwords_are_long_enough_and_names_are_one_line() {
    let rig = Rig::set_up().await;
    for password in ["short", "", "with\nline end", &"x".repeat(1025)] {
        let name = user("alice");
        let full_name = String::new();
        let password = password.to_owned();
        let refused = rig
            .ask(Request::UserAdd {
                name,
                full_name,
                password,
            })
            .await;
        assert!(matches!(refused, Err(OperateError::Refused { .. })));
    }
    let label = "phone\u{1b}[31m".to_owned();
    let name = user("bob");
    let refused = rig.ask(Request::AppPasswordAdd { name, label }).await;
    assert!(matches!(refused, Err(OperateError::Refused { .. })));
}

#[tokio::test]
async fn the_last_who_gets_the_mail_of_postmaster_stays() {
    let rig = Rig::set_up().await;
    let refused = rig.ask(remove("bob")).await;
    assert!(matches!(refused, Err(OperateError::Refused { .. })));
    rig.add_user("alice").await.unwrap();
    // Alice has no address, so nobody would be left.
    assert!(rig.ask(remove("bob")).await.is_err());
    let disabled = rig.ask(enable("bob", false)).await.unwrap();
    assert_eq!(warnings(&disabled), 1);
    assert!(!rig.reaches("Postmaster"));
    rig.ask(enable("bob", true)).await.unwrap();
    rig.give("alice@office.example", &["alice"]).await.unwrap();
    assert_eq!(warnings(&rig.ask(enable("bob", false)).await.unwrap()), 0);
    rig.ask(remove("bob")).await.unwrap();
    assert!(rig.reaches("Postmaster") && rig.reaches("postmaster@office.example"));
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn a_name_that_comes_back_is_somebody_new() {
    let rig = Rig::set_up().await;
    assert_eq!(warnings(&rig.add_user("alice").await.unwrap()), 0);
    let before = rig.store.user(&user("alice")).await.unwrap().unwrap();
    deliver(&rig, "alice").await;
    rig.ask(remove("alice")).await.unwrap();
    assert!(
        rig.outside
            .told
            .lock()
            .unwrap()
            .contains(&"forget alice".to_owned())
    );
    // The mailbox is still there, and whoever adds the name is told.
    assert_eq!(warnings(&rig.add_user("alice").await.unwrap()), 1);
    let after = rig.store.user(&user("alice")).await.unwrap().unwrap();
    assert!(after.version > before.version);
}

#[tokio::test]
async fn every_change_of_a_user_is_a_new_version_and_is_forgotten_by_sign_in() {
    let rig = Rig::set_up().await;
    let version = || async { rig.store.user(&user("bob")).await.unwrap().unwrap().version };
    let name = || user("bob");
    let mut before = version().await;
    let app = Request::AppPasswordAdd {
        name: name(),
        label: "phone".to_owned(),
    };
    let password = Request::UserPassword {
        name: name(),
        password: "another one".to_owned(),
        scram: true,
    };
    let revoke = Request::AppPasswordRemove {
        name: name(),
        number: 1,
    };
    for request in [app, password, enable("bob", false), revoke] {
        rig.outside.told.lock().unwrap().clear();
        let answer = rig.ask(request).await.unwrap();
        if let Answer::AppPassword { number, password } = answer {
            assert_eq!((number, password.as_str()), (1, "plain text"));
        }
        assert!(version().await > before);
        before = version().await;
        assert_eq!(*rig.outside.told.lock().unwrap(), ["forget bob"]);
    }
    let Answer::Users { users } = rig.ask(Request::UserList).await.unwrap() else {
        panic!("no users")
    };
    assert!(users[0].scram && !users[0].enabled && users[0].app_passwords.is_empty());
    let gone = rig
        .ask(Request::AppPasswordRemove {
            name: name(),
            number: 1,
        })
        .await;
    assert!(matches!(gone, Err(OperateError::NotFound { .. })));
}
