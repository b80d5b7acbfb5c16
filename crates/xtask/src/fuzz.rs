//! Fuzzing: builds the targets of `fuzz/` and lets each explore for a while.
//!
//! Promises: every target runs even when an earlier one found something; the executions of each are
//! printed at the end. New inputs stay in `target/fuzz/corpus`; `fuzz/corpus` holds the seeds, which
//! ordinary tests replay. Does not: touch the workspace's lock file.

use crate::levels::{now, succeed};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version of cargo-fuzz that is installed into `target/tools`.
const CARGO_FUZZ: &str = "0.13.2";

/// No input takes more seconds, or mebibytes, than these.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// What a target came to.
struct Outcome {
    target: String,
    executions: u64,
    seconds: f64,
    passed: bool,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Wish<'a> {
    target: Option<&'a str>,
    minutes: f64,
}

/// Runs one target or all; `words` are those behind `fuzz`.
///
/// # Errors
/// When a target does not build, or found an input that breaks a promise.
pub(crate) fn fuzz(workspace: &Workspace, words: &[&str]) -> Result<()> {
    let wish = Wish::read(words)?;
    let mut targets = targets(&workspace.root)?;
    if let Some(wanted) = wish.target {
        targets.retain(|target| target == wanted);
        ensure!(
            !targets.is_empty(),
            "fuzz/Cargo.toml has no target {wanted}"
        );
    }
    let place = Place {
        program: install(workspace)?,
        root: workspace.root.clone(),
        work: workspace.root.join("target/fuzz"),
    };
    let mut outcomes = Vec::new();
    for target in targets {
        println!("\n=== {target}");
        outcomes.push(place.run(target, wish.minutes)?);
    }
    println!("\n=== executions");
    for outcome in &outcomes {
        let verdict = if outcome.passed { "ok" } else { "FAILED" };
        println!(
            "{:>12}  {:>7.0} s  {:<14} {verdict}",
            outcome.executions, outcome.seconds, outcome.target
        );
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    ensure!(
        failed == 0,
        "{failed} targets found something: see target/fuzz/artifacts"
    );
    Ok(())
}

impl<'a> Wish<'a> {
    fn read(words: &[&'a str]) -> Result<Self> {
        let mut wish = Self {
            target: None,
            minutes: 10.0,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if *word == "--minutes" {
                let minutes = words.next().context("--minutes needs a number")?;
                wish.minutes = minutes.parse().context("--minutes needs a number")?;
                ensure!(wish.minutes > 0.0, "--minutes needs a number above 0");
            } else if word.starts_with('-') || wish.target.is_some() {
                bail!("usage: cargo xtask fuzz [TARGET] [--minutes N]");
            } else {
                wish.target = Some(word);
            }
        }
        Ok(wish)
    }
}

/// Where the fuzzer works.
struct Place {
    program: PathBuf,
    root: PathBuf,
    work: PathBuf,
}

impl Place {
    /// Builds a target and lets it explore.
    fn run(&self, target: String, minutes: f64) -> Result<Outcome> {
        let corpus = self.work.join("corpus").join(&target);
        let artifacts = self.work.join("artifacts").join(&target);
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder)?;
        }
        let seeds = self.root.join("fuzz/corpus").join(&target);
        let dictionary = self.root.join(format!("fuzz/dictionaries/{target}.dict"));
        let mut command = self.fuzzer("run");
        // New inputs go into the first folder; the others are only read.
        command.arg(&target).arg(&corpus).arg(&seeds).arg("--");
        command.arg(format!("-max_total_time={:.0}", minutes * 60.0));
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.args(["-print_final_stats=1"]).args(LIMITS);
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let began = now();
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .context("cargo-fuzz")?;
        let mut executions = 0;
        if let Some(stderr) = child.stderr.take() {
            for line in BufReader::new(stderr).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                executions = executions_in(&line).unwrap_or(executions);
                if is_worth_showing(&line) {
                    println!("{line}");
                }
            }
        }
        let passed = child.wait()?.success();
        Ok(Outcome {
            target,
            executions,
            seconds: now().duration_since(began).as_secs_f64(),
            passed,
        })
    }

    /// A cargo-fuzz command on our targets; a stable compiler is told to take the fuzzer's flags.
    fn fuzzer(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.root).arg(word);
        command.arg("--fuzz-dir").arg(self.root.join("fuzz"));
        command.arg("--target-dir").arg(self.work.join("build"));
        // None of our code is unsafe: twice the speed is worth more than the address sanitizer.
        command.args(["--sanitizer", "none"]);
        command.env("RUSTC_BOOTSTRAP", "1");
        // Set by the cargo that runs this program: it is about the workspace, not about `fuzz`.
        command.env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// The number in `stat::number_of_executed_units: 123`.
fn executions_in(line: &str) -> Option<u64> {
    let number = line.strip_prefix("stat::number_of_executed_units:")?;
    number.trim().parse().ok()
}

/// Of the fuzzer's progress only every doubling is shown, not every new input, function or word.
fn is_worth_showing(line: &str) -> bool {
    let milestones = ["INITED", "pulse", "DONE"];
    let is_detail = ["NEW_FUNC", "#", "\""];
    let is_detail = is_detail
        .iter()
        .any(|start| line.trim_start().starts_with(start));
    !is_detail || milestones.iter().any(|word| line.contains(word))
}

/// The targets that `fuzz/Cargo.toml` names.
fn targets(root: &Path) -> Result<Vec<String>> {
    let file = root.join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let manifest: toml::Table = text.parse()?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array);
    let names = programs.into_iter().flatten().filter_map(|program| {
        let name = program.get("name").and_then(toml::Value::as_str)?;
        Some(name.to_owned())
    });
    Ok(names.collect())
}

/// Installs cargo-fuzz where it is missing; answers where it is.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.root.join("target/tools");
    let program = tools.join("bin/cargo-fuzz");
    let wanted = format!("cargo-fuzz {CARGO_FUZZ}");
    let found = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == wanted);
    if !found {
        println!("xtask: installing {wanted} into target/tools");
        let build = tools.join("build-fuzz");
        let mut command = workspace.cargo();
        command.args(["install", "--quiet", "--locked", "--debug", "--force"]);
        command.args(["cargo-fuzz", "--version", CARGO_FUZZ, "--root"]);
        command.arg(&tools).env("CARGO_TARGET_DIR", &build);
        succeed(command)?;
        std::fs::remove_dir_all(build)?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_a_target_and_a_time() {
        let wish = Wish::read(&["mail_address", "--minutes", "0.5"]).unwrap();
        assert_eq!(wish.target, Some("mail_address"));
        assert!((wish.minutes - 0.5).abs() < 1e-9);
        assert!(Wish::read(&["--minutes"]).is_err());
        assert!(Wish::read(&["a", "b"]).is_err());
    }

    #[test]
    fn every_target_has_seeds() {
        let workspace = Workspace::find().unwrap();
        let targets = targets(&workspace.root).unwrap();
        assert!(targets.len() >= 6);
        for target in targets {
            let seeds = workspace.root.join("fuzz/corpus").join(&target);
            assert!(seeds.read_dir().unwrap().next().is_some(), "{target}");
        }
    }

    #[test]
    fn executions_are_read_from_the_fuzzers_statistics() {
        let line = "stat::number_of_executed_units: 1234";
        assert_eq!(executions_in(line), Some(1234));
        assert!(is_worth_showing(line));
        assert!(!is_worth_showing("#17\tNEW    cov: 1"));
    }
}
