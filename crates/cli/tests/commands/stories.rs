//! Queue, history and explanations as people read them.

use contracts::store::{QueueEntry, QueueState};
use contracts::{AttemptOutcome, Event, Story, StoryEntry, StoryHead, Terminal};
use mail::{ForwardPath, MailParameters, Recipient, ReversePath, TransactionId};
use operate::{Answer, Explanation, FactUsed, Step, StepName};
use policy::facts::{
    ConnectionFacts, DomainStanding, FactQuery, FactValue, ServiceName, Standing, TlsFacts,
};
use policy::route::NextHop;
use policy::{Because, Decision, Outcome};

use super::office::{at, now, printed};

fn id() -> TransactionId {
    "01J8-7QK3-0A1BC".parse().unwrap()
}

fn fred() -> ReversePath {
    "fred@hotmail.test".parse().unwrap()
}

fn path(text: &str) -> ForwardPath {
    text.parse().unwrap()
}

fn connection() -> ConnectionFacts {
    ConnectionFacts {
        peer: "198.51.100.7:40123".parse().unwrap(),
        local: "203.0.113.2:25".parse().unwrap(),
        interface: Some("eth0".to_owned()),
        service: ServiceName::Smtp,
        standing: Standing {
            internal: false,
            fact: "198.51.100.7 is a public address".to_owned(),
            speaks_for_others: false,
        },
        tls: Some(TlsFacts {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        }),
        user: None,
        greeting_name: Some("mx7.hotmail.test".to_owned()),
    }
}

pub(crate) fn waiting() -> QueueEntry {
    QueueEntry {
        id: id(),
        recipient_no: 0,
        recipient: Recipient::plain(path("ann@partner.example")),
        mail: MailParameters::plain(fred()),
        size_bytes: 25 << 20,
        destination: "partner.example".to_owned(),
        state: QueueState::Waiting,
        queued_at: at("2026-11-24 09:12:04"),
        due_at: at("2026-11-24 09:26:04"),
        attempts: 3,
        last_reply: Some("450 4.2.1 mailbox busy".to_owned()),
        delay_noticed: true,
    }
}

fn unknown() -> Decision {
    Decision::refuse(Because::AddressUnknown {
        address: "bbo@office.example".parse().unwrap(),
        nearest: Some("bob@office.example".parse().unwrap()),
    })
}

fn looked_at() -> Decision {
    Decision::accept(Because::SenderAcceptable {
        fact: "hotmail.test exists".to_owned(),
    })
}

fn routed() -> Decision {
    Decision::accept(Because::RoutedBy {
        setting: "addresses.list".to_owned(),
        next_hop: "the mailbox of bob".to_owned(),
    })
}

pub(crate) fn story() -> Story {
    let entry = |time: &str, event| StoryEntry {
        id: id(),
        at: at(time),
        event,
    };
    let entries = vec![
        entry(
            "2026-11-24 09:12:04",
            Event::SenderDecided {
                mail: MailParameters::plain(fred()),
                decision: looked_at(),
            },
        ),
        entry(
            "2026-11-24 09:12:05",
            Event::RecipientDecided {
                recipient: Recipient::plain(path("bbo@office.example")),
                decision: unknown(),
            },
        ),
        entry(
            "2026-11-24 09:12:06",
            Event::Attempted {
                recipient: path("ann@partner.example"),
                host: "mx.partner.example".to_owned(),
                address: Some("192.0.2.9:25".parse().unwrap()),
                tls: None,
                result: AttemptOutcome::Deferred {
                    next_at: at("2026-11-24 09:26:04"),
                },
                decision: Decision::defer(Because::FarSide {
                    host: "mx.partner.example".to_owned(),
                    reply: "450 4.2.1 busy\u{1b}[2J".to_owned(),
                }),
            },
        ),
        entry(
            "2026-11-24 09:12:07",
            Event::Ended {
                recipient: path("bob@office.example"),
                terminal: Terminal::InMailbox {
                    users: vec!["bob".parse().unwrap()],
                },
                decision: routed(),
            },
        ),
    ];
    Story {
        head: StoryHead {
            id: id(),
            at: at("2026-11-24 09:12:04"),
            connection: Some(connection()),
            sender: "fred@hotmail.test".to_owned(),
            recipients: vec![
                "bbo@office.example".to_owned(),
                "bob@office.example".to_owned(),
            ],
            subject: Some("Re: the invoice".to_owned()),
            size_bytes: 1300,
            accepted: true,
        },
        entries,
    }
}

pub(crate) fn explanation() -> Explanation {
    let fact = FactUsed {
        query: FactQuery::SenderDomain {
            domain: "hotmail.test".parse().unwrap(),
        },
        value: FactValue::Domain {
            standing: DomainStanding::Exists,
        },
        at: at("2026-11-24 09:12:04"),
        age_ms: 240_000,
    };
    Explanation {
        at: now(),
        revision: 4,
        connection: connection(),
        steps: vec![
            Step {
                name: StepName::Sender,
                decision: looked_at(),
                reply: "250 2.1.0 Sender OK".to_owned(),
                facts: vec![fact],
            },
            Step {
                name: StepName::Route,
                decision: routed(),
                reply: "250 2.0.0 OK".to_owned(),
                facts: Vec::new(),
            },
        ],
        next_hop: Some(NextHop::Mailboxes {
            users: vec!["bob".parse().unwrap()],
        }),
        outcome: Outcome::Accept,
    }
}

