//! A program that a test started and that ends with the test.
//!
//! Promises: ended on drop by its own process id; its output can be read at any time.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// What a finished program said.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it wrote to standard output and then to standard error.
    pub output: String,
}

impl Outcome {
    /// Whether it exited with 0.
    pub const fn ok(&self) -> bool {
        self.code == 0
    }

    /// Itself, if it exited with 0.
    ///
    /// # Errors
    /// With the whole output otherwise.
    pub fn succeeded(self) -> Result<Self> {
        if self.ok() {
            return Ok(self);
        }
        bail!("exit code {}:\n{}", self.code, self.output)
    }
}

/// Runs a program to its end, with `input` on its standard input.
///
/// # Errors
/// When it cannot be started; a failing exit code is an answer, not an error.
pub fn run(mut command: Command, input: &[u8]) -> Result<Outcome> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input closes it: that is no failure of ours.
            scope.spawn(move || std::io::Write::write_all(&mut stdin, input).is_ok());
        }
        child.wait_with_output()
    })?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Outcome {
        code: output.status.code().unwrap_or(-1),
        output: String::from_utf8_lossy(&text).into_owned(),
    })
}

/// A program that runs beside the test.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program; standard output and standard error go to the file `log`.
    ///
    /// # Errors
    /// When the log cannot be written or the program cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a process that is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_exit_code_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo err >&2; exit 3"]);
        let outcome = run(command, b"in ").unwrap();
        assert_eq!(outcome.code, 3);
        assert_eq!(outcome.output, "in err\n");
        assert!(outcome.succeeded().is_err());
    }
}
