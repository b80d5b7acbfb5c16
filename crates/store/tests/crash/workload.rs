//! What the child does until it dies: accepts numbered messages and says which are acknowledged.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contracts::Store;
use contracts::conformance::samples;
use contracts::store::{MessageRef, QueueFilter};
use store::sqlite::{Durability, Options, SqliteStore};

/// What a child is told.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    pub(crate) folder: PathBuf,
    pub(crate) first: u64,
    pub(crate) messages: u64,
    pub(crate) tasks: u64,
    pub(crate) body_bytes: usize,
    pub(crate) durable: bool,
}

/// A line that no other message contains.
pub(crate) fn marker(number: u64) -> String {
    format!("This is message {number:08}.\r\n")
}

/// The body of a message; every page of it tells whose it is.
pub(crate) fn body(number: u64, body_bytes: usize) -> Vec<u8> {
    let marker = marker(number);
    let mut body = marker.repeat(body_bytes / marker.len() + 1).into_bytes();
    body.truncate(body_bytes);
    body.extend_from_slice(b"\r\n");
    body
}

impl Orders {
    /// The child, behind `wrapper` (a program and its arguments) if there is one.
    pub(crate) fn start(&self, wrapper: &[OsString]) -> Child {
        let program = std::env::current_exe().unwrap();
        let mut command = match wrapper.split_first() {
            Some((wrapping, arguments)) => {
                let mut command = Command::new(wrapping);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["--exact", "workload::run_child", "--nocapture"])
            .env("CRASH_FOLDER", &self.folder)
            .env("CRASH_FIRST", self.first.to_string())
            .env("CRASH_MESSAGES", self.messages.to_string())
            .env("CRASH_TASKS", self.tasks.to_string())
            .env("CRASH_BODY_BYTES", self.body_bytes.to_string())
            .env("CRASH_DURABLE", u8::from(self.durable).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
            .spawn()
            .expect("the child starts; strace must be installed (xtask brings it)")
    }

    fn of_environment() -> Option<Self> {
        let number = |name: &str| -> u64 { std::env::var(name).unwrap().parse().unwrap() };
        Some(Self {
            folder: std::env::var_os("CRASH_FOLDER")?.into(),
            first: number("CRASH_FIRST"),
            messages: number("CRASH_MESSAGES"),
            tasks: number("CRASH_TASKS"),
            body_bytes: usize::try_from(number("CRASH_BODY_BYTES")).unwrap(),
            durable: number("CRASH_DURABLE") == 1,
        })
    }

    /// The store's options.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(&self.folder);
        if !self.durable {
            options.durability = Durability::NoneForTests;
        }
        options
    }
}

/// Says something in one write, so that a trace shows it as one.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

/// Not a test of its own: what the child runs.
#[test]
fn run_child() {
    let Some(orders) = Orders::of_environment() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work(orders));
}

async fn work(orders: Orders) {
    let store = match SqliteStore::open(orders.options()) {
        Ok(store) => store,
        Err(failed) => return say(&format!("closed {failed}")),
    };
    say("open");
    let next = Arc::new(AtomicU64::new(orders.first));
    let end = orders.first.saturating_add(orders.messages);
    let mut tasks = Vec::new();
    for _ in 0..orders.tasks {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    break;
                }
                accept(&*store, number, orders.body_bytes).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    store.close().await;
    say("end");
}

/// Accepts a message, for alice and in every third case for elsewhere too.
async fn accept(store: &dyn Store, number: u64, body_bytes: usize) {
    let mut writer = store.new_body();
    let mut accepted = Ok(());
    for piece in body(number, body_bytes).chunks(100_000) {
        accepted = accepted.and(writer.write(piece).await);
    }
    let spooled = match accepted {
        Ok(()) => writer.finish().await,
        Err(failed) => Err(failed),
    };
    let result = match spooled {
        Ok(spooled) => {
            let mut acceptance = samples::message(store, number, b"").await;
            acceptance.body = spooled;
            acceptance.ends_with_crlf = true;
            acceptance.deliveries.push(samples::delivery("alice"));
            if number.is_multiple_of(3) {
                let due_at = samples::at(0);
                let entry = samples::elsewhere(0, "far.test", due_at);
                acceptance.queue.push(entry);
            }
            store.accept_message(acceptance).await
        }
        Err(failed) => Err(failed),
    };
    match result {
        Ok(()) => say(&format!("ok {number}")),
        Err(failed) => say(&format!("failed {number} {failed}")),
    }
}

