//! An office with a store in memory, a clock that stands, pretend DNS and pretend addresses.
//!
//! Promises: nothing leaves 127.0.0.1; every address of a test leads where the test says.

pub(crate) mod clock;
pub(crate) mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::StandingClock;
use contracts::stand_in::MemoryStore;
use contracts::store::{
    Acceptance, MessageRef, NewQueueEntry, QueueEntry, QueueFilter, Rendition, SpooledBody,
    SpooledContent,
};
use contracts::{
    Clock, Current, Event, Live, MxAnswer, MxHost, ResolveError, Resolver, Store, Story, StoryHead,
};
use delivery::{
    DialError, Dialer, Limits, Ourselves, Parts, Random, Runner, Secrets, Stream, TcpDialer, Tls,
};
use intake::{Ids, Reports};
use mail::{
    Address, Domain, Envelope, ForwardPath, MailParameters, QueueId, Recipient, ReversePath,
    Timestamp,
};
use policy::UserName;
use policy::facts::Directory;
use policy::settings::{AddressEntry, DomainEntry, DomainKind, Settings, starter};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// DNS as the test says.
#[derive(Default)]
pub(crate) struct Zone {
    mx: Mutex<BTreeMap<String, Result<MxAnswer, ResolveError>>>,
    addresses: Mutex<BTreeMap<String, Vec<IpAddr>>>,
}

impl Zone {
    pub(crate) fn set(&self, domain: &str, answer: Result<MxAnswer, ResolveError>) {
        self.mx.lock().unwrap().insert(domain.to_owned(), answer);
    }

    /// Exchangers at preferences 10, 20, …, each with one address.
    pub(crate) fn mx(&self, domain: &str, addresses: &[&str]) {
        let mut hosts = Vec::new();
        for (preference, address) in (10_u16..).step_by(10).zip(addresses) {
            let host = format!("mx{preference}.{domain}");
            let address = address.parse().unwrap();
            let mut known = self.addresses.lock().unwrap();
            known.insert(host.clone(), vec![address]);
            hosts.push(MxHost {
                preference,
                host: Domain::parse(&host).unwrap(),
            });
        }
        self.set(domain, Ok(MxAnswer::Hosts(hosts)));
    }
}

fn nxdomain(name: &Domain) -> ResolveError {
    ResolveError::NoSuchDomain {
        name: name.to_string(),
    }
}

#[async_trait::async_trait]
impl Resolver for Zone {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        let known = self.mx.lock().unwrap().get(domain.as_str()).cloned();
        known.unwrap_or_else(|| Err(nxdomain(domain)))
    }

    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        let known = self.addresses.lock().unwrap().get(host.as_str()).cloned();
        known.ok_or_else(|| nxdomain(host))
    }
}

/// Pretend addresses that lead to listeners of the test; all others refuse.
#[derive(Default)]
pub(crate) struct Lines {
    to: Mutex<BTreeMap<SocketAddr, SocketAddr>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Lines {
    pub(crate) fn lead(&self, pretend: &str, real: SocketAddr) {
        let pretend = pretend.parse().unwrap();
        self.to.lock().unwrap().insert(pretend, real);
    }

    pub(crate) fn dialled(&self) -> Vec<String> {
        let dialled = self.dialled.lock().unwrap();
        dialled.iter().map(ToString::to_string).collect()
    }
}

#[async_trait::async_trait]
impl Dialer for Lines {
    async fn dial(&self, address: SocketAddr) -> Result<Box<dyn Stream>, DialError> {
        self.dialled.lock().unwrap().push(address);
        let real = self.to.lock().unwrap().get(&address).copied();
        match real {
            Some(real) => TcpDialer.dial(real).await,
            None => Err(DialError {
                address,
                failure: "connection refused".to_owned(),
            }),
        }
    }
}

/// Foreseeable chance.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn number(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The password of the smart host, and no other.
struct OneSecret;

impl Secrets for OneSecret {
    fn secret(&self, name: &str) -> Option<String> {
        (name == "provider").then(|| "s3cret".to_owned())
    }
}

/// The office under test.
pub(crate) struct Office {
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) zone: Arc<Zone>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) ourselves: Arc<Ourselves>,
    pub(crate) live: Arc<Live>,
    pub(crate) runner: Arc<Runner>,
    ids: Arc<Ids>,
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
}

