//! Time: silent clients, clients that do not read, clocks that go back.

use std::sync::Arc;
use std::time::Duration;

use contracts::{
    AuthenticateError, Authenticator, Clock, PasswordRecord, ScramKeys, SignInRefused, SignedIn,
};
use mail::Timestamp;
use policy::UserName;
use policy::facts::ServiceName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::watch;

use super::alarm::Alarm;
use super::sign_in_desk::{NotSignedIn, SignInDesk};
use super::{Circumstances, Phase, Pop3Talk, SmtpTalk, Wire, drive};
use crate::Shared;
use crate::premises::{Choices, Premises, RuntimeClock, office_settings, patient_limits};

struct Stage {
    client: DuplexStream,
    phase: watch::Sender<Phase>,
    session: tokio::task::JoinHandle<std::io::Result<()>>,
    /// Keeps the store and the folder.
    _premises: Premises,
}

/// A session over a pipe of `pipe_bytes` octets in each direction, on paused time.
async fn stage(service: ServiceName, pipe_bytes: usize) -> Stage {
    let premises = Premises::build(Choices {
        settings: office_settings(true),
        limits: patient_limits(),
        clock: RuntimeClock::start(),
    })
    .await;
    let (client, ours) = duplex(pipe_bytes);
    let shared = Arc::clone(&premises.shared);
    let (phase, heard) = watch::channel(Phase::Open);
    let session = tokio::spawn(async move {
        let address = "127.0.0.1:25".parse().unwrap();
        let connection = shared.intake.connection_facts(address, address, service);
        let mut with = Circumstances {
            patience: shared.patience(),
            tls: shared.certificates.smtp(),
            phase: heard,
        };
        let mut wire = Wire::Plain(ours);
        let current = shared.live.current();
        if service == ServiceName::Pop3 {
            let mut talk = Pop3Talk::new(&shared, current, connection);
            drive(&mut wire, &mut talk, &mut with).await
        } else {
            let mut talk = SmtpTalk::new(&shared, current, connection);
            drive(&mut wire, &mut talk, &mut with).await
        }
    });
    Stage {
        client,
        phase,
        session,
        _premises: premises,
    }
}