#[test]
fn a_story_is_told_event_by_event_with_its_reasons() {
    let answer = Answer::Story {
        story: Box::new(story()),
    };
    assert_eq!(
        printed(&["history", "show", "01J8-7QK3-0A1BC"], &answer),
        "\
Message 01J8-7QK3-0A1BC

came         2026-11-24 09:12, 4 minutes ago
from         fred@hotmail.test
to           bbo@office.example, bob@office.example
subject      Re: the invoice
size         1.3 KiB
peer         198.51.100.7:40123 by SMTP
trust        external: 198.51.100.7 is a public address
greeted as   mx7.hotmail.test
TLS          TLSv1.3 (TLS13_AES_256_GCM_SHA384)

2026-11-24 09:12:04  sender fred@hotmail.test accepted   250 2.1.0
                     because Nothing speaks against the sender: hotmail.test exists.
2026-11-24 09:12:05  recipient bbo@office.example refused   550 5.1.1
                     because Addresses has no bbo and no catch-all for office.example; nearest is bob@office.example.
2026-11-24 09:12:06  ann@partner.example: tried mx.partner.example (192.0.2.9:25): put off, next try 2026-11-24 09:26, in 10 minutes
                     because mx.partner.example said: 450 4.2.1 busy\\u{1b}[2J
2026-11-24 09:12:07  bob@office.example: in the mailbox of bob
                     because It goes to the mailbox of bob, by addresses.list.
"
    );
}

#[test]
fn a_search_lists_one_story_a_line() {
    let mut refused = story().head;
    refused.accepted = false;
    refused.subject = None;
    refused.size_bytes = 0;
    refused.sender = "<>".to_owned();
    refused.recipients.push("eve@office.example".to_owned());
    let answer = Answer::History {
        heads: vec![story().head, refused],
    };
    assert_eq!(
        printed(&["history", "search"], &answer),
        "\
ID               WHEN (UTC)                  FROM               TO                                         SIZE  SUBJECT
01J8-7QK3-0A1BC  2026-11-24 09:12  accepted  fred@hotmail.test  bbo@office.example, bob@office.example  1.3 KiB  Re: the invoice
01J8-7QK3-0A1BC  2026-11-24 09:12  refused   <>                 bbo@office.example and 2 more
"
    );
}

#[test]
fn an_explanation_shows_each_step_and_the_age_of_its_facts() {
    let answer = Answer::Explanation {
        explanation: Box::new(explanation()),
    };
    let arguments = [
        "explain",
        "--from",
        "fred@hotmail.test",
        "--to",
        "bob@office.example",
        "--peer",
        "198.51.100.7",
    ];
    assert_eq!(
        printed(&arguments, &answer),
        "\
This message would be accepted.

peer         198.51.100.7 by SMTP
trust        external: 198.51.100.7 is a public address
reached at   203.0.113.2:25
settings     revision 4, asked 2026-11-24 09:16

sender       accepted   250 2.1.0 Sender OK
             because Nothing speaks against the sender: hotmail.test exists.
             fact: DNS for hotmail.test: it exists and can take mail (4 minutes old)

way on       accepted
             because It goes to the mailbox of bob, by addresses.list.

goes to      the mailbox of bob
"
    );
}

#[test]
fn the_queue_says_when_it_tries_next_and_what_it_heard() {
    let mut held = waiting();
    held.state = QueueState::Held;
    held.mail.reverse_path = ReversePath::Null;
    held.last_reply = None;
    held.size_bytes = 512;
    let entries = vec![waiting(), held];
    assert_eq!(
        printed(&["queue", "list"], &Answer::Queue { entries }),
        "\
ID               QUEUED (UTC)      FROM               TO                       SIZE  TRIES  NEXT TRY       HEARD LAST
01J8-7QK3-0A1BC  2026-11-24 09:12  fred@hotmail.test  ann@partner.example  25.0 MiB      3  in 10 minutes  450 4.2.1 mailbox busy
01J8-7QK3-0A1BC  2026-11-24 09:12  <>                 ann@partner.example     512 B      3  held
"
    );
}

#[test]
fn one_message_of_the_queue_is_shown_whole() {
    let answer = Answer::Queue {
        entries: vec![waiting()],
    };
    assert_eq!(
        printed(&["queue", "show", "01J8-7QK3-0A1BC"], &answer),
        "\
Message 01J8-7QK3-0A1BC

queued       2026-11-24 09:12, 4 minutes ago
from         fred@hotmail.test
size         25.0 MiB
waits for    1 recipient

to           ann@partner.example
destination  partner.example
next try     2026-11-24 09:26, in 10 minutes
tries        3
heard last   450 4.2.1 mailbox busy
sender       was told of the delay

The whole story: gatepost history show 01J8-7QK3-0A1BC
"
    );
}