pub(crate) fn settings() -> Settings {
    let mut settings = starter(Domain::parse("mail.office.test").unwrap());
    let bob = "bob".parse::<UserName>().unwrap();
    settings.domains.list.push(DomainEntry {
        name: Domain::parse("office.test").unwrap(),
        kind: DomainKind::Hosted,
        aliases: Vec::new(),
    });
    settings.addresses.list.push(AddressEntry {
        address: Address::parse("bob@office.test").unwrap(),
        users: vec![bob],
    });
    settings
}

impl Office {
    pub(crate) fn new() -> Self {
        Self::with(settings(), Tls::new(&[]).unwrap())
    }

    pub(crate) fn with(settings: Settings, tls: Tls) -> Self {
        let store = MemoryStore::new();
        let shared: Arc<dyn Store> = Arc::new(store.clone());
        let clock = Arc::new(StandingClock::new());
        let zone = Arc::new(Zone::default());
        let lines = Arc::new(Lines::default());
        let ourselves = Arc::new(Ourselves::new(None));
        let live = Live::new(Current {
            revision: 1,
            settings: Arc::new(settings),
            directory: Arc::new(Directory {
                enabled: BTreeSet::from(["bob".parse::<UserName>().unwrap()]),
                disabled: BTreeSet::new(),
            }),
        });
        let ids = Arc::new(Ids::after(None, || 0));
        let time: Arc<dyn Clock> = Arc::<StandingClock>::clone(&clock);
        let reports = Reports::new(
            Arc::clone(&shared),
            Arc::clone(&time),
            Arc::clone(&live),
            Arc::clone(&ids),
        );
        let runner = Runner::new(Parts {
            store: shared,
            resolver: Arc::<Zone>::clone(&zone),
            clock: time,
            live: Arc::clone(&live),
            reports,
            ids: Arc::clone(&ids),
            dialer: Arc::<Lines>::clone(&lines),
            tls,
            secrets: Arc::new(OneSecret),
            random: Arc::new(Counting::default()),
            ourselves: Arc::clone(&ourselves),
            limits: Limits::default(),
        });
        let (stop, _) = watch::channel(false);
        Self {
            store,
            clock,
            zone,
            lines,
            ourselves,
            live,
            runner,
            ids,
            stop,
            running: None,
        }
    }

    pub(crate) fn start(&mut self) {
        self.stop.send_replace(false);
        let (runner, stop) = (Arc::clone(&self.runner), self.stop.subscribe());
        self.running = Some(tokio::spawn(async move { runner.run(stop).await }));
    }