/// What a child said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) acknowledged: BTreeSet<u64>,
    pub(crate) failed: BTreeSet<u64>,
    pub(crate) ended: bool,
}

impl Said {
    /// Takes one line; true for an acknowledgement.
    pub(crate) fn hear(&mut self, line: &str) -> bool {
        let number = |text: &str| -> u64 {
            let digits = text.split(' ').next().unwrap();
            digits.parse().unwrap()
        };
        if let Some(rest) = line.strip_prefix("ok ") {
            self.acknowledged.insert(number(rest));
            return true;
        }
        if let Some(rest) = line.strip_prefix("failed ") {
            self.failed.insert(number(rest));
        }
        self.ended |= line == "end";
        false
    }

    /// Hears a child out; kills it after `kill_after` acknowledgements.
    pub(crate) fn of(child: &mut Child, kill_after: Option<usize>) -> Self {
        let mut said = Self::default();
        let stdout = child.stdout.take().unwrap();
        if kill_after == Some(0) {
            child.kill().unwrap();
        }
        for line in BufReader::new(stdout).lines() {
            let acknowledged = said.hear(&line.unwrap());
            if acknowledged && kill_after == Some(said.acknowledged.len()) {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        said
    }
}

/// Opens what a crash left and looks at every message; returns what is missing of `acknowledged`,
/// and whatever is not as it was given.
pub(crate) async fn examine(
    folder: &Path,
    acknowledged: &BTreeSet<u64>,
    body_bytes: usize,
) -> Result<BTreeSet<u64>, String> {
    let store = SqliteStore::open(Options::new(folder)).map_err(|failed| failed.to_string())?;
    let found = read_all(&*store, body_bytes).await;
    store.close().await;
    let found = found?;
    let mut lost: Vec<&u64> = acknowledged.difference(&found).collect();
    lost.truncate(5);
    if lost.is_empty() {
        Ok(found)
    } else {
        Err(format!("acknowledged, and lost: {lost:?}"))
    }
}

async fn read_all(store: &dyn Store, body_bytes: usize) -> Result<BTreeSet<u64>, String> {
    let words = |failed: contracts::StoreError| failed.to_string();
    let alice = samples::user("alice");
    let mut found = BTreeSet::new();
    for message in store.list_maildrop(&alice).await.map_err(words)? {
        let number = message.id.number();
        let reference = MessageRef::InMaildrop {
            user: alice.clone(),
            uid: message.uid,
        };
        whole(store, &reference, number, body_bytes).await?;
        store.story(message.id).await.map_err(words)?;
        if !found.insert(number) {
            return Err(format!("message {number} is there twice"));
        }
    }
    let all = QueueFilter::default();
    let queued = store.list_queue(&all).await.map_err(words)?;
    for entry in &queued {
        let reference = MessageRef::Queued { id: entry.id };
        whole(store, &reference, entry.id.number(), body_bytes).await?;
    }
    let in_queue: BTreeSet<u64> = queued.iter().map(|entry| entry.id.number()).collect();
    let for_elsewhere = found.iter().filter(|number| number.is_multiple_of(3));
    if for_elsewhere.copied().collect::<BTreeSet<u64>>() != in_queue {
        return Err("mailbox and queue tell different stories".to_owned());
    }
    Ok(found)
}

async fn whole(
    store: &dyn Store,
    reference: &MessageRef,
    number: u64,
    body_bytes: usize,
) -> Result<(), String> {
    let expected = body(number, body_bytes);
    let mut read = Vec::new();
    loop {
        let offset = read.len() as u64;
        let piece = store.read_message(reference, offset, 1 << 20).await;
        let piece = piece.map_err(|failed| failed.to_string())?;
        if piece.is_empty() {
            break;
        }
        read.extend_from_slice(&piece);
    }
    if read.ends_with(&expected) {
        Ok(())
    } else {
        Err(format!("message {number} is not whole"))
    }
}
