//! Exit codes that scripts rely on, and a boot file that is wrong.

use std::net::SocketAddr;
use std::process::Command;

use testkit::running;

use crate::program::{Folder, PASSWORD, PROGRAM};
use crate::stopping::NOWHERE;

#[test]
fn exit_codes_tell_what_came_of_a_command() {
    let folder = Folder::new();
    assert_eq!(folder.ask(&["status"], "").code, 5, "no gateway runs");
    let _gateway = folder.open_office(SocketAddr::from(NOWHERE));
    for (words, input, code) in [
        (&["status"][..], "", 0),
        (&["status", "--no-such-option"], "", 2),
        (&["user", "add", "bob", "--password-stdin"], PASSWORD, 1),
        (&["user", "disable", "carol"], "", 3),
        (&["history", "show", "01J8-7QK3-0A1BC"], "", 3),
        (
            &["settings", "apply", "-"],
            "[receiving]\nhops_max = \"many\"",
            4,
        ),
        (&["settings", "apply", "-"], "[kitchen]", 4),
        (
            &["settings", "apply", "-", "--expected-revision", "77"],
            "[receiving]",
            4,
        ),
        (&["settings", "apply", "/no/such/file"], "", 1),
        (&["settings", "revision", "99"], "", 3),
    ] {
        let outcome = folder.ask(words, input);
        assert_eq!(outcome.code, code, "{words:?}: {outcome:?}");
        assert!(!outcome.output.is_empty(), "{words:?} said nothing");
    }
}

#[test]
fn explain_says_by_its_exit_code_what_would_happen() {
    let folder = Folder::new();
    let _gateway = folder.open_office(SocketAddr::from(NOWHERE));
    let explain = |from: &str, to: &str, peer: &str| {
        let words = ["explain", "--from", from, "--to", to, "--peer", peer];
        folder.ask(&words, "").code
    };
    assert_eq!(
        explain("alice@office.test", "bob@office.test", "127.0.0.1"),
        0
    );
    assert_eq!(explain("<>", "bob@office.test", "127.0.0.2"), 0);
    assert_eq!(explain("<>", "eve@office.test", "127.0.0.2"), 10);
    assert_eq!(explain("<>", "fred@far.test", "127.0.0.2"), 10);
    // More free disk than there is: everybody is asked to come again.
    let full = "[receiving]\ndisk_free_bytes_min = 1000000000000000";
    folder.done(&["settings", "apply", "-"], full);
    assert_eq!(
        explain("alice@office.test", "bob@office.test", "127.0.0.1"),
        11
    );
}

#[test]
fn a_wrong_boot_file_is_named_with_its_fault() {
    let folder = Folder::new();
    let file = folder.beside("boot.toml");
    for (text, fault) in [
        ("dada = \"/srv/mail\"", "dada"),
        ("data = \"mail\"", "absolute"),
        ("data =", "boot.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        for words in [&["serve", "--loopback-ports", "0"][..], &["status"]] {
            let mut command = Command::new(PROGRAM);
            command.arg("--boot").arg(&file).args(words);
            let outcome = running::run(command, b"").unwrap();
            assert_eq!(outcome.code, 1, "{outcome:?}");
            for wanted in [fault, "boot.toml"] {
                assert!(outcome.output.contains(wanted), "{outcome:?}");
            }
        }
    }
    let mut both = folder.gatepost(&[]);
    both.arg("--boot").arg(&file).arg("status");
    assert_eq!(running::run(both, b"").unwrap().code, 2);
}

#[test]
fn a_boot_file_names_the_data_folder() {
    let folder = Folder::new();
    let file = folder.beside("boot.toml");
    std::fs::write(&file, format!("data = \"{}\"", folder.data.display())).unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("--boot").arg(&file);
    command.args(["serve", "--loopback-ports", "0"]);
    let _gateway = folder.start_as(command);
    folder.done(&["status"], "");
}
