//! A gateway under strace.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use testkit::running::Running;
use testkit::wait;

use crate::program::{Folder, PROGRAM, is_alive, send_signal};
use crate::trace::{self, Call};

const CALLS: &str = "trace=openat,write,writev,pwrite64,pwritev,pwritev2,rename,renameat,renameat2,\
                     link,linkat,unlink,unlinkat,fsync,fdatasync,sendto,sendmsg";

/// A gateway whose calls are written down; ended when dropped.
pub(crate) struct Traced {
    strace: Running,
    lock: PathBuf,
    file: PathBuf,
}

impl Traced {
    /// Starts it; `inject` as strace's `-e inject=` wants it. `None` when it ended before it was
    /// ready.
    pub(crate) fn start(folder: &Folder, inject: Option<&str>) -> Option<Self> {
        let file = folder.beside("trace");
        let mut command = Command::new("strace");
        // Strings long enough for a whole page of the database.
        command
            .args(["-f", "-tt", "-yy", "-s", "4200", "-o"])
            .arg(&file);
        command.args(["-e", CALLS]);
        if let Some(inject) = inject {
            command.arg("-e").arg(format!("inject={inject}"));
        }
        command.arg(PROGRAM).arg("--data").arg(&folder.data);
        command.args(["serve", "--loopback-ports", "0"]);
        let log = folder.beside("log");
        let strace = Running::start(command, &log).expect("strace is needed: apt install strace");
        let mut traced = Self {
            strace,
            lock: folder.data.join("lock"),
            file,
        };
        traced.ready().then_some(traced)
    }

    fn ready(&mut self) -> bool {
        wait::until("the traced gateway", wait::PATIENCE, || {
            let over = self.strace.ended().is_some();
            let ready = self.strace.output().contains("gatepost is ready");
            (over || ready).then_some(ready)
        })
        .unwrap_or_else(|error| panic!("{error}: {}", self.strace.output()))
    }

    /// The gateway itself, whose id stands in the lock of its folder.
    fn gateway(&self) -> Option<u32> {
        let id = std::fs::read_to_string(&self.lock).ok()?;
        id.trim().parse().ok().filter(|id| is_alive(*id))
    }

    /// Ends it with SIGTERM; the calls it made.
    pub(crate) fn end(mut self) -> Vec<Call> {
        if let Some(gateway) = self.gateway() {
            send_signal(gateway, Signal::TERM);
        }
        let ended = wait::until("the end", Duration::from_mins(1), || self.strace.ended());
        ended.unwrap_or_else(|error| panic!("{error}: {}", self.strace.output()));
        let text = std::fs::read(&self.file).unwrap();
        trace::read(&String::from_utf8_lossy(&text))
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // Killing strace would leave the gateway running by itself.
        if self.strace.ended().is_none()
            && let Some(gateway) = self.gateway()
        {
            send_signal(gateway, Signal::KILL);
        }
    }
}
