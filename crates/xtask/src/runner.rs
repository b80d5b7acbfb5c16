//! The test runner: nextest where it is found, else `cargo test`.
//!
//! Promises: a run's output is shown as it comes, and its summary is read from it, so that the sum
//! over all runs can be the last thing printed. Does not decide what is run.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Tests counted from the runner's own summary lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// Adds another run's count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads one line of output: nextest's `Summary […]`, or `test result: …` of `cargo test`.
    fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        let numbers = if line.starts_with("Summary [") {
            line.split_once("run: ")?.1
        } else {
            line.strip_prefix("test result: ")?.split_once(". ")?.1
        };
        let mut count = Self::default();
        for part in numbers.split([',', ';']) {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what.split(' ').next().unwrap_or_default() {
                "passed" => count.passed += number,
                "failed" | "timed" | "exec" => count.failed += number,
                "skipped" | "ignored" => count.skipped += number,
                _ => {}
            }
        }
        Some(count)
    }
}

/// Whether nextest is installed.
pub(crate) fn has_nextest(workspace: &Workspace) -> bool {
    workspace
        .cargo()
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs a test command, showing and counting; the flag says whether it succeeded.
pub(crate) fn run(mut command: Command) -> Result<(bool, Count)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the test runner could not be started")?;
    let count = Mutex::new(Count::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(|| show(stderr, &count));
        }
        if let Some(stdout) = stdout {
            show(stdout, &count);
        }
    });
    let status = child.wait()?;
    let count = count.into_inner().unwrap_or_default();
    Ok((status.success(), count))
}

/// Passes lines on to our own output and counts the summaries among them.
fn show(stream: impl Read, count: &Mutex<Count>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let mut out = std::io::stdout().lock();
        // A closed terminal must not end the run: the exit code still counts.
        let _ = out.write_all(&line).and_then(|()| out.flush());
        if let (Some(read), Ok(mut sum)) =
            (Count::read(&String::from_utf8_lossy(&line)), count.lock())
        {
            sum.add(read);
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passed: u64, failed: u64, skipped: u64) -> Count {
        Count {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn nextest_summary_is_read() {
        let line =
            "     Summary [   0.006s] 13 tests run: 9 passed (1 slow), 4 failed, 2 skipped\n";
        assert_eq!(Count::read(line), Some(count(9, 4, 2)));
    }

    #[test]
    fn cargo_test_result_is_read() {
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Count::read(line), Some(count(3, 1, 0)));
    }

    #[test]
    fn other_lines_are_no_summary() {
        assert_eq!(Count::read("running 3 tests"), None);
    }
}
