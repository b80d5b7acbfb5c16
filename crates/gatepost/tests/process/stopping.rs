//! One gateway per folder, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;
use testkit::wait;

use crate::program::Folder;

/// Nothing is sent outside here: the discard port of loopback.
pub(crate) const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 2], 9);

/// Nobody is left who could hold the end up: sessions are idle or finish their message.
const BOUND: Duration = Duration::from_secs(10);

#[test]
fn a_second_gateway_on_the_folder_names_the_first() {
    let folder = Folder::new();
    let first = folder.start();
    let second = testkit::running::run(folder.serve(0), b"").unwrap();
    assert_eq!(second.code, 1);
    let process = first.running.id().to_string();
    assert!(second.output.contains(&process), "{}", second.output);
    // The first one is none the worse for it.
    folder.done(&["status"], "");
}

#[test]
fn sigterm_lets_a_message_finish_and_ends_idle_sessions() {
    ends_politely(Signal::TERM);
}

#[test]
fn ctrl_c_lets_a_message_finish_and_ends_idle_sessions() {
    ends_politely(Signal::INT);
}

fn ends_politely(signal: Signal) {
    let folder = Folder::new();
    let mut gateway = folder.open_office(SocketAddr::from(NOWHERE));
    let mut idle = folder.smtp();
    let mut busy = folder.smtp();
    busy.begin("alice@office.test", &["bob@office.test"])
        .unwrap();
    busy.write(b"From: alice@office.test\r\nSubject: half\r\n\r\nhalf ")
        .unwrap();
    let mut collecting = folder.pop3("alice");

    gateway.signal(signal);
    assert!(idle.reply().unwrap().0.starts_with("421 "));
    assert!(idle.is_closed());
    wait::until("the idle POP3 session's end", wait::PATIENCE, || {
        collecting.ask("NOOP").is_err().then_some(())
    })
    .unwrap();
    busy.write(b"and half\r\n").unwrap();
    let accepted = busy.say(".").unwrap();
    assert!(accepted.0.starts_with("250 2.0.0 "), "{accepted:?}");
    assert!(busy.reply().unwrap().0.starts_with("421 "));
    assert_eq!(gateway.ended(BOUND).code(), Some(0));

    let _again = folder.start();
    let mut pop3 = folder.pop3("bob");
    assert_eq!(pop3.unique_ids().unwrap().len(), 1);
    let text = pop3.retrieve(1).unwrap();
    assert!(text.ends_with(b"\r\n\r\nhalf and half\r\n"));
}

#[test]
fn nothing_is_left_behind_by_an_end() {
    let folder = Folder::new();
    let mut gateway = folder.start();
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(BOUND).code(), Some(0));
    let outcome = folder.ask(&["status"], "");
    assert_eq!(outcome.code, 5, "{outcome:?}");
}