    /// Stops delivery and waits until it says that it has.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(running) = self.running.take() {
            patience("delivery to stop", running).await.unwrap();
        }
    }

    /// Puts a message into the queue, as intake does, and wakes delivery.
    pub(crate) async fn send(&self, sender: &str, recipients: &[&str]) -> QueueId {
        let recipients = recipients.iter().map(|path| plain(path)).collect();
        let mail = MailParameters::plain(sender.parse::<ReversePath>().unwrap());
        self.send_envelope(Envelope { mail, recipients }, TEXT)
            .await
    }

    pub(crate) async fn send_envelope(&self, envelope: Envelope, text: &[u8]) -> QueueId {
        let at = self.clock.now();
        let id = self.ids.next(at);
        let queue = envelope
            .recipients
            .iter()
            .zip(0..)
            .map(|(recipient, recipient_no)| NewQueueEntry {
                recipient_no,
                recipient: recipient.clone(),
                destination: recipient
                    .path
                    .to_string()
                    .split_once('@')
                    .unwrap()
                    .1
                    .to_owned(),
                due_at: at,
            })
            .collect();
        let head = StoryHead {
            id,
            at,
            connection: None,
            sender: envelope.mail.reverse_path.to_string(),
            recipients: Vec::new(),
            subject: None,
            size_bytes: 1,
            accepted: true,
        };
        let acceptance = Acceptance {
            id,
            at,
            body: SpooledBody {
                size_bytes: u64::try_from(text.len()).unwrap(),
                content: SpooledContent::Memory(text.to_vec()),
            },
            rendition: Rendition::default(),
            ends_with_crlf: true,
            envelope,
            deliveries: Vec::new(),
            queue,
            story: Story {
                head,
                entries: Vec::new(),
            },
        };
        self.store.accept_message(acceptance).await.unwrap();
        self.runner.wake();
        id
    }

    pub(crate) async fn queue(&self) -> Vec<QueueEntry> {
        self.store
            .list_queue(&QueueFilter::default())
            .await
            .unwrap()
    }

    /// Waits until the queue is as the test wants it.
    pub(crate) async fn queue_until(
        &self,
        what: &str,
        good: impl Fn(&[QueueEntry]) -> bool,
    ) -> Vec<QueueEntry> {
        patience(what, async {
            loop {
                let queue = self.queue().await;
                if good(&queue) {
                    return queue;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    pub(crate) async fn queue_empties(&self) {
        self.queue_until("the queue to empty", <[QueueEntry]>::is_empty)
            .await;
    }

    /// Waits until the queue is empty while time passes, so slowly that no peer is late.
    pub(crate) async fn queue_empties_in_time(&self) {
        patience("the queue to empty", async {
            while !self.queue().await.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
                self.clock.advance(Duration::from_millis(50));
                self.runner.wake();
            }
        })
        .await;
    }

    /// Waits until the first attempt at every entry is recorded.
    pub(crate) async fn tried(&self, attempts: u32) -> Vec<QueueEntry> {
        self.queue_until("an attempt", |queue| {
            !queue.is_empty() && queue.iter().all(|entry| entry.attempts == attempts)
        })
        .await
    }

    /// The messages in Bob's mailbox.
    pub(crate) async fn mailbox(&self) -> Vec<String> {
        let bob = "bob".parse::<UserName>().unwrap();
        let mut messages = Vec::new();
        for one in self.store.list_maildrop(&bob).await.unwrap() {
            let message = MessageRef::InMaildrop {
                user: bob.clone(),
                uid: one.uid,
            };
            let octets = self.store.read_message(&message, 0, 1 << 20).await.unwrap();
            messages.push(String::from_utf8_lossy(&octets).into_owned());
        }
        messages
    }

    /// The events of a story.
    pub(crate) async fn events(&self, id: QueueId) -> Vec<Event> {
        let story = self.store.story(id).await.unwrap();
        story.entries.into_iter().map(|entry| entry.event).collect()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut current = Current::clone(&self.live.current());
        let mut settings = Settings::clone(&current.settings);
        change(&mut settings);
        current.settings = Arc::new(settings);
        self.live.replace(current);
    }
}

pub(crate) const TEXT: &[u8] = b"From: bob@office.test\r\nSubject: hello\r\n\r\n.Hi Fred\r\n";

pub(crate) fn plain(path: &str) -> Recipient {
    Recipient::plain(path.parse::<ForwardPath>().unwrap())
}

/// Waits for something that must come.
pub(crate) async fn patience<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    let got = tokio::time::timeout(Duration::from_secs(30), wanted).await;
    got.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, good: impl Fn() -> bool) {
    patience(what, async {
        while !good() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// The start of the test's time.
pub(crate) const BEGIN: Timestamp = Timestamp::from_millis(1_790_000_000_000);
