//! Every command has help with examples, and every example is a command.

use clap::{Command, CommandFactory, Parser};
use cli::Cli;

/// Every command of the tree, each with its path; groups too.
fn all(command: &Command, path: &str) -> Vec<(String, Command)> {
    let mut found = vec![(path.to_owned(), command.clone())];
    let subcommands = command.get_subcommands();
    for one in subcommands.filter(|one| !one.is_hide_set() && one.get_name() != "help") {
        found.extend(all(one, &format!("{path} {}", one.get_name())));
    }
    found
}

fn after_help(command: &Command) -> String {
    let help = command.get_after_help().or(command.get_after_long_help());
    help.map(ToString::to_string).unwrap_or_default()
}

/// The example lines of a help text: each part of a pipe that runs this program.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().filter(|line| line.starts_with("  "));
    let parts = lines.flat_map(|line| line.split(" | "));
    parts
        .map(|part| part.split(" > ").next().unwrap().trim())
        .map(|part| part.trim_start_matches("sudo ").to_owned())
        .filter(|part| part.starts_with("gatepost "))
        .collect()
}

/// Words as a shell splits them, as far as examples need it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => (quote, begun) = (Some(letter), true),
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => word.push(letter),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn every_example_in_the_help_is_understood() {
    let mut count = 0;
    for (path, command) in all(&Cli::command(), "gatepost") {
        for example in examples(&after_help(&command)) {
            count += 1;
            if let Err(error) = Cli::try_parse_from(words(&example)) {
                assert!(!error.use_stderr(), "{path}: {example}\n{error}");
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn every_command_has_an_example_of_itself() {
    for (path, command) in all(&Cli::command(), "gatepost") {
        let help = after_help(&command);
        let own = examples(&help)
            .iter()
            .any(|example| path.split(' ').all(|word| example.contains(word)));
        assert!(own, "{path} has no example in its help:\n{help}");
    }
}

#[test]
fn the_command_tree_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_documents_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("5 no gateway runs"), "{help}");
    assert!(!help.contains("privileged-helper"), "{help}");
}

#[test]
fn an_action_on_the_queue_needs_to_be_told_on_what() {
    for wrong in [
        "gatepost queue delete",
        "gatepost queue retry --all --destination partner.example",
        "gatepost queue retry 01J8-7QK3-0A1BC --all",
        "gatepost address catch-all office.example",
        "gatepost address add bob@office.example",
        "gatepost history search --refused --accepted",
        "gatepost service start spool",
        "gatepost explain --from <> --to bob@office.example --peer ::1 --service pop3",
        "gatepost user add Bob@office",
        "gatepost explain --from a --to bob@office.example --peer 198.51.100.7",
        "gatepost --data /srv/mail --boot /etc/other.toml status",
    ] {
        let error = Cli::try_parse_from(words(wrong)).expect_err(wrong);
        assert_eq!(error.exit_code(), 2, "{wrong}");
    }
}

#[test]
fn global_options_are_understood_before_and_after_the_command() {
    let before = Cli::try_parse_from(words("gatepost --json --data /srv/mail status")).unwrap();
    let after = Cli::try_parse_from(words("gatepost status --data /srv/mail --json")).unwrap();
    assert!(before.json && after.json);
    assert_eq!(before.data, after.data);
    assert!(before.needs_folder());
}

#[test]
fn completion_scripts_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let desk = super::office::Desk::piped("");
        let ran = desk.run(&["completion", shell], |_| Ok(Ok(super::office::done())));
        assert_eq!((ran.code, ran.asked.len()), (0, 0));
        assert!(ran.out.contains("own-server"), "{shell}");
    }
}
