//! What is heard on the wire, and what the story then says, is what `explain` says.
//!
//! Random envelopes under random settings go over real loopback sockets; the same question is put
//! to `Intake::explain` just before. Codes, enhanced codes, sentences and reasons must be equal.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../office/client.rs"]
#[expect(dead_code, reason = "the POP3 half of it is not needed here")]
mod client;
mod office;
mod random;
mod wire;

use std::collections::BTreeSet;

use contracts::Current;
use contracts::{Event, Store as _};
use intake::{Explanation, Question, StepName};
use policy::Decision;
use policy::facts::ServiceName;
use policy::settings::{RawSettings, check};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use office::Office;
use random::{Case, Surroundings};

/// Cases of one run; about five seconds.
const CASES: u32 = 1000;

#[test]
fn the_wire_and_the_story_say_what_explain_says() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let office = runtime.block_on(Office::open());
    let mut tally = Tally::default();
    let counted = std::cell::RefCell::new(&mut tally);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    let strategy = (random::surroundings(), random::case());
    let held = TestRunner::new(config).run(&strategy, |(surroundings, case)| {
        let reached = runtime.block_on(holds(&office, surroundings, &case))?;
        counted.borrow_mut().count(reached);
        Ok(())
    });
    held.unwrap_or_else(|failed| panic!("{failed}"));
    println!("{tally:?}");
    // Were every case refused at the door, the equality would say little.
    assert!(tally.messages >= 20 && tally.refused >= 50, "{tally:?}");
}

/// How far the cases came, so that the run shows that it looked at something.
#[derive(Debug, Default)]
struct Tally {
    refused_settings: u32,
    turned_away: u32,
    refused: u32,
    messages: u32,
}

/// How far a case came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    BadSettings,
    Door,
    Envelope,
    Message,
}

impl Tally {
    fn count(&mut self, reached: Reached) {
        *match reached {
            Reached::BadSettings => &mut self.refused_settings,
            Reached::Door => &mut self.turned_away,
            Reached::Envelope => &mut self.refused,
            Reached::Message => &mut self.messages,
        } += 1;
    }
}

async fn holds(
    office: &Office,
    surroundings: Surroundings,
    case: &Case,
) -> Result<Reached, TestCaseError> {
    let known = BTreeSet::from(["bob", "alice"].map(|name| name.parse().unwrap()));
    let raw = RawSettings::from(&surroundings.settings);
    let Ok(checked) = check(&raw, &known) else {
        return Ok(Reached::BadSettings);
    };
    office.next_minute_part();
    office.put_in_force(checked.settings);
    office.store.set_free_bytes(surroundings.free_bytes);
    let others = office
        .open_connections(case.peer, surroundings.already_open)
        .await;
    let mut explained = Vec::new();
    for to in &case.to {
        let asked = question(office, case, to);
        explained.push(office.shared.intake.explain(&asked).await);
    }
    let heard = wire::talk(office, case).await;
    drop(others);
    office.all_gone().await;
    compare(office, &explained, &heard).await
}

fn question(office: &Office, case: &Case, to: &str) -> Question {
    let (open_total, open_from_source) = office.open_now(case.peer);
    let plain = Question::plain(
        [127, 0, 0, case.peer].into(),
        case.service,
        case.from.parse().unwrap(),
        to.parse().unwrap(),
    );
    Question {
        local: Some(office.address(case.service)),
        user: case.user.map(|name| name.parse().unwrap()),
        size_bytes: case.size_bytes,
        header_from: case.header_from.as_ref().map(|text| text.parse().unwrap()),
        open_total,
        open_from_source,
        ..plain
    }
}

async fn compare(
    office: &Office,
    explained: &[Explanation],
    heard: &wire::Heard,
) -> Result<Reached, TestCaseError> {
    let first = &explained[0];
    let admitted = step(first, StepName::Connection).unwrap();
    if !admitted.decision.is_accept() {
        let line = heard.greeting.as_deref();
        // A peer that is one too many for a TLS service is cut off without a word.
        let said = line.is_none_or(|line| line.starts_with(&code(&admitted.reply)));
        prop_assert!(said, "{line:?}, explained {admitted:?}");
        let no_word = heard.service == ServiceName::Submissions;
        prop_assert!(line.is_some() || no_word, "explained {admitted:?}");
        return Ok(Reached::Door);
    }
    let greeting = heard.greeting.as_deref().unwrap_or_default();
    prop_assert!(greeting.starts_with("220 "), "{greeting}");
    let mut decisions = vec![said(first, StepName::Sender, heard.mail.as_ref())?];
    for (explanation, reply) in explained.iter().zip(&heard.recipients) {
        decisions.push(said(explanation, StepName::Recipient, Some(reply))?);
    }
    let taken = explained
        .iter()
        .find(|one| step(one, StepName::Message).is_some());
    prop_assert_eq!(taken.is_some(), heard.message.is_some());
    if let Some(taken) = taken {
        decisions.push(said(taken, StepName::Message, heard.message.as_ref())?);
    }
    let told = told(office, heard).await;
    prop_assert_eq!(&told, &decisions, "story, explained");
    Ok(if taken.is_some() {
        Reached::Message
    } else {
        Reached::Envelope
    })
}

fn step(explanation: &Explanation, name: StepName) -> Option<&intake::Step> {
    explanation.steps.iter().find(|step| step.name == name)
}

/// `421 4.3.2` of a reply, without the sentence: our name stands before it.
fn code(reply: &str) -> String {
    reply.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The decision of a step, once what was heard is what the step says.
fn said(
    explanation: &Explanation,
    name: StepName,
    heard: Option<&String>,
) -> Result<Decision, TestCaseError> {
    let explained = step(explanation, name);
    let (Some(explained), Some(heard)) = (explained, heard) else {
        return Err(TestCaseError::fail(format!(
            "{name:?}: explained {explained:?}, heard {heard:?}"
        )));
    };
    prop_assert!(
        heard.starts_with(&explained.reply),
        "{heard}, explained {explained:?}"
    );
    Ok(explained.decision.clone())
}

/// The decisions that the story tells, in order.
async fn told(office: &Office, heard: &wire::Heard) -> Vec<Decision> {
    office.shared.intake.flush().await;
    let id = wire::id_in(heard.mail.as_deref().unwrap()).expect("an id at MAIL");
    let last = heard.message.as_deref().and_then(wire::id_in);
    assert!(last.is_none_or(|last| last == id), "one id from MAIL on");
    let story = office.store.story(id).await.expect("a story");
    let decisions = story
        .entries
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::SenderDecided { decision, .. }
            | Event::RecipientDecided { decision, .. }
            | Event::MessageDecided { decision, .. } => Some(decision),
            Event::Aborted { .. }
            | Event::Queued { .. }
            | Event::Attempted { .. }
            | Event::DelayNoticed { .. }
            | Event::Ended { .. }
            | Event::Operated { .. } => None,
        });
    decisions.collect()
}

impl Office {
    fn put_in_force(&self, settings: policy::settings::Settings) {
        let before = self.shared.live.current();
        self.shared.live.replace(Current {
            revision: before.revision + 1,
            settings: settings.into(),
            directory: before.directory.clone(),
        });
    }
}
