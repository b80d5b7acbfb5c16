//! A system without descriptors: accepting pauses and does not spin (F-FD).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

#[path = "office/premises.rs"]
mod premises;

use std::net::TcpListener;
use std::sync::Arc;

use contracts::{Clock, SystemClock};
use mail::Timestamp;
use policy::facts::ServiceName;
use premises::{Choices, Premises, office_settings, patient_limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::Service;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Pauses end when the test says so.
struct HeldClock {
    pauses: Semaphore,
    ends: Semaphore,
}

#[async_trait::async_trait]
impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep_until(&self, instant: Timestamp) {
        // Only the pause of the listener is shorter than a second.
        if instant.since(self.now()).as_secs() > 0 {
            return SystemClock.sleep_until(instant).await;
        }
        self.pauses.add_permits(1);
        self.ends.acquire().await.unwrap().forget();
    }
}

#[tokio::test]
async fn without_descriptors_accepting_pauses_and_then_goes_on() {
    let clock = Arc::new(HeldClock {
        pauses: Semaphore::new(0),
        ends: Semaphore::new(0),
    });
    let premises = Premises::build(Choices {
        settings: office_settings(true),
        limits: patient_limits(),
        clock: Arc::<HeldClock>::clone(&clock),
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
    // The client's own socket takes the last descriptor.
    let before = getrlimit(Resource::Nofile);
    let next = {
        let file = std::fs::File::open("/dev/null").unwrap();
        u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&file)).unwrap()
    };
    let tight = Rlimit {
        current: Some(next + 1),
        maximum: before.maximum,
    };
    setrlimit(Resource::Nofile, tight).unwrap();
    let mut client = TcpStream::connect(to).await.unwrap();
    clock.pauses.acquire().await.unwrap().forget();
    clock.ends.add_permits(1);
    clock.pauses.acquire().await.unwrap().forget();
    assert_eq!(clock.pauses.available_permits(), 0);
    assert_eq!(smtp.sessions(), 0);
    setrlimit(Resource::Nofile, before).unwrap();
    clock.ends.add_permits(1);
    let mut greeting = [0; 4];
    client.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ");
}
