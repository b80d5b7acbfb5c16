//! Measures durable acceptances and retrievals: `cargo bench -p store`.
//!
//! Every message is counted and read back; bytes written are what the kernel counted for this
//! process, logs and checkpoints included.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement: it prints, and takes time from the machine"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contracts::conformance::samples;
use contracts::store::{Acceptance, MessageRef};
use contracts::{Event, Store, StoryEntry};
use policy::facts::{ConnectionFacts, ServiceName, Standing};
use store::sqlite::{Options, SqliteStore};
use tempfile::TempDir;

const SECONDS: u64 = 2;

struct Case {
    name: &'static str,
    tasks: u64,
    body_bytes: usize,
}

const CASES: [Case; 6] = [
    Case {
        name: "1 task, 4 KiB",
        tasks: 1,
        body_bytes: 4096,
    },
    Case {
        name: "20 tasks, 4 KiB",
        tasks: 20,
        body_bytes: 4096,
    },
    Case {
        name: "100 tasks, 4 KiB",
        tasks: 100,
        body_bytes: 4096,
    },
    Case {
        name: "20 tasks, 64 KiB",
        tasks: 20,
        body_bytes: 65_536,
    },
    Case {
        name: "1 task, 1 MiB",
        tasks: 1,
        body_bytes: 1 << 20,
    },
    Case {
        name: "20 tasks, 1 MiB",
        tasks: 20,
        body_bytes: 1 << 20,
    },
];

#[tokio::main]
async fn main() {
    for case in &CASES {
        measure(case).await;
    }
}

async fn measure(case: &Case) {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(Options::new(folder.path())).unwrap();
    let next = Arc::new(AtomicU64::new(1));
    let before = written_bytes();
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for task in 0..case.tasks {
        let (store, next, body_bytes) = (Arc::clone(&store), Arc::clone(&next), case.body_bytes);
        tasks.push(tokio::spawn(async move {
            while Instant::now() < until {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let acceptance = message(&*store, number, task, body_bytes).await;
                store.accept_message(acceptance).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    let accepted = next.load(Ordering::Relaxed) - 1;
    let (read, read_seconds) = read_back(&store, case).await;
    assert_eq!(read, accepted, "every message is there");
    store.close().await;
    let written = written_bytes() - before;
    let payload = accepted * case.body_bytes as u64;
    println!(
        "{:18} {:8.0} accepted/s {:8.0} read/s {:6.2} bytes written per byte, {accepted} messages",
        case.name,
        accepted as f64 / seconds,
        read as f64 / read_seconds,
        written as f64 / payload as f64,
    );
}

async fn message(store: &dyn Store, number: u64, task: u64, body_bytes: usize) -> Acceptance {
    let mut body = vec![b'a'; body_bytes];
    let stamp = number.to_le_bytes();
    body.splice(..8, stamp);
    let mut acceptance = samples::message(store, number, b"").await;
    acceptance.body = samples::spool(store, &body, 16_384).await;
    acceptance.rendition.prefix = vec![b'r'; 250];
    acceptance
        .deliveries
        .push(samples::delivery(&format!("user{}", task % 10)));
    let told = &mut acceptance.story;
    told.head.connection = Some(connection());
    let recipient = samples::recipient("alice@office.test");
    for event in [
        Event::SenderDecided {
            mail: acceptance.envelope.mail.clone(),
            decision: samples::decision(),
        },
        Event::RecipientDecided {
            recipient,
            decision: samples::decision(),
        },
        Event::MessageDecided {
            size_bytes: body_bytes as u64,
            message_id: Some("<20261124.1@office.test>".to_owned()),
            subject: None,
            decision: samples::decision(),
        },
    ] {
        told.entries.push(StoryEntry {
            id: acceptance.id,
            at: samples::at(0),
            event,
        });
    }
    acceptance
}

fn connection() -> ConnectionFacts {
    ConnectionFacts {
        peer: "192.168.1.20:50123".parse().unwrap(),
        local: "192.168.1.1:25".parse().unwrap(),
        interface: Some("eth0".to_owned()),
        service: ServiceName::Smtp,
        standing: Standing {
            internal: true,
            fact: "192.168.1.20 is in the on-link private subnet of eth0".to_owned(),
            speaks_for_others: false,
        },
        tls: None,
        user: None,
        greeting_name: Some("client1.office.test".to_owned()),
    }
}

/// Reads every message of every mailbox; returns how many there were.
async fn read_back(store: &SqliteStore, case: &Case) -> (u64, f64) {
    let begun = Instant::now();
    let mut read = 0;
    for number in 0..10 {
        let user = samples::user(&format!("user{number}"));
        for message in store.list_maildrop(&user).await.unwrap() {
            let reference = MessageRef::InMaildrop {
                user: user.clone(),
                uid: message.uid,
            };
            let mut octets = 0;
            while octets < message.size_octets - 2 {
                let piece = store.read_message(&reference, octets, 256 * 1024).await;
                octets += piece.unwrap().len() as u64;
            }
            assert!(octets > case.body_bytes as u64);
            read += 1;
        }
    }
    (read, begun.elapsed().as_secs_f64())
}

/// Octets that this process had the kernel write to disk.
fn written_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|number| number.parse().ok()).unwrap()
}
