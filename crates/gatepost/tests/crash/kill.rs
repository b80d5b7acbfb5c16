//! F-KILL: `kill -9` at random moments under load, restart at once, and the ledger is clean.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use testkit::running::Running;

use crate::ledger::Ledger;
use crate::letter::USERS;
use crate::load::Load;
use crate::program::{Folder, free_ports};
use crate::sink;

/// Rounds of the ordinary run.
const ROUNDS: usize = 12;
/// People who send at the same time.
const SENDERS: usize = 4;
/// A restart must be quick, also with a queue and unfinished files.
const START_MAX: Duration = Duration::from_secs(10);

#[expect(
    clippy::disallowed_methods,
    reason = "another program is watched here: its time is the machine's"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how the long run is asked for, and a failed one repeated"
)]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Moments that a seed chooses.
struct Moments(u64);

impl Moments {
    #[expect(clippy::disallowed_methods, reason = "a seed that differs each time")]
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = asked("GATEPOST_CRASH_SEED").unwrap_or(now.as_secs());
        println!("GATEPOST_CRASH_SEED={seed}");
        Self(seed)
    }

    /// 50 to 1500 ms: some fall into the start itself.
    fn next(&mut self) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(50 + (self.0 >> 33) % 1450)
    }
}

#[test]
fn what_was_acknowledged_survives_kills_at_random_moments() {
    let rounds = asked("GATEPOST_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.try_into().unwrap());
    let ledger = Arc::new(Ledger::default());
    let outside = sink::start(Arc::clone(&ledger));
    let folder = Folder::new();
    drop(folder.open_office(outside));
    let first = free_ports();
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let load = Load {
        smtp: at(first),
        pop3: at(first + 3),
        ledger: &ledger,
        finishing: AtomicBool::new(false),
        arrived: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| load.send())).collect();
        for user in USERS {
            let load = &load;
            scope.spawn(move || load.collect(user));
        }
        kill_again_and_again(&folder, first, rounds, &ledger);
        let began = now();
        let gateway = folder.start_as(folder.serve(first));
        let start = now().duration_since(began);
        println!("the last start took {start:?}");
        assert!(start < START_MAX, "{start:?}");
        load.finishing.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.join().unwrap();
        }
        folder.wait_until("the queue is empty", |folder| folder.queue().is_empty());
        load.arrived.store(true, Ordering::SeqCst);
        gateway
    });
    let (wrong, figures) = ledger.verdict();
    println!("{figures:#?}");
    assert!(wrong.is_empty(), "{}\n{figures:#?}", wrong.join("\n"));
    assert!(
        figures.accepted > rounds,
        "too little was going on: {figures:#?}"
    );
}

fn kill_again_and_again(folder: &Folder, first: u16, rounds: usize, ledger: &Ledger) {
    let mut moments = Moments::new();
    for round in 0..rounds {
        let log = folder.beside("log");
        let mut running = Running::start(folder.serve(first), &log).unwrap();
        // The one wait that has to be blind: nobody knows when power or a kill comes.
        std::thread::sleep(moments.next());
        let over = running.ended();
        let output = running.output();
        assert!(over.is_none(), "round {round}: {over:?}: {output}");
        assert!(!output.contains("panicked"), "round {round}: {output}");
        running.kill();
        ledger.killed(now());
    }
}
