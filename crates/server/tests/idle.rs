//! What an idle connection costs (target: 1,000 of them add less than 20 MiB).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

#[path = "office/premises.rs"]
mod premises;

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use contracts::SystemClock;
use policy::facts::ServiceName;
use premises::{Choices, Premises, office_settings, patient_limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::Service;

const CONNECTIONS: u64 = 1000;

/// Resident octets of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib * 1024
}

#[tokio::test]
async fn a_thousand_idle_connections_add_less_than_20_mib() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.map_or(4096, |maximum| maximum.min(4096)));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let premises = Premises::build(Choices {
        settings: office_settings(true),
        limits: patient_limits(),
        clock: Arc::new(SystemClock),
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = Service::start(
        ServiceName::Smtp,
        vec![listener],
        Arc::clone(&premises.shared),
    )
    .unwrap();
    let to = *smtp.addresses().first().unwrap();
    let mut clients = Vec::with_capacity(usize::try_from(CONNECTIONS).unwrap());
    // The first connections warm up what all share.
    let before = loop {
        clients.push(greeted(to).await);
        if clients.len() == 10 {
            break resident();
        }
    };
    for _ in 0..CONNECTIONS {
        clients.push(greeted(to).await);
    }
    assert_eq!(smtp.sessions(), CONNECTIONS + 10);
    let each = resident().saturating_sub(before) / CONNECTIONS;
    println!("{each} octets for each of {CONNECTIONS} idle SMTP connections");
    assert!(each < 20 * 1024, "{each}");
}

async fn greeted(to: std::net::SocketAddr) -> TcpStream {
    tokio::task::spawn_blocking(move || {
        let mut client = TcpStream::connect(to).unwrap();
        let mut greeting = [0; 64];
        assert!(client.read(&mut greeting).unwrap() > 20);
        client
    })
    .await
    .unwrap()
}