async fn heard(client: &mut DuplexStream) -> String {
    let mut octets = vec![0; 4096];
    let count = client.read(&mut octets).await.unwrap();
    octets.truncate(count);
    String::from_utf8(octets).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_hears_421_after_five_minutes_and_not_before() {
    let mut stage = stage(ServiceName::Smtp, 4096).await;
    assert!(heard(&mut stage.client).await.starts_with("220 "));
    let begun = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(200)).await;
    stage.client.write_all(b"NOOP\r\n").await.unwrap();
    assert!(heard(&mut stage.client).await.starts_with("250 "));
    assert!(heard(&mut stage.client).await.starts_with("421 4.4.2 "));
    assert_eq!(begun.elapsed().as_secs(), 500);
    assert_eq!(heard(&mut stage.client).await, "");
    drop(stage.client);
    assert!(stage.session.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_silent_pop3_client_is_left_after_ten_minutes_without_a_word() {
    let mut stage = stage(ServiceName::Pop3, 4096).await;
    assert!(heard(&mut stage.client).await.starts_with("+OK "));
    let begun = tokio::time::Instant::now();
    assert_eq!(heard(&mut stage.client).await, "");
    assert_eq!(begun.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_off() {
    let mut stage = stage(ServiceName::Smtp, 16).await;
    let begun = tokio::time::Instant::now();
    stage.client.write_all(b"EHLO pc1\r\n").await.unwrap();
    let failed = stage.session.await.unwrap().unwrap_err();
    assert_eq!(failed.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_goes_nowhere_ends() {
    let mut stage = stage(ServiceName::Smtp, 4096).await;
    heard(&mut stage.client).await;
    stage
        .client
        .write_all(b"EHLO pc1\r\nSTARTTLS\r\n")
        .await
        .unwrap();
    assert!(heard(&mut stage.client).await.contains("220 2.0.0 "));
    let begun = tokio::time::Instant::now();
    let failed = stage.session.await.unwrap().unwrap_err();
    assert_eq!(failed.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 20);
}

/// Refuses everybody, or cannot say.
struct Refuses {
    busy: bool,
}

#[async_trait::async_trait]
impl Authenticator for Refuses {
    async fn verify(
        &self,
        _: &str,
        _: &str,
    ) -> Result<Result<SignedIn, SignInRefused>, AuthenticateError> {
        if self.busy {
            return Err(AuthenticateError::Busy);
        }
        Ok(Err(SignInRefused))
    }

    async fn scram_keys(&self, _: &str) -> Result<ScramKeys, AuthenticateError> {
        Err(AuthenticateError::Busy)
    }

    async fn make_password(&self, _: &str) -> Result<PasswordRecord, AuthenticateError> {
        Err(AuthenticateError::Busy)
    }

    async fn make_scram_keys(&self, _: &str) -> Result<ScramKeys, AuthenticateError> {
        Err(AuthenticateError::Busy)
    }

    fn make_app_password(&self) -> (String, String) {
        (String::new(), String::new())
    }

    fn forget(&self, _: &UserName) {}
}

async fn desk(busy: bool) -> (Premises, SignInDesk) {
    let premises = Premises::build(Choices {
        settings: office_settings(true),
        limits: patient_limits(),
        clock: RuntimeClock::start(),
    })
    .await;
    let shared = Shared {
        intake: Arc::clone(&premises.shared.intake),
        store: Arc::clone(&premises.shared.store),
        clock: Arc::clone(&premises.shared.clock),
        live: Arc::clone(&premises.shared.live),
        authenticator: Arc::new(Refuses { busy }),
        certificates: Arc::clone(&premises.shared.certificates),
        permits: Arc::clone(&premises.shared.permits),
        throttle: Arc::clone(&premises.shared.throttle),
        limits: premises.shared.limits.clone(),
    };
    let source = [127, 0, 0, 2].into();
    (premises, SignInDesk::new(Arc::new(shared), source))
}

#[tokio::test(start_paused = true)]
async fn a_guesser_waits_longer_each_time() {
    let (_premises, mut desk) = desk(false).await;
    let mut waits = Vec::new();
    for _ in 0..8 {
        let begun = tokio::time::Instant::now();
        let refused = desk.password("bob", "guess", None).await;
        assert!(matches!(refused, Err(NotSignedIn::Refused)));
        waits.push(begun.elapsed().as_secs());
    }
    assert_eq!(waits, [0, 0, 0, 0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn whom_nobody_could_verify_is_no_guesser() {
    let (_premises, mut desk) = desk(true).await;
    let begun = tokio::time::Instant::now();
    for _ in 0..8 {
        let unavailable = desk.password("bob", "guess", None).await;
        assert!(matches!(unavailable, Err(NotSignedIn::Unavailable(_))));
    }
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn draining_is_heard_by_a_client_that_says_nothing() {
    let mut stage = stage(ServiceName::Smtp, 4096).await;
    heard(&mut stage.client).await;
    stage.phase.send_replace(Phase::Draining);
    assert!(heard(&mut stage.client).await.starts_with("421 4.3.2 "));
}

/// Civil time that somebody sets; sleeping goes by the runtime's.
struct CivilClock(std::sync::atomic::AtomicI64);

#[async_trait::async_trait]
impl Clock for CivilClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }

    async fn sleep_until(&self, instant: Timestamp) {
        tokio::time::sleep(instant.since(self.now())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_a_day_keeps_nobody_for_a_day() {
    const DAY: i64 = 86_400_000;
    let clock = Arc::new(CivilClock((10 * DAY).into()));
    let mut alarm = Alarm::new(Arc::<CivilClock>::clone(&clock));
    let begun = tokio::time::Instant::now();
    let deadline = clock.now().plus(Duration::from_mins(5));
    clock
        .0
        .store(10 * DAY + 1, std::sync::atomic::Ordering::Relaxed);
    let mut reached = Box::pin(alarm.reached(Some(deadline)));
    tokio::select! {
        biased;
        _ = &mut reached => panic!("too early"),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    clock.0.store(9 * DAY, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(reached.await, deadline);
    assert!(begun.elapsed() <= Duration::from_mins(6));
    // Input came after the alarm was set, and then the clock went back.
    let later = Timestamp::from_millis(11 * DAY);
    assert_eq!(alarm.reached(Some(later)).await, later);
}
