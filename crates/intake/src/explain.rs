//! `explain`: what would happen to a message, decided by the loop that mail runs.
//!
//! Promises: the same decisions from the same facts as a door would come to; each step shows the
//! facts it asked for, with their age. Nothing is kept, and nothing counts as a message.

use std::net::{IpAddr, SocketAddr};

use mail::{Address, ForwardPath, MailParameters, Recipient, ReversePath, Timestamp};
use policy::facts::{
    ConnectionFacts, FactQuery, FactValue, LearntFacts, MessageFacts, ServiceName, TransactionFacts,
};
use policy::route::{NextHop, route};
use policy::{Decision, Outcome, UserName, public};
use serde::{Deserialize, Serialize};

use crate::decisions::Asker;
use crate::facts::Purpose;
use crate::{Intake, network};

/// A message that nobody sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Who would connect.
    pub peer: IpAddr,
    /// Which of our addresses they would reach; `None`: the likeliest.
    pub local: Option<SocketAddr>,
    /// By which service.
    pub service: ServiceName,
    /// Who would have signed in.
    pub user: Option<UserName>,
    /// The reverse-path.
    pub from: ReversePath,
    /// The recipient.
    pub to: ForwardPath,
    /// The size in octets, declared and true; `None`: not declared, and small.
    pub size_bytes: Option<u64>,
    /// The header From; `None`: the reverse-path.
    pub header_from: Option<Address>,
    /// Connections that are open already.
    pub open_total: u64,
    /// Those of them that come from the peer.
    pub open_from_source: u64,
}

impl Question {
    /// A question that says only who, to whom, and by which service.
    pub const fn plain(
        peer: IpAddr,
        service: ServiceName,
        from: ReversePath,
        to: ForwardPath,
    ) -> Self {
        Self {
            peer,
            local: None,
            service,
            user: None,
            from,
            to,
            size_bytes: None,
            header_from: None,
            open_total: 0,
            open_from_source: 0,
        }
    }
}

/// A place where a decision is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// The connection is admitted.
    Connection,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// The final dot.
    Message,
    /// Where it goes.
    Route,
}

/// A fact that a step asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactUsed {
    /// The question.
    pub query: FactQuery,
    /// The answer.
    #[serde(flatten)]
    pub value: FactValue,
    /// When it was learnt.
    pub at: Timestamp,
    /// How old it was when it was used, in milliseconds.
    pub age_ms: u64,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// What was decided, and because of what.
    pub decision: Decision,
    /// What a peer would hear, without the id.
    pub reply: String,
    /// The facts that it asked for.
    pub facts: Vec<FactUsed>,
}

/// What would happen, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When it was asked.
    pub at: Timestamp,
    /// Number of the settings revision it rests on.
    pub revision: u64,
    /// The facts of the connection.
    pub connection: ConnectionFacts,
    /// The steps, in order; the last one is the one that decided.
    pub steps: Vec<Step>,
    /// Where the message would go, if it were accepted.
    pub next_hop: Option<NextHop>,
    /// The outcome of the whole.
    pub outcome: Outcome,
}

impl Intake {
    /// Runs the loop that mail runs, up to the first step that says no, and commits nothing.
    pub async fn explain(&self, question: &Question) -> Explanation {
        let current = self.live.current();
        let connection = self.asked_about(question);
        let mut course = Course {
            asker: Asker {
                intake: self,
                purpose: Purpose::Explanation,
                current: &current,
                connection: &connection,
            },
            learnt: LearntFacts::new(),
            steps: Vec::new(),
        };
        let next_hop = course.run(question).await;
        let steps = course.steps;
        let outcome = steps
            .last()
            .map_or(Outcome::Defer, |step| step.decision.outcome);
        Explanation {
            at: self.clock.now(),
            revision: current.revision,
            connection,
            steps,
            next_hop,
            outcome,
        }
    }

    fn asked_about(&self, question: &Question) -> ConnectionFacts {
        let port = question.service.port().unwrap_or(0);
        let local = question.local.unwrap_or_else(|| {
            network::likely_local(self.interfaces.as_ref(), question.peer, port)
        });
        let peer = SocketAddr::new(question.peer, 0);
        let mut connection = self.connection_facts(peer, local, question.service);
        connection.user.clone_from(&question.user);
        connection
    }
}

/// The way through the steps.
struct Course<'a> {
    asker: Asker<'a>,
    learnt: LearntFacts,
    steps: Vec<Step>,
}

impl Course<'_> {
    /// Goes as far as the answers are yes; the next hop when all are.
    async fn run(&mut self, question: &Question) -> Option<NextHop> {
        let admitted = self.asker.intake.admit(
            self.asker.connection,
            question.open_total,
            question.open_from_source,
        );
        self.step(StepName::Connection, admitted, &[])?;

        let mut mail = MailParameters::plain(question.from.clone());
        mail.size_bytes = question.size_bytes;
        let known = self.known();
        let decision = self.asker.sender(&mut self.learnt, &mail).await;
        self.step(StepName::Sender, decision, &known)?;

        let mut transaction = TransactionFacts {
            mail,
            recipients: Vec::new(),
        };
        let recipient = Recipient::plain(question.to.clone());
        let known = self.known();
        let decision = self
            .asker
            .recipient(&mut self.learnt, &transaction, &recipient)
            .await;
        self.step(StepName::Recipient, decision, &known)?;
        transaction.recipients.push(recipient);

        let known = self.known();
        let decision = self
            .asker
            .message(&mut self.learnt, &transaction, &message(question))
            .await;
        self.step(StepName::Message, decision, &known)?;
        self.route(question)
    }

    fn route(&mut self, question: &Question) -> Option<NextHop> {
        let current = self.asker.current;
        let (decision, next_hop) = match route(&current.settings, &current.directory, &question.to)
        {
            Ok(routed) => (Decision::accept(routed.because), Some(routed.next_hop)),
            Err(because) => (Decision::defer(because), None),
        };
        self.step(StepName::Route, decision, &self.known())?;
        next_hop
    }

    fn known(&self) -> Vec<FactQuery> {
        self.learnt.keys().cloned().collect()
    }

    /// Notes a step with the facts learnt since `known`; `None` when it said no.
    fn step(&mut self, name: StepName, decision: Decision, known: &[FactQuery]) -> Option<()> {
        let now = self.asker.intake.clock.now();
        let facts = self
            .learnt
            .iter()
            .filter(|(query, _)| !known.contains(query))
            .map(|(query, learnt)| FactUsed {
                query: query.clone(),
                value: learnt.value.clone(),
                at: learnt.at,
                age_ms: u64::try_from(now.since(learnt.at).as_millis()).unwrap_or(u64::MAX),
            })
            .collect();
        let goes_on = decision.is_accept().then_some(());
        let said = public::reply(&decision);
        self.steps.push(Step {
            name,
            reply: format!("{} {} {}", said.code, said.status(), said.sentence),
            decision,
            facts,
        });
        goes_on
    }
}

/// The content that the question stands for.
fn message(question: &Question) -> MessageFacts {
    let author = question
        .header_from
        .as_ref()
        .or_else(|| question.from.address());
    MessageFacts {
        size_bytes: question.size_bytes.unwrap_or(0),
        header_from: author.cloned().into_iter().collect(),
        has_from: author.is_some(),
        received_count: 0,
    }
}
