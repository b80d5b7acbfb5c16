//! Services: a port that cannot be had, stop and start, and what is remembered.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rustix::process::Signal;

use crate::program::{Folder, Smtp, free_ports};
use crate::stopping::NOWHERE;

#[test]
fn a_port_in_use_fails_that_service_alone_and_names_the_holder() {
    let folder = Folder::new();
    let first = free_ports();
    let hold = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (smtp, submission) = (hold(first), hold(first + 1));
    let _gateway = folder.start_as(folder.serve(first));

    let failed = folder.service("smtp");
    assert_eq!(failed["state"]["state"], "failed", "{failed}");
    let why = failed["state"]["why"].as_str().unwrap();
    let holder = std::process::id().to_string();
    assert!(
        why.contains(&holder) && why.contains(&first.to_string()),
        "{why}"
    );
    assert_eq!(folder.service("pop3")["state"]["state"], "running");
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, first + 3)).is_ok());
    let status = folder.json(&["status"]);
    assert!(
        status["attention"]
            .to_string()
            .contains("smtp does not run"),
        "{status}"
    );

    let refused = folder.ask(&["service", "start", "smtp"], "");
    assert_eq!(refused.code, 1);
    assert!(refused.output.contains(&holder), "{}", refused.output);
    drop(smtp);
    folder.done(&["service", "start", "smtp"], "");
    assert!(Smtp::greeted(SocketAddr::from((Ipv4Addr::LOCALHOST, first))).is_ok());

    // Nobody asks for this one: it is tried again by itself.
    drop(submission);
    folder.wait_until("submission comes up by itself", |folder| {
        folder.service("submission")["state"]["state"] == "running"
    });
}

#[test]
fn a_stopped_service_closes_its_port_touches_no_other_and_stays_stopped() {
    let folder = Folder::new();
    let mut gateway = folder.open_office(SocketAddr::from(NOWHERE));
    let (smtp, submission) = (folder.address("smtp"), folder.address("submission"));
    let mut session = Smtp::greeted(submission).unwrap();
    let mut ended = Smtp::greeted(smtp).unwrap();
    folder.done(&["service", "stop", "smtp"], "");
    assert!(TcpStream::connect(smtp).is_err());
    assert!(ended.reply().unwrap().0.starts_with("421 "));
    assert!(session.say("NOOP").unwrap().0.starts_with("250 "));
    folder.wait_until("smtp is stopped", |folder| {
        folder.service("smtp")["state"]["state"] == "stopped"
    });
    folder.pop3("bob").quit().unwrap();

    gateway.signal(Signal::TERM);
    gateway.ended(testkit::wait::PATIENCE);
    let _again = folder.start();
    assert_eq!(folder.service("smtp")["state"]["state"], "stopped");
    assert_eq!(folder.service("submission")["state"]["state"], "running");
    folder.done(&["service", "start", "smtp"], "");
    folder.smtp();
}
