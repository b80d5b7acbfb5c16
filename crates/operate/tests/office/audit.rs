//! Who did what.

use std::sync::atomic::Ordering;

use contracts::Store;
use operate::{Answer, Request};
use policy::facts::ServiceName;
use policy::settings::DomainKind;

use crate::rig::{Rig, domain, user};

#[tokio::test]
async fn every_change_is_in_the_audit_newest_first() {
    let rig = Rig::set_up().await;
    rig.add_user("alice").await.unwrap();
    let name = || user("alice");
    for request in [
        Request::UserEnable {
            name: name(),
            enabled: false,
        },
        Request::UserPassword {
            name: name(),
            password: "another one".to_owned(),
            scram: false,
        },
        Request::AppPasswordAdd {
            name: name(),
            label: "phone".to_owned(),
        },
        Request::DomainAdd {
            name: domain("other.example"),
            kind: DomainKind::Hosted,
        },
        Request::ServiceStop {
            service: ServiceName::Pop3,
        },
        Request::UserRemove { name: name() },
    ] {
        rig.ask(request).await.unwrap();
    }
    let Answer::Audit { entries } = rig.ask(Request::Audit { limit: 100 }).await.unwrap() else {
        panic!("no audit")
    };
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "user alice removed",
            "service pop3 stopped",
            "settings revision 2: domain other.example added",
            "user alice: app password added",
            "user alice: password changed",
            "user alice: disabled",
            "user alice added",
            "user bob added",
            "settings revision 1: set up as own server for office.example",
        ]
    );
    assert!(entries.iter().all(|entry| entry.operator == "root"));
    assert!(!format!("{entries:?}").contains("another one"));
    let Answer::Audit { entries } = rig.ask(Request::Audit { limit: 2 }).await.unwrap() else {
        panic!("no audit")
    };
    assert_eq!(entries.len(), 2);
}

#[tokio::test]
async fn a_service_that_was_stopped_stays_so_even_if_it_would_not_hear() {
    let rig = Rig::set_up().await;
    rig.outside.services_fail.store(true, Ordering::Relaxed);
    let service = ServiceName::Smtp;
    assert!(rig.ask(Request::ServiceStop { service }).await.is_err());
    assert_eq!(rig.store.stopped_services().await.unwrap(), [service]);
    rig.outside.services_fail.store(false, Ordering::Relaxed);
    rig.ask(Request::ServiceStart { service }).await.unwrap();
    assert!(rig.store.stopped_services().await.unwrap().is_empty());
    let told = rig.outside.told.lock().unwrap().clone();
    assert_eq!(told, ["stop smtp", "start smtp"]);
}
