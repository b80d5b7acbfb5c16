//! S1.8: one file, passwords on standard input, and the office works.

use std::net::SocketAddr;

use testkit::ScriptedSmtp;

use crate::program::{Folder, PASSWORD, Pop3};
use crate::stopping::NOWHERE;

const LETTER: &[u8] = b"From: alice@office.test\r\nSubject: hello\r\n\r\nDear Bob\r\n";

#[test]
fn one_file_and_passwords_make_an_office_that_sends_and_receives() {
    let folder = Folder::new();
    let sink = ScriptedSmtp::start().unwrap();
    let _gateway = folder.open_office(sink.address());
    let mut smtp = folder.smtp();
    let to = ["bob@office.test", "fred@far.test"];
    let id = smtp.send("alice@office.test", &to, LETTER).unwrap();

    let mut pop3 = folder.pop3("bob");
    let unique = pop3.unique_ids().unwrap();
    assert_eq!(unique.len(), 1);
    let text = pop3.retrieve(1).unwrap();
    assert!(text.ends_with(LETTER), "byte for byte");
    let head = String::from_utf8_lossy(&text).into_owned();
    assert!(
        head.starts_with("Return-Path: <alice@office.test>\r\n"),
        "{head}"
    );
    assert!(head.contains(&format!("id {id}")), "{head}");
    pop3.delete(1).unwrap();
    pop3.quit().unwrap();
    assert!(folder.pop3("bob").unique_ids().unwrap().is_empty());

    let outside = sink.wait_for_messages(1).unwrap();
    assert_eq!(outside[0].recipients, ["<fred@far.test>"]);
    assert!(outside[0].text.ends_with(LETTER));
    folder.wait_until("the queue is empty", |folder| folder.queue().is_empty());
    let story = folder.done(&["history", "show", &id], "");
    for wanted in ["bob@office.test", "fred@far.test"] {
        assert!(story.contains(wanted), "{story}");
    }
}

#[test]
fn set_up_works_before_the_first_start_and_a_wrong_password_does_not() {
    let folder = Folder::new();
    let words = [
        "setup",
        "own-server",
        "office.test",
        "--user",
        "bob",
        "--open-internet",
        "no",
        "--password-stdin",
    ];
    folder.done(&words, PASSWORD);
    let _gateway = folder.start();
    let mut smtp = folder.smtp();
    let to = ["postmaster@office.test"];
    smtp.send("bob@office.test", &to, LETTER).unwrap();
    assert_eq!(folder.pop3("bob").unique_ids().unwrap().len(), 1);
    let wrong = Pop3::signed_in(folder.address("pop3"), "bob", "wrong");
    assert!(wrong.is_err());
}

#[test]
fn mail_between_colleagues_makes_no_connection_outside() {
    let folder = Folder::new();
    let sink = ScriptedSmtp::start().unwrap();
    let _gateway = folder.open_office(sink.address());
    folder.done(&["service", "stop", "delivery"], "");
    let to = ["bob@office.test", "alice@office.test"];
    folder
        .smtp()
        .send("alice@office.test", &to, LETTER)
        .unwrap();
    for user in ["bob", "alice"] {
        assert_eq!(folder.pop3(user).unique_ids().unwrap().len(), 1);
    }
    assert_eq!(sink.connections(), 0);
}

#[test]
fn what_a_kill_interrupts_is_there_after_a_restart() {
    let folder = Folder::new();
    let mut gateway = folder.open_office(SocketAddr::from(NOWHERE));
    let to = ["bob@office.test"];
    folder
        .smtp()
        .send("alice@office.test", &to, LETTER)
        .unwrap();
    gateway.running.kill();
    let _again = folder.start();
    let mut pop3 = folder.pop3("bob");
    assert_eq!(pop3.unique_ids().unwrap().len(), 1);
    assert!(pop3.retrieve(1).unwrap().ends_with(LETTER));
}
