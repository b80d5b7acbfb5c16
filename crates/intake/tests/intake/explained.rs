//! `explain` says what a door would say.

use intake::{Explanation, IntakeLimits, Question, StepName};
use mail::{ForwardPath, ReversePath};
use policy::facts::{DomainStanding, FactQuery, ServiceName};
use policy::route::NextHop;
use policy::{Decision, Outcome, UserName};
use proptest::prelude::*;

use crate::rig::{LAN, Rig, STRANGER, mail_from, settings, user};

fn question(peer: &str, from: &str, to: &str) -> Question {
    let peer: std::net::SocketAddr = peer.parse().unwrap();
    Question::plain(
        peer.ip(),
        ServiceName::Smtp,
        from.parse().unwrap(),
        to.parse().unwrap(),
    )
}

#[tokio::test]
async fn an_acceptance_is_explained_step_by_step_with_the_age_of_facts() {
    let rig = Rig::new().await;
    let asked = question(STRANGER, "fred@hotmail.test", "bob@office.test");
    rig.intake.explain(&asked).await;
    rig.clock.advance(std::time::Duration::from_secs(20));
    let explanation = rig.intake.explain(&asked).await;
    let names: Vec<_> = explanation.steps.iter().map(|step| step.name).collect();
    assert_eq!(
        names,
        [
            StepName::Connection,
            StepName::Sender,
            StepName::Recipient,
            StepName::Message,
            StepName::Route
        ]
    );
    assert_eq!(explanation.outcome, Outcome::Accept);
    assert_eq!(explanation.revision, 7);
    assert_eq!(explanation.connection.local.to_string(), "203.0.113.5:25");
    let users = vec![user("bob")];
    assert_eq!(explanation.next_hop, Some(NextHop::Mailboxes { users }));
    let facts = &explanation.steps[1].facts;
    let age_of =
        |wanted: fn(&FactQuery) -> bool| facts.iter().find(|f| wanted(&f.query)).map(|f| f.age_ms);
    assert_eq!(
        age_of(|q| matches!(q, FactQuery::SenderDomain { .. })),
        Some(20_000)
    );
    assert_eq!(age_of(|q| matches!(q, FactQuery::DiskFree)), Some(0));
    assert_eq!(explanation.steps[2].reply, "250 2.1.5 Recipient OK");
}

#[tokio::test]
async fn explaining_stops_at_the_first_no_and_counts_nothing() {
    let mut strict = settings();
    strict.receiving.messages_per_source_per_minute_max = 1;
    let rig = Rig::with(strict, IntakeLimits::default()).await;
    let asked = question(STRANGER, "fred@hotmail.test", "no@office.test");
    for _ in 0..3 {
        let explanation = rig.intake.explain(&asked).await;
        assert_eq!(explanation.steps.len(), 3);
        assert_eq!(explanation.outcome, Outcome::Refuse);
        assert_eq!(explanation.next_hop, None);
    }
    assert!(rig.refusals().await.is_empty());
    let mut door = rig.door(STRANGER);
    assert!(
        door.mail(&mail_from("fred@hotmail.test"))
            .await
            .decision
            .is_accept()
    );
    let explanation = rig.intake.explain(&asked).await;
    let refused = door.mail(&mail_from("fred@hotmail.test")).await;
    assert_eq!(explanation.steps.last().unwrap().decision, refused.decision);
}

#[tokio::test]
async fn a_service_that_is_not_open_is_explained_at_the_connection() {
    let rig = Rig::new().await;
    let mut asked = question(STRANGER, "<>", "bob@office.test");
    asked.service = ServiceName::Submissions;
    let explanation = rig.intake.explain(&asked).await;
    assert_eq!(explanation.steps.len(), 1);
    assert_eq!(
        explanation.steps[0].reply,
        "421 4.3.2 Service not available"
    );
    let connection = rig.connection(STRANGER, ServiceName::Submissions);
    assert_eq!(
        explanation.steps[0].decision,
        rig.intake.admit(&connection, 0, 0)
    );
}

#[tokio::test]
async fn questions_and_explanations_survive_serialisation() {
    let rig = Rig::new().await;
    let asked = question(LAN, "bob@office.test", "fred@hotmail.test");
    let text = serde_json::to_string(&asked).unwrap();
    assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), asked);
    let explanation = rig.intake.explain(&asked).await;
    let text = serde_json::to_string(&explanation).unwrap();
    let read: Explanation = serde_json::from_str(&text).unwrap();
    assert_eq!(read, explanation);
}

