//! The queue by command: retry, hold, release, delete; and a restart that goes on with it.

use std::time::Duration;

use testkit::ScriptedSmtp;
use testkit::scripted_smtp::{Act, Stage};
use testkit::wait;

use crate::program::Folder;

const LETTER: &[u8] = b"From: bob@office.test\r\nSubject: out\r\n\r\nDear Fred\r\n";

fn later() -> Act {
    Act::Reply("451 4.3.0 later".to_owned())
}

fn send(folder: &Folder) -> String {
    let to = ["fred@far.test"];
    folder.smtp().send("bob@office.test", &to, LETTER).unwrap()
}

fn is_empty(folder: &Folder) -> bool {
    folder.queue().is_empty()
}

#[test]
fn retry_all_tries_at_once() {
    let folder = Folder::new();
    let sink = ScriptedSmtp::start()
        .unwrap()
        .once(Stage::Mail, "", later());
    let _gateway = folder.open_office(sink.address());
    send(&folder);
    // The next try by itself is minutes away.
    folder.wait_until("the first try was put off", |folder| {
        let queue = folder.queue();
        queue.len() == 1 && queue[0]["attempts"] == 1 && queue[0]["state"] == "waiting"
    });
    let entry = &folder.queue()[0];
    let heard = entry["last_reply"].as_str().unwrap_or_default();
    assert!(heard.contains("451 4.3.0 later"), "{entry}");
    assert!(
        folder
            .done(&["queue", "retry", "--all"], "")
            .contains("1 recipient")
    );
    let taken = sink.wait_for_messages(1).unwrap();
    assert!(taken[0].text.ends_with(LETTER));
    folder.wait_until("the queue is empty", is_empty);
}

#[test]
fn what_is_held_stays_until_released_and_what_is_deleted_is_gone() {
    let folder = Folder::new();
    let sink = ScriptedSmtp::start().unwrap();
    let _gateway = folder.open_office(sink.address());
    folder.done(&["service", "stop", "delivery"], "");
    let (held, deleted, free) = (send(&folder), send(&folder), send(&folder));
    folder.done(&["queue", "hold", &held], "");
    folder.done(&["queue", "hold", &deleted], "");
    folder.done(&["service", "start", "delivery"], "");
    sink.wait_for_messages(1).unwrap();
    folder.wait_until("only what is held is left", |folder| {
        folder.queue().len() == 2
    });
    folder.done(&["queue", "retry", "--all"], "");
    for entry in folder.queue() {
        assert_eq!(entry["state"], "held", "{entry}");
    }
    folder.done(&["queue", "delete", &deleted, "--yes"], "");
    assert_eq!(folder.ask(&["queue", "show", &deleted], "").code, 3);
    folder.done(&["queue", "release", &held], "");
    let taken = sink.wait_for_messages(2).unwrap();
    folder.wait_until("the queue is empty", is_empty);
    assert_eq!(sink.received().len(), 2, "what was deleted was not sent");
    for id in [&held, &free] {
        let id = format!("id {id}");
        assert!(
            taken
                .iter()
                .any(|one| String::from_utf8_lossy(&one.text).contains(&id))
        );
    }
    let story = folder.json(&["history", "show", &deleted]).to_string();
    assert!(story.contains("deleted"), "{story}");
}

#[test]
fn a_restart_goes_on_with_what_was_under_way() {
    let folder = Folder::new();
    let slow = Act::Delay(Duration::from_secs(5));
    let sink = ScriptedSmtp::start().unwrap().once(Stage::Data, "", slow);
    let mut gateway = folder.open_office(sink.address());
    send(&folder);
    wait::until("the first try has begun", wait::PATIENCE, || {
        sink.commands()
            .iter()
            .any(|line| line == "DATA")
            .then_some(())
    })
    .unwrap();
    // C12: the far side may have it or not; we do not know, so it is sent again.
    gateway.running.kill();
    let _again = folder.start();
    let taken = sink.wait_for_messages(1).unwrap();
    assert!(taken[0].text.ends_with(LETTER));
    folder.wait_until("the queue is empty", is_empty);
}

#[test]
fn what_waits_while_delivery_is_stopped_outlives_a_restart() {
    let folder = Folder::new();
    let sink = ScriptedSmtp::start().unwrap();
    let mut gateway = folder.open_office(sink.address());
    folder.done(&["service", "stop", "delivery"], "");
    let id = send(&folder);
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.ended(wait::PATIENCE).code(), Some(0));
    let _again = folder.start();
    assert_eq!(folder.service("delivery")["state"]["state"], "stopped");
    assert_eq!(folder.queue()[0]["id"], id.as_str());
    assert_eq!(sink.connections(), 0);
    folder.done(&["service", "start", "delivery"], "");
    sink.wait_for_messages(1).unwrap();
    folder.wait_until("the queue is empty", is_empty);
}
