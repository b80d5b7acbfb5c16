//! Passwords and questions, with and without a person at the terminal.

use operate::{Answer, Request, StatusReport, UserReport};

use super::office::{Desk, Ran, done};

const SETUP: [&str; 5] = ["setup", "own-server", "office.example", "--user", "bob"];

fn status() -> Answer {
    Answer::Status(Box::new(StatusReport {
        version: "0.1.0".to_owned(),
        started_at: None,
        host_name: "localhost".parse().unwrap(),
        revision: 0,
        services: Vec::new(),
        queue: operate::QueueReport::default(),
        disk_free_bytes: None,
        certificate: None,
        attention: Vec::new(),
    }))
}

fn bob() -> UserReport {
    UserReport {
        name: "bob".parse().unwrap(),
        full_name: String::new(),
        enabled: true,
        scram: false,
        app_passwords: Vec::new(),
        addresses: Vec::new(),
    }
}

/// A gateway with these users.
fn set_up(desk: Desk, more: &[&str], users: &[UserReport]) -> Ran {
    let arguments: Vec<&str> = SETUP.iter().chain(more).copied().collect();
    desk.run(&arguments, |request| {
        let users = users.to_vec();
        Ok(Ok(match request {
            Request::UserList => Answer::Users { users },
            Request::Status => status(),
            _ => done(),
        }))
    })
}

fn last(ran: &Ran) -> &serde_json::Value {
    ran.asked.last().unwrap()
}

#[test]
fn a_password_from_a_pipe_loses_its_line_end_and_nothing_else() {
    for (stdin, password) in [
        ("correct horse\n", "correct horse"),
        ("correct horse\r\n", "correct horse"),
        ("correct horse", "correct horse"),
        ("  inner blanks \nsecond line\n", "  inner blanks "),
    ] {
        let desk = Desk::piped(stdin);
        let ran = desk.run(&["user", "add", "alice", "--password-stdin"], |_| {
            Ok(Ok(done()))
        });
        assert_eq!(ran.code, 0);
        assert_eq!(last(&ran)["password"], password);
    }
}

#[test]
fn an_empty_password_is_refused_before_the_gateway_is_asked() {
    for stdin in ["", "\n", "\r\n"] {
        let desk = Desk::piped(stdin);
        let ran = desk.run(&["user", "password", "alice"], |_| Ok(Ok(done())));
        assert_eq!((ran.code, ran.asked.len()), (2, 0));
        assert!(ran.err.contains("no password for alice"), "{}", ran.err);
    }
}

#[test]
fn a_person_types_the_password_twice_and_may_try_again() {
    let passwords = ["", "one thing", "another", "correct horse", "correct horse"];
    let desk = Desk::person("", &passwords);
    let ran = desk.run(&["user", "add", "alice"], |_| Ok(Ok(done())));
    assert_eq!(last(&ran)["password"], "correct horse");
    assert!(ran.err.contains("cannot be empty"), "{}", ran.err);
    assert!(ran.err.contains("not the same"), "{}", ran.err);
}

#[test]
fn a_person_who_never_types_the_same_twice_changes_nothing() {
    let passwords = ["a", "b", "c", "d", "e", "f"];
    let desk = Desk::person("", &passwords);
    let ran = desk.run(&["user", "add", "alice"], |_| Ok(Ok(done())));
    assert_eq!((ran.code, ran.asked.len()), (2, 0));
}

#[test]
fn without_a_person_port_25_stays_closed_and_that_is_said() {
    let ran = set_up(Desk::piped("correct horse\n"), &[], &[]);
    assert_eq!(last(&ran)["open_to_internet"], false);
    assert_eq!(last(&ran)["password"], "correct horse");
    assert!(ran.err.contains("stays out"), "{}", ran.err);
}

