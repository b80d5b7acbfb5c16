//! Promises about the office: settings, users, services, audit.

use policy::facts::ServiceName;

use super::Subject;
use super::samples::{TEXT, at, audited, deliver, uids, user};
use crate::store::SettingsChange;
use crate::{AppPassword, PasswordRecord, ScramKeys, Store, StoreError, UserRecord};

fn change(toml: &str) -> SettingsChange {
    SettingsChange {
        toml: toml.to_owned(),
        operator: "admin".to_owned(),
        why: format!("because of {toml}"),
        at: at(7),
    }
}

fn record(name: &str) -> UserRecord {
    UserRecord {
        name: user(name),
        full_name: format!("{name} of the Office, Zoë"),
        enabled: true,
        password: Some(PasswordRecord("$argon2id$sample".to_owned())),
        scram: Some(ScramKeys {
            salt: "c2FsdA==".to_owned(),
            rounds: 4096,
            stored_key: "a2V5".to_owned(),
            server_key: "a2V5Mg==".to_owned(),
        }),
        app_passwords: vec![AppPassword {
            number: 3,
            label: "phone".to_owned(),
            sha256: "ab".repeat(32),
            created_at: at(1),
        }],
        created_at: at(0),
        version: 1,
    }
}

async fn put(store: &dyn Store, record: &UserRecord, action: &str) {
    store.put_user(record, audited(action)).await.unwrap();
}

async fn remove(store: &dyn Store, name: &str) -> Result<(), StoreError> {
    let audit = audited("user remove");
    store.remove_user(&user(name), audit).await
}

/// Revisions count from 1 and all stay.
pub async fn settings_begin_with_none_and_count_up(subject: &mut dyn Subject) {
    let store = subject.store();
    assert_eq!(store.settings().await.unwrap(), None);
    assert_eq!(store.save_settings(0, change("a = 1")).await, Ok(1));
    assert_eq!(store.save_settings(1, change("a = 2")).await, Ok(2));
    drop(store);
    subject.restart().await;
    let store = subject.store();
    let current = store.settings().await.unwrap().unwrap();
    assert_eq!((current.head.number, current.toml.as_str()), (2, "a = 2"));
    assert_eq!(current.head.operator, "admin");
    assert_eq!(current.head.why, "because of a = 2");
    assert_eq!(current.head.at, at(7));
    let heads = store.revisions().await.unwrap();
    let numbers: Vec<u64> = heads.iter().map(|head| head.number).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(store.revision(1).await.unwrap().toml, "a = 1");
    let missing = store.revision(3).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
}

/// Whoever saves second hears of it.
pub async fn saving_on_top_of_an_older_revision_is_a_conflict(subject: &mut dyn Subject) {
    let store = subject.store();
    store.save_settings(0, change("a = 1")).await.unwrap();
    let conflict = |expected| Err(StoreError::Conflict { expected, found: 1 });
    assert_eq!(store.save_settings(0, change("b")).await, conflict(0));
    assert_eq!(store.save_settings(5, change("b")).await, conflict(5));
    let (one, two) = tokio::join!(
        store.save_settings(1, change("c")),
        store.save_settings(1, change("d"))
    );
    assert_ne!(one.is_ok(), two.is_ok());
    assert_eq!(store.revisions().await.unwrap().len(), 2);
}

/// The record comes back as it was given.
pub async fn users_are_made_replaced_and_removed(subject: &mut dyn Subject) {
    let store = subject.store();
    for name in ["carol", "alice"] {
        put(&*store, &record(name), "user add").await;
    }
    let changed = UserRecord {
        enabled: false,
        version: 2,
        password: None,
        ..record("alice")
    };
    put(&*store, &changed, "user change").await;
    drop(store);
    subject.restart().await;
    let store = subject.store();
    let users = store.users().await.unwrap();
    assert_eq!(users, [changed.clone(), record("carol")]);
    assert_eq!(store.user(&user("alice")).await.unwrap(), Some(changed));
    assert_eq!(store.user(&user("nobody")).await.unwrap(), None);
    remove(&*store, "alice").await.unwrap();
    assert_eq!(store.user(&user("alice")).await.unwrap(), None);
    let twice = remove(&*store, "alice").await;
    assert!(matches!(twice, Err(StoreError::NotFound { .. })));
    let actions: Vec<String> = store
        .audit(10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(
        actions,
        ["user remove", "user change", "user add", "user add"]
    );
}

/// A new user of the name finds the mail.
pub async fn the_mailbox_of_a_removed_user_stays(subject: &mut dyn Subject) {
    let store = subject.store();
    put(&*store, &record("alice"), "user add").await;
    deliver(&*store, 1, TEXT, &["alice"]).await;
    remove(&*store, "alice").await.unwrap();
    assert_eq!(uids(&*store, "alice").await.len(), 1);
}

/// S4.3: stopped stays stopped.
pub async fn stopped_services_are_remembered(subject: &mut dyn Subject) {
    let store = subject.store();
    assert!(store.stopped_services().await.unwrap().is_empty());
    for (service, stopped) in [
        (ServiceName::Pop3, true),
        (ServiceName::Delivery, true),
        (ServiceName::Pop3, false),
        (ServiceName::Delivery, true),
    ] {
        let set = store.set_service_stopped(service, stopped, audited("service"));
        set.await.unwrap();
    }
    drop(store);
    subject.restart().await;
    let store = subject.store();
    let stopped = store.stopped_services().await.unwrap();
    assert_eq!(stopped, [ServiceName::Delivery]);
    assert_eq!(store.audit(100).await.unwrap().len(), 4);
}

/// The latest come first, as many as asked for.
pub async fn the_audit_is_newest_first_and_survives(subject: &mut dyn Subject) {
    let store = subject.store();
    for action in ["one", "two", "three"] {
        put(&*store, &record("alice"), action).await;
    }
    drop(store);
    subject.restart().await;
    let audit = subject.store().audit(2).await.unwrap();
    assert_eq!(audit, [audited("three"), audited("two")]);
}
