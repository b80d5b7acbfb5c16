//! The levels of tests, from cheap to dear, and the order in which they run.
//!
//! Promises: every level runs even when an earlier one failed; the wall time of each is printed;
//! the last line is the sum of what the test runner counted, in the runner's own form.

use crate::machine;
use crate::peers;
use crate::runner::{self, Count};
use crate::tidy;
use crate::workspace::Workspace;
use anyhow::{Result, bail, ensure};
use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

/// The version of cargo-deny that is installed into `target/tools`.
const CARGO_DENY: &str = "0.20.2";

/// What a level came to.
struct Outcome {
    name: &'static str,
    took: Duration,
    passed: bool,
}

/// Whether the quick level has the crash tests in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crashes {
    /// It has.
    Too,
    /// They are left to `test`, where the runner can leave them out.
    Left,
}

/// A run of several levels.
struct Levels<'a> {
    workspace: &'a Workspace,
    outcomes: Vec<Outcome>,
    count: Count,
    nextest: bool,
    began: Instant,
}

/// Everything, as CI runs it.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    let mut levels = Levels::new(workspace);
    levels.run("machine", |_| machine::install_missing());
    levels.run("peers", |levels| peers::build(levels.workspace));
    levels.run("tidy", |levels| tidy_level(levels.workspace));
    levels.run("quick", |levels| levels.quick_tests(Crashes::Too));
    levels.run("clippy", |levels| {
        let mut clippy = levels.workspace.cargo();
        clippy.args(["clippy", "--quiet", "--workspace", "--all-targets"]);
        clippy.args(["--all-features", "--", "-D", "warnings"]);
        succeed(clippy)
    });
    levels.run("rustfmt", |levels| {
        let mut format = levels.workspace.cargo();
        format.args(["fmt", "--all", "--check"]);
        succeed(format)
    });
    levels.run("cargo-deny", |levels| dependencies(levels.workspace));
    levels.run("doc tests", |levels| {
        let mut doc = levels.workspace.cargo();
        doc.args(["test", "--workspace", "--doc", "--no-fail-fast"]);
        levels.tests(doc)
    });
    levels.run("end to end", |levels| levels.end_to_end(None));
    levels.finish()
}

/// The inner loop: what needs neither peers nor root.
pub(crate) fn quick(workspace: &Workspace) -> Result<()> {
    let mut levels = Levels::new(workspace);
    levels.run("tidy", |levels| tidy_level(levels.workspace));
    levels.run("quick", |levels| levels.quick_tests(Crashes::Left));
    levels.finish()
}

/// End to end only, or those of its tests whose name contains `name`.
pub(crate) fn e2e(workspace: &Workspace, name: Option<&str>) -> Result<()> {
    machine::install_missing()?;
    peers::build(workspace)?;
    let mut levels = Levels::new(workspace);
    levels.run("end to end", |levels| levels.end_to_end(name));
    levels.finish()
}

/// Only the tidy level.
pub(crate) fn tidy(workspace: &Workspace) -> Result<()> {
    tidy_level(workspace)
}

impl<'a> Levels<'a> {
    fn new(workspace: &'a Workspace) -> Self {
        Self {
            workspace,
            outcomes: Vec::new(),
            count: Count::default(),
            nextest: runner::has_nextest(workspace),
            began: now(),
        }
    }

    /// Runs one level and notes how it went; a failure is shown at once and remembered.
    fn run(&mut self, name: &'static str, level: impl FnOnce(&mut Self) -> Result<()>) {
        println!("\n=== {name}");
        let began = now();
        let result = level(self);
        if let Err(problem) = &result {
            println!("=== {name} failed: {problem:#}");
        }
        self.outcomes.push(Outcome {
            name,
            took: now().duration_since(began),
            passed: result.is_ok(),
        });
    }

    /// Unit tests, transcripts, properties and conformance: every test target without peers.
    fn quick_tests(&mut self, crashes: Crashes) -> Result<()> {
        let mut tests = self.workspace.cargo();
        if self.nextest {
            tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            tests.args(["--no-tests=pass", "--status-level=fail"]);
            tests.args(["--final-status-level=fail"]);
            if crashes == Crashes::Left {
                // Killed processes and traced disks take about half of the whole level.
                tests.args(["--filterset", "not binary(crash)"]);
            }
        } else {
            tests.args(["test", "--quiet", "--workspace", "--no-fail-fast"]);
            tests.args(["--lib", "--bins", "--tests"]);
        }
        self.tests(tests)
    }