#[test]
fn the_question_names_the_exact_change() {
    let desk = Desk::person("maybe\nyes\n", &["correct horse", "correct horse"]);
    let ran = set_up(desk, &[], &[]);
    assert_eq!(last(&ran)["open_to_internet"], true);
    assert!(ran.err.contains("at 203.0.113.2:25."), "{}", ran.err);
    assert!(ran.err.contains("let port 25 in"), "{}", ran.err);
    assert!(ran.err.contains("Please answer yes, no or cancel."));
    assert!(ran.out.starts_with("Done: it.\n"), "{}", ran.out);
    assert!(ran.out.contains("gatepost sheet bob"), "{}", ran.out);
}

#[test]
fn an_empty_answer_means_no() {
    let desk = Desk::person("\n", &["correct horse", "correct horse"]);
    let ran = set_up(desk, &[], &[]);
    assert_eq!(last(&ran)["open_to_internet"], false);
}

#[test]
fn cancel_and_the_end_of_input_save_nothing() {
    for types in ["cancel\n", ""] {
        let desk = Desk::person(types, &["correct horse", "correct horse"]);
        let ran = set_up(desk, &[], &[]);
        assert_eq!(ran.code, 1);
        assert!(
            ran.asked
                .iter()
                .all(|asked| asked["verb"] != "set-up-own-server")
        );
        assert!(ran.err.contains("nothing was changed"), "{}", ran.err);
    }
}

#[test]
fn an_answer_on_the_command_line_is_not_asked_for_again() {
    let desk = Desk::person("", &["correct horse", "correct horse"]);
    let ran = set_up(desk, &["--open-internet", "yes"], &[]);
    assert_eq!(last(&ran)["open_to_internet"], true);
    assert_eq!(ran.err, "");
}

#[test]
fn a_user_who_exists_needs_no_password() {
    let ran = set_up(Desk::person("no\n", &[]), &[], &[bob()]);
    assert_eq!(ran.code, 0);
    assert_eq!(last(&ran)["password"], serde_json::Value::Null);
}

#[test]
fn deleting_asks_a_person_and_not_a_script() {
    let entries = vec![super::stories::waiting()];
    let gateway = |request: &Request| {
        Ok(Ok(match request {
            Request::QueueList { .. } => Answer::Queue {
                entries: entries.clone(),
            },
            _ => Answer::QueueChanged { count: 1 },
        }))
    };
    let no = Desk::person("\n", &[]).run(&["queue", "delete", "--all"], gateway);
    assert_eq!((no.code, no.asked.len()), (1, 1));
    let yes = Desk::person("yes\n", &[]).run(&["queue", "delete", "--all"], gateway);
    assert_eq!((yes.code, yes.out.as_str()), (0, "1 recipient changed.\n"));
    let script = Desk::piped("").run(&["queue", "delete", "--all"], gateway);
    assert_eq!((script.code, script.asked.len()), (0, 1));
}

#[test]
fn settings_are_read_from_standard_input() {
    let toml = "[receiving]\nhops_max = 50\n";
    let desk = Desk::piped(toml);
    let arguments = [
        "settings",
        "apply",
        "-",
        "--expected-revision",
        "7",
        "--dry-run",
    ];
    let ran = desk.run(&arguments, |_| Ok(Ok(done())));
    assert_eq!(last(&ran)["toml"], toml);
    assert_eq!(last(&ran)["expected_revision"], 7);
    assert_eq!(last(&ran)["dry_run"], true);
}

#[test]
fn a_history_search_counts_back_from_now() {
    let arguments = [
        "history",
        "search",
        "fred",
        "invoice",
        "--since",
        "2h",
        "--refused",
    ];
    let ran = Desk::piped("").run(&arguments, |_| Ok(Ok(done())));
    let query = &last(&ran)["query"];
    assert_eq!(query["text"], "fred invoice");
    assert_eq!(query["accepted"], false);
    let since = super::office::at("2026-11-24 07:16:04").as_millis();
    assert_eq!(query["since"], since);
    assert_eq!(query["until"], serde_json::Value::Null);
}
