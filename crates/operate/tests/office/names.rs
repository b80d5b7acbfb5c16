//! Domains and addresses.

use operate::{Answer, OperateError, Request};
use policy::settings::DomainKind;
use policy::{RecordKind, RecordState};

use crate::rig::{Rig, domain, user};

fn take(address: &str, users: &[&str]) -> Request {
    Request::AddressRemove {
        address: address.parse().unwrap(),
        users: users.iter().map(|name| user(name)).collect(),
    }
}

fn alias(name: &str, alias: &str, remove: bool) -> Request {
    Request::DomainAlias {
        name: domain(name),
        alias: domain(alias),
        remove,
    }
}

#[tokio::test]
async fn domains_come_and_go_once() {
    let rig = Rig::set_up().await;
    let add = |name: &str| Request::DomainAdd {
        name: domain(name),
        kind: DomainKind::Hosted,
    };
    let exists = rig.ask(add("office.example")).await;
    assert!(matches!(exists, Err(OperateError::Exists { .. })));
    let suffix = rig.ask(add("co.uk")).await;
    assert!(matches!(suffix, Err(OperateError::Problems { .. })));
    rig.ask(add("other.example")).await.unwrap();
    let remove = |name: &str| Request::DomainRemove { name: domain(name) };
    rig.ask(remove("other.example")).await.unwrap();
    let gone = rig.ask(remove("other.example")).await;
    assert!(matches!(gone, Err(OperateError::NotFound { .. })));
    // Its addresses would be left over.
    let used = rig.ask(remove("office.example")).await;
    assert!(matches!(used, Err(OperateError::Problems { .. })));
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn an_alias_is_another_name_for_all_addresses() {
    let rig = Rig::set_up().await;
    rig.ask(alias("office.example", "office.test", false))
        .await
        .unwrap();
    assert!(rig.reaches("bob@office.test"));
    // Named by the alias or not, it is one address.
    let again = rig.give("BOB@office.test", &["bob"]).await;
    assert!(matches!(again, Err(OperateError::Exists { .. })));
    rig.add_user("alice").await.unwrap();
    rig.give("alice@office.test", &["alice"]).await.unwrap();
    assert!(rig.reaches("alice@office.example"));
    rig.ask(take("Alice@office.test", &[])).await.unwrap();
    assert!(!rig.reaches("alice@office.example"));
    for (name, users) in [
        ("office.test", vec![user("alice")]),
        ("office.test", vec![]),
    ] {
        let caught = !users.is_empty();
        let domain = domain(name);
        rig.ask(Request::AddressCatchAll { domain, users })
            .await
            .unwrap();
        assert_eq!(rig.reaches("anybody@office.example"), caught);
    }
    rig.ask(alias("office.example", "office.test", true))
        .await
        .unwrap();
    assert!(!rig.reaches("bob@office.test") && rig.reaches("bob@office.example"));
    let gone = rig.ask(alias("office.example", "office.test", true)).await;
    assert!(matches!(gone, Err(OperateError::NotFound { .. })));
}

#[tokio::test]
async fn an_address_is_given_and_taken_user_by_user() {
    let rig = Rig::set_up().await;
    rig.add_user("alice").await.unwrap();
    let sales = "sales@office.example";
    rig.give(sales, &["bob"]).await.unwrap();
    rig.give(sales, &["bob", "alice"]).await.unwrap();
    let not_hers = rig.ask(take("bob@office.example", &["alice"])).await;
    assert!(matches!(not_hers, Err(OperateError::NotFound { .. })));
    rig.ask(take(sales, &["bob"])).await.unwrap();
    let Answer::Addresses { addresses } = rig.ask(Request::AddressList).await.unwrap() else {
        panic!("no addresses")
    };
    let entry = addresses
        .list
        .iter()
        .find(|e| e.address.to_string() == sales);
    assert_eq!(entry.unwrap().users, [user("alice")]);
    rig.ask(take(sales, &["alice"])).await.unwrap();
    assert!(!rig.reaches(sales));
    for nobody in [
        rig.give(sales, &[]).await,
        rig.give("x@else.example", &["bob"]).await,
    ] {
        assert!(matches!(nobody, Err(OperateError::Problems { .. })));
    }
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn the_records_of_a_domain_are_compared_with_what_dns_says() {
    let rig = Rig::set_up().await;
    let public = vec!["203.0.113.2".parse().unwrap()];
    let answer = rig.ask(Request::DomainRecords { public }).await.unwrap();
    let Answer::Records { records } = answer else {
        panic!("{answer:?}")
    };
    let state = |name: &str, kind: RecordKind| {
        let mut of = records.iter();
        let found = of.find(|record| record.wanted.name == name && record.wanted.kind == kind);
        found.map(|record| record.state.clone())
    };
    let (domain, host) = ("office.example", "mail.office.example");
    assert_eq!(state(domain, RecordKind::Mx), Some(RecordState::Right));
    let found = vec!["v=spf1 -all".to_owned()];
    let other = RecordState::Different { found };
    assert_eq!(state(domain, RecordKind::Txt), Some(other));
    assert_eq!(state(host, RecordKind::A), Some(RecordState::Missing));
}