/// The decisions of a door on the same envelope, in order.
async fn by_the_door(rig: &Rig, asked: &Question, peer: &str) -> Vec<Decision> {
    let mut connection = rig.connection(peer, asked.service);
    let mut decisions = vec![rig.intake.admit(&connection, 0, 0)];
    connection.user.clone_from(&asked.user);
    let mut door = rig.intake.begin(connection);
    if !decisions[0].is_accept() {
        return decisions;
    }
    let mut mail = mail::MailParameters::plain(asked.from.clone());
    mail.size_bytes = asked.size_bytes;
    decisions.push(door.mail(&mail).await.decision);
    if decisions[1].is_accept() {
        let recipient = mail::Recipient::plain(asked.to.clone());
        decisions.push(door.recipient(&recipient).await.decision);
    }
    if decisions.len() == 3 && decisions[2].is_accept() {
        door.body();
        let from = asked.header_from.as_ref().or(asked.from.address());
        let content =
            from.map_or_else(|| "\r\n".to_owned(), |from| format!("From: {from}\r\n\r\n"));
        door.write(content.as_bytes()).await;
        decisions.push(door.finish().await.decision);
    }
    decisions
}

fn addresses() -> impl Strategy<Value = String> {
    let local = prop::sample::select(vec![
        "bob",
        "alice",
        "all",
        "ghost",
        "who",
        "postmaster",
        "bob+shop",
        "fred",
    ]);
    let host = prop::sample::select(vec![
        "office.test",
        "passed.test",
        "astray.test",
        "hotmail.test",
        "nowhere.test",
        "null.test",
        "broken.test",
        "[192.0.2.1]",
        "[127.0.0.1]",
        "1.2.3.4",
    ]);
    (local, host).prop_map(|(local, host)| format!("{local}@{host}"))
}

fn questions() -> impl Strategy<Value = (Question, &'static str)> {
    let peer = prop::sample::select(vec![
        LAN,
        STRANGER,
        "203.0.113.1:9",
        "203.0.113.9:9",
        "192.168.1.9:9",
    ]);
    let service = prop::sample::select(vec![
        ServiceName::Smtp,
        ServiceName::Submission,
        ServiceName::Submissions,
    ]);
    let who = prop::option::of(prop::sample::select(vec!["bob", "alice"]));
    let from = prop_oneof![Just("<>".to_owned()), addresses()];
    let to = prop_oneof![Just("postmaster".to_owned()), addresses()];
    let author = prop::option::of(addresses());
    let size = prop::option::of(prop::sample::select(vec![10_u64, 60_000_000]));
    (peer, service, who, from, to, author, size).prop_map(
        |(peer, service, who, from, to, author, size)| {
            let address: std::net::SocketAddr = peer.parse().unwrap();
            let from: ReversePath = from.parse().unwrap();
            let to: ForwardPath = to.parse().unwrap();
            let mut asked = Question::plain(address.ip(), service, from, to);
            asked.user = who.map(|name| name.parse::<UserName>().unwrap());
            asked.header_from = author.map(|text| text.parse().unwrap());
            asked.size_bytes = size;
            (asked, peer)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn explain_comes_to_the_decisions_of_a_door(
        (asked, peer) in questions(), held in any::<bool>(), spoofing in any::<bool>(),
        numeric in any::<bool>(), null in any::<bool>(), resolve in any::<bool>(),
    ) {
        let mut random = settings();
        random.security.senders_held_to_own = held;
        random.receiving.own_domain_spoofing_refused = spoofing;
        random.receiving.numeric_domains_refused = numeric;
        random.receiving.null_reverse_path_refused = null;
        random.receiving.sender_domain_must_resolve = resolve;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (explained, decided) = runtime.block_on(async {
            let rig = Rig::with(random, IntakeLimits::default()).await;
            // Names that the stand-in does not list would be waited for, by a clock that stands.
            for (name, standing) in [
                ("office.test", DomainStanding::Exists),
                ("passed.test", DomainStanding::Exists),
                ("astray.test", DomainStanding::Unknown),
                ("1.2.3.4", DomainStanding::Unknown),
            ] {
                let mut standings = rig.resolver.standings.lock().unwrap();
                standings.insert(name.to_owned(), standing);
            }
            let explanation = rig.intake.explain(&asked).await;
            let decided = by_the_door(&rig, &asked, peer).await;
            (explanation, decided)
        });
        let mut decisions: Vec<_> = explained.steps.iter().map(|s| s.decision.clone()).collect();
        if decisions.len() == 5 {
            prop_assert!(decisions.pop().unwrap().is_accept());
        }
        prop_assert_eq!(decisions, decided);
    }
}
