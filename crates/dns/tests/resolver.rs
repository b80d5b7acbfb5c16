//! The resolver against a small authoritative server on loopback, odd cases included.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use contracts::{MxAnswer, RecordSource, ResolveError, Resolver};
use dns::HickoryResolver;
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use mail::Domain;
use policy::RecordKind;
use policy::facts::DomainStanding;
use tokio::net::UdpSocket;

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), 60, data)
}

fn mx(preference: u16, host: &str) -> RData {
    RData::MX(MX::new(preference, Name::from_str(host).unwrap()))
}

/// The zone: what is answered to one question.
fn answer(name: &Name, kind: RecordType) -> (ResponseCode, Vec<Record>) {
    let yes = |data: Vec<RData>| {
        (
            ResponseCode::NoError,
            data.into_iter().map(|data| record(name, data)).collect(),
        )
    };
    match (name.to_ascii().as_str(), kind) {
        ("hotmail.test.", RecordType::MX) => {
            yes(vec![mx(20, "b.hotmail.test."), mx(10, "a.hotmail.test.")])
        }
        ("a.hotmail.test.", RecordType::A) => {
            yes(vec![RData::A(A::from_str("127.0.0.2").unwrap())])
        }
        ("a.hotmail.test.", RecordType::AAAA) => {
            yes(vec![RData::AAAA(AAAA::from_str("2001:db8::2").unwrap())])
        }
        ("hotmail.test.", RecordType::TXT) => {
            let pieces = vec!["v=spf1 mx".to_owned(), " -all".to_owned()];
            yes(vec![RData::TXT(TXT::new(pieces))])
        }
        ("null.test.", RecordType::MX) => yes(vec![mx(0, ".")]),
        ("alias.test.", RecordType::MX) => {
            let target = Name::from_str("hotmail.test.").unwrap();
            let mut records = vec![record(name, RData::CNAME(CNAME(target.clone())))];
            records.push(record(&target, mx(10, "a.hotmail.test.")));
            (ResponseCode::NoError, records)
        }
        ("plain.test.", RecordType::A) => yes(vec![RData::A(A::from_str("127.0.0.3").unwrap())]),
        ("broken.test.", _) => (ResponseCode::ServFail, Vec::new()),
        ("gone.test.", _) => (ResponseCode::NXDomain, Vec::new()),
        _ => (ResponseCode::NoError, Vec::new()),
    }
}

async fn server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let Ok(query) = Message::from_vec(buffer.get(..length).unwrap_or_default()) else {
                continue;
            };
            let question = query.queries[0].clone();
            let (code, records) = answer(question.name(), question.query_type());
            let mut reply = query;
            reply.metadata.message_type = MessageType::Response;
            reply.metadata.response_code = code;
            reply.add_answers(records);
            socket
                .send_to(&reply.to_vec().unwrap(), peer)
                .await
                .unwrap();
        }
    });
    address
}

async fn resolver() -> HickoryResolver {
    HickoryResolver::new(&[server().await]).unwrap()
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

#[tokio::test]
async fn exchangers_come_by_rising_preference() {
    let answer = resolver().await.mx(&domain("hotmail.test")).await.unwrap();
    let MxAnswer::Hosts(hosts) = answer else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = hosts.iter().map(|host| host.host.as_str()).collect();
    assert_eq!(names, ["a.hotmail.test", "b.hotmail.test"]);
}

#[tokio::test]
async fn a_cname_is_followed_to_its_exchangers() {
    let answer = resolver().await.mx(&domain("alias.test")).await.unwrap();
    assert!(matches!(answer, MxAnswer::Hosts(hosts) if hosts.len() == 1));
}

#[tokio::test]
async fn null_mx_no_mx_and_no_such_domain_are_told_apart() {
    let resolver = resolver().await;
    assert_eq!(resolver.mx(&domain("null.test")).await, Ok(MxAnswer::Null));
    assert_eq!(resolver.mx(&domain("plain.test")).await, Ok(MxAnswer::NoMx));
    let gone = resolver.mx(&domain("gone.test")).await;
    assert!(
        matches!(gone, Err(ResolveError::NoSuchDomain { .. })),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_name_too_long_for_dns_does_not_exist() {
    let label = "a".repeat(62);
    let long = format!("{0}.{label}.{label}.{label}.test", "a".repeat(61));
    let answer = resolver().await.mx(&domain(&long)).await;
    assert!(
        matches!(answer, Err(ResolveError::NoSuchDomain { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn servfail_is_not_learnt_rather_than_absent() {
    let broken = resolver().await.mx(&domain("broken.test")).await;
    assert!(
        broken.as_ref().is_err_and(ResolveError::is_transient),
        "{broken:?}"
    );
}

#[tokio::test]
async fn both_families_are_found_ipv6_first() {
    let addresses = resolver()
        .await
        .addresses(&domain("a.hotmail.test"))
        .await
        .unwrap();
    let expected: [IpAddr; 2] = ["2001:db8::2".parse().unwrap(), "127.0.0.2".parse().unwrap()];
    assert_eq!(addresses, expected);
}

#[tokio::test]
async fn records_read_as_a_zone_file_writes_them() {
    let resolver = resolver().await;
    let mx = resolver
        .values(&domain("hotmail.test"), RecordKind::Mx)
        .await
        .unwrap();
    assert!(mx.contains(&"10 a.hotmail.test.".to_owned()), "{mx:?}");
    let text = resolver
        .values(&domain("hotmail.test"), RecordKind::Txt)
        .await
        .unwrap();
    assert_eq!(text, ["v=spf1 mx -all"]);
    let none = resolver.values(&domain("gone.test"), RecordKind::A).await;
    assert_eq!(none, Ok(Vec::new()));
}

#[tokio::test]
async fn a_senders_domain_stands_by_mx_or_address() {
    let resolver = resolver().await;
    for (name, standing) in [
        ("hotmail.test", DomainStanding::Exists),
        ("plain.test", DomainStanding::Exists),
        ("null.test", DomainStanding::NullMx),
        ("gone.test", DomainStanding::Unknown),
        ("empty.test", DomainStanding::Unknown),
    ] {
        assert_eq!(
            resolver.domain_standing(&domain(name)).await,
            Ok(standing),
            "{name}"
        );
    }
    assert!(
        resolver
            .domain_standing(&domain("broken.test"))
            .await
            .is_err()
    );
}
