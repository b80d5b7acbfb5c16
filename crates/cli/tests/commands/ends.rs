//! Exit codes, errors, and documents for scripts.

use std::path::PathBuf;

use operate::control::AskError;
use operate::{Answer, OperateError};
use policy::settings::Problem;

use super::office::{Desk, Ran, done};

fn refused(arguments: &[&str], error: &OperateError) -> Ran {
    Desk::piped("").run(arguments, |_| Ok(Err(error.clone())))
}

fn not_running() -> AskError {
    AskError::NotRunning {
        folder: PathBuf::from("/srv/mail"),
    }
}

fn two_problems() -> OperateError {
    OperateError::Problems {
        problems: vec![
            Problem::new(
                "addresses.list[2].users",
                "No user is named.",
                "Name at least one.",
            ),
            Problem::new("machine.host_name", "This is missing.", "Write one."),
        ],
    }
}

#[test]
fn every_problem_is_told_with_its_field_and_what_to_do() {
    let ran = refused(&["settings", "apply", "-"], &two_problems());
    assert_eq!(ran.code, 4);
    assert_eq!(ran.out, "");
    assert_eq!(
        ran.err,
        "The settings have 2 problems; nothing was changed.\n\
         \x20 addresses.list[2].users: No user is named.\n\
         \x20     Name at least one.\n\
         \x20 machine.host_name: This is missing.\n\
         \x20     Write one.\n"
    );
}

#[test]
fn what_does_not_exist_has_a_code_of_its_own() {
    let what = "user carol".to_owned();
    let ran = refused(
        &["user", "remove", "carol"],
        &OperateError::NotFound { what },
    );
    assert_eq!(ran.code, 3);
    assert_eq!(ran.err, "gatepost: user carol does not exist\n");
    let gone = Answer::Queue {
        entries: Vec::new(),
    };
    let ran = Desk::piped("").run(&["queue", "show", "01J8-7QK3-0A1BC"], |_| {
        Ok(Ok(gone.clone()))
    });
    assert_eq!(ran.code, 3);
}

#[test]
fn a_refusal_names_the_remedy() {
    let error = OperateError::Refused {
        why: "a password has at least 8 characters".to_owned(),
        remedy: "choose another password".to_owned(),
    };
    let ran = refused(&["user", "enable", "carol"], &error);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "gatepost: a password has at least 8 characters\n    choose another password\n"
    );
}

#[test]
fn without_a_gateway_it_is_said_how_to_start_one() {
    let ran = Desk::piped("").run(&["status"], |_| Err(not_running()));
    assert_eq!(ran.code, 5);
    assert!(
        ran.err
            .starts_with("gatepost: no gateway runs for /srv/mail\n")
    );
    assert!(
        ran.err.contains("gatepost serve --data /srv/mail"),
        "{}",
        ran.err
    );
}

#[test]
fn nobody_types_a_password_for_a_gateway_that_does_not_run() {
    let desk = Desk::person("", &[]);
    let ran = desk.run(
        &["setup", "own-server", "office.example", "--user", "bob"],
        |_| Err(not_running()),
    );
    assert_eq!(ran.code, 5);
}

#[test]
fn an_answer_is_one_document_that_reads_back() {
    let ran = Desk::piped("").run(&["--json", "user", "enable", "bob"], |_| Ok(Ok(done())));
    assert_eq!(ran.out.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Answer>(&ran.out).unwrap(), done());
    let story = super::stories::story();
    let answer = Answer::Story {
        story: Box::new(story),
    };
    let arguments = ["history", "show", "01J8-7QK3-0A1BC", "--json"];
    let ran = Desk::piped("").run(&arguments, |_| Ok(Ok(answer.clone())));
    assert_eq!(serde_json::from_str::<Answer>(&ran.out).unwrap(), answer);
}

#[test]
fn an_error_is_one_document_that_reads_back() {
    let ran = refused(&["settings", "apply", "-", "--json"], &two_problems());
    assert_eq!((ran.code, ran.err.as_str()), (4, ""));
    let error: OperateError = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(error, two_problems());
    let ran = Desk::piped("").run(&["status", "--json"], |_| Err(not_running()));
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["error"], "not-running");
    assert_eq!(ran.code, 5);
}

#[test]
fn explain_ends_with_the_outcome() {
    for (outcome, code) in [
        (policy::Outcome::Accept, 0),
        (policy::Outcome::Refuse, 10),
        (policy::Outcome::Defer, 11),
    ] {
        let mut explanation = super::stories::explanation();
        explanation.outcome = outcome;
        let answer = Answer::Explanation {
            explanation: Box::new(explanation),
        };
        for json in ["--json", "--service=smtp"] {
            let arguments = [
                "explain",
                "--from",
                "<>",
                "--to",
                "bob@office.example",
                "--peer",
                "::1",
                json,
            ];
            let ran = Desk::piped("").run(&arguments, |_| Ok(Ok(answer.clone())));
            assert_eq!(ran.code, code);
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let arguments = ["settings", "apply", "no-such-file.toml"];
    let ran = Desk::piped("").run(&arguments, |_| Ok(Ok(done())));
    assert_eq!((ran.code, ran.asked.len()), (1, 0));
    assert!(ran.err.contains("no-such-file.toml"), "{}", ran.err);
}

#[test]
fn the_version_asks_nobody() {
    let ran = Desk::piped("").run(&["version"], |_| Err(not_running()));
    assert_eq!((ran.code, ran.asked.len()), (0, 0));
    assert!(ran.out.starts_with("gatepost "));
}

#[test]
fn commands_of_the_binary_itself_are_not_carried_out_here() {
    for command in ["serve", "demo", "install"] {
        let ran = Desk::piped("").run(&[command], |_| Ok(Ok(done())));
        assert_eq!((ran.code, ran.asked.len()), (2, 0));
    }
}