    /// The test targets that name the feature `e2e` as required.
    fn end_to_end(&mut self, name: Option<&str>) -> Result<()> {
        ensure!(
            machine::is_root(),
            "end to end makes network namespaces and needs root"
        );
        let mut tests = self.workspace.cargo();
        if self.nextest {
            tests.args(["nextest", "run", "--no-fail-fast", "--no-tests=fail"]);
        } else {
            tests.args(["test", "--no-fail-fast"]);
        }
        let mut features: Vec<String> = Vec::new();
        let targets = self.workspace.end_to_end_targets()?;
        ensure!(!targets.is_empty(), "no end-to-end test target was found");
        for target in &targets {
            tests.args(["--test", &target.name]);
            let feature = format!("{}/e2e", target.package);
            if !features.contains(&feature) {
                tests.args(["--package", &target.package]);
                features.push(feature);
            }
        }
        tests.args(["--features", &features.join(",")]);
        tests.args(name);
        tests.env("GATEPOST_PEERS", self.workspace.root.join("target/peers"));
        self.tests(tests)
    }

    /// Runs a test command and adds what it counted.
    fn tests(&mut self, command: Command) -> Result<()> {
        let (passed, count) = runner::run(command)?;
        self.count.add(count);
        ensure!(passed, "{} tests failed, or did not build", count.failed);
        Ok(())
    }

    /// Prints the table of levels and the closing line.
    fn finish(self) -> Result<()> {
        let failed: Vec<&str> = self
            .outcomes
            .iter()
            .filter(|outcome| !outcome.passed)
            .map(|outcome| outcome.name)
            .collect();
        println!("\n=== wall time");
        for outcome in &self.outcomes {
            let verdict = if outcome.passed { "ok" } else { "FAILED" };
            let seconds = outcome.took.as_secs_f64();
            println!("{seconds:>8.1} s  {:<12} {verdict}", outcome.name);
        }
        if !failed.is_empty() {
            println!("failed: {}", failed.join(", "));
        }
        let Count {
            passed,
            failed: tests_failed,
            skipped,
        } = self.count;
        let seconds = now().duration_since(self.began).as_secs_f64();
        let sum = passed + tests_failed;
        println!(
            "     Summary [{seconds:>8.3}s] {sum} tests run: {passed} passed, \
             {tests_failed} failed, {skipped} skipped"
        );
        if failed.is_empty() {
            return Ok(());
        }
        // Said above: an error message here would follow the summary, which is to be last.
        std::process::exit(1)
    }
}

/// Runs tidy and shows each problem on a line of its own.
fn tidy_level(workspace: &Workspace) -> Result<()> {
    let problems = tidy::check(workspace)?;
    for problem in &problems {
        println!("{problem}");
    }
    ensure!(problems.is_empty(), "{} tidy problems", problems.len());
    Ok(())
}

/// Licences, bans and sources by cargo-deny, without the network.
fn dependencies(workspace: &Workspace) -> Result<()> {
    let tools = workspace.root.join("target/tools");
    let program = tools.join("bin/cargo-deny");
    let wanted = format!("cargo-deny {CARGO_DENY}");
    let found = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == wanted);
    if !found {
        println!("xtask: installing {wanted} into target/tools");
        let mut install = workspace.cargo();
        // Built without optimisation: it runs for seconds, and compiles in half the time.
        install.args(["install", "--quiet", "--locked", "--debug", "--force"]);
        install.args(["cargo-deny", "--version", CARGO_DENY, "--root"]);
        install.arg(&tools);
        install.env(
            "CARGO_TARGET_DIR",
            workspace.root.join("target/tools/build"),
        );
        succeed(install)?;
        // Only the program is kept: what it was built from is a gigabyte.
        std::fs::remove_dir_all(tools.join("build"))?;
    }
    // cargo-deny reads every crate of the lock file, also those of other systems.
    let mut fetch = workspace.cargo();
    fetch.args(["fetch", "--quiet", "--locked"]);
    succeed(fetch)?;
    let mut check = Command::new(program);
    check.current_dir(&workspace.root);
    check.args(["--offline", "--log-level", "error", "check"]);
    check.args(["--hide-inclusion-graph", "licenses", "bans", "sources"]);
    succeed(check)?;
    println!("advisories: not run (their database is not on this machine)");
    Ok(())
}

/// Runs a command with its output shown.
pub(crate) fn succeed(mut command: Command) -> Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    let words: Vec<OsString> = command.get_args().map(OsString::from).collect();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    bail!(
        "{} {}: {status}",
        command.get_program().to_string_lossy(),
        words.join(" ")
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "this measures the wall time of a developer's command; no simulation runs it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
