//! What server processes have used so far, as the kernel counts it.
//!
//! Promises: *the server* is every process of this network namespace but ourselves; children that
//! have ended are counted with the parent that waited for them. CPU in steps of a clock tick (10 ms).
//! Does not: count what the kernel writes for the file system's own journal.

use crate::clock::{count, now, real};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The server's memory at one moment.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Resident memory in KiB; pages shared by several processes count several times.
    pub(crate) resident_kib: u64,
    /// Proportional memory in KiB: shared pages are divided among those who share them.
    pub(crate) proportional_kib: u64,
    /// Processes.
    pub(crate) processes: u64,
}

impl Memory {
    /// Memory of the server now.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(crate) fn of_server() -> Result<Self> {
        let mut memory = Self::default();
        for process in server_processes()? {
            let sums = process.join("smaps_rollup");
            memory.resident_kib += field(&sums, "Rss:");
            memory.proportional_kib += field(&sums, "Pss:");
            memory.processes += 1;
        }
        Ok(memory)
    }

    /// Resident and proportional memory in MiB.
    pub(crate) fn mebibytes(&self) -> (f64, f64) {
        (
            real(self.resident_kib) / 1024.0,
            real(self.proportional_kib) / 1024.0,
        )
    }
}

/// What was used between two moments.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Work {
    /// CPU time of the server in seconds, user and system.
    pub(crate) server_cpu_seconds: f64,
    /// CPU time of this process in seconds.
    pub(crate) own_cpu_seconds: f64,
    /// CPU time of everybody else, in percent of what the machine has: figures taken beside much
    /// foreign work say little.
    pub(crate) foreign_percent: f64,
    /// Octets that the server handed to file systems on disk.
    pub(crate) written_bytes: u64,
}

/// A first look at what was used, which a second one turns into work.
#[derive(Debug)]
pub(crate) struct Meter {
    at: Instant,
    server_cpu_seconds: f64,
    own_cpu_seconds: f64,
    busy_seconds: f64,
    written_bytes: u64,
}

impl Meter {
    /// Looks.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(crate) fn start() -> Result<Self> {
        let mut meter = Self {
            at: now(),
            server_cpu_seconds: 0.0,
            own_cpu_seconds: cpu_seconds(&fs::read_to_string("/proc/self/stat")?, 2),
            busy_seconds: busy_seconds(&fs::read_to_string("/proc/stat")?),
            written_bytes: 0,
        };
        for process in server_processes()? {
            // A process that has just ended is counted with its parent.
            let Ok(stat) = fs::read_to_string(process.join("stat")) else {
                continue;
            };
            meter.server_cpu_seconds += cpu_seconds(&stat, 4);
            meter.written_bytes += field(&process.join("io"), "write_bytes:");
        }
        Ok(meter)
    }

    /// Looks again.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(crate) fn stop(&self) -> Result<Work> {
        let after = Self::start()?;
        let server_cpu_seconds = after.server_cpu_seconds - self.server_cpu_seconds;
        let own_cpu_seconds = after.own_cpu_seconds - self.own_cpu_seconds;
        let busy = after.busy_seconds - self.busy_seconds;
        let cores = std::thread::available_parallelism()?.get();
        let whole = after.at.duration_since(self.at).as_secs_f64() * real(count(cores));
        let foreign = (busy - server_cpu_seconds - own_cpu_seconds).max(0.0);
        Ok(Work {
            server_cpu_seconds,
            own_cpu_seconds,
            foreign_percent: 100.0 * foreign / whole.max(1e-9),
            written_bytes: after.written_bytes.saturating_sub(self.written_bytes),
        })
    }
}

/// CPU time that the whole machine has spent on anything, in seconds.
fn busy_seconds(stat: &str) -> f64 {
    let first = stat.lines().next().unwrap_or_default();
    let ticks: u64 = first
        .split_whitespace()
        .skip(1)
        .enumerate()
        // user, nice, system; not idle and iowait; irq, softirq, and what the host took.
        .filter(|(index, _)| matches!(index, 0..=2 | 5..=7))
        .filter_map(|(_, number)| number.parse::<u64>().ok())
        .sum();
    real(ticks) / real(rustix::param::clock_ticks_per_second())
}

/// The folders under `/proc` of all processes in this network namespace but this one.
fn server_processes() -> Result<Vec<PathBuf>> {
    let namespace = |process: &Path| fs::read_link(process.join("ns/net")).ok();
    let own = namespace(Path::new("/proc/self")).context("/proc/self/ns/net")?;
    let myself = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_process = name.bytes().all(|octet| octet.is_ascii_digit());
        if is_process && name != myself && namespace(&entry.path()).as_ref() == Some(&own) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The first `fields` of utime, stime, cutime and cstime in a stat line, in seconds.
fn cpu_seconds(stat: &str, fields: usize) -> f64 {
    // The second field is a name in parentheses, which may hold anything.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = rest
        .split_whitespace()
        .skip(11)
        .take(fields)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    real(ticks) / real(rustix::param::clock_ticks_per_second())
}

/// The number behind a name in one of the kernel's lists.
fn field(file: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Files in folders: messages that have arrived where each is a file.
pub(crate) fn files_in(folders: &[PathBuf]) -> u64 {
    folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .map(|entries| count(entries.count()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_line_is_read_behind_the_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 100 50 25 25 20 0";
        let per_second = real(rustix::param::clock_ticks_per_second());
        let seconds = |fields| cpu_seconds(stat, fields) * per_second;
        assert!((seconds(4) - 200.0).abs() < 1e-9);
        assert!((seconds(2) - 150.0).abs() < 1e-9);
    }

    #[test]
    fn own_process_is_no_server() {
        let myself = PathBuf::from(format!("/proc/{}", std::process::id()));
        assert!(!server_processes().unwrap().contains(&myself));
        let work = Meter::start().unwrap().stop().unwrap();
        assert!(work.own_cpu_seconds >= 0.0 && work.foreign_percent >= 0.0);
    }

    #[test]
    fn idle_time_is_not_busy() {
        let stat = "cpu  10 20 30 1000 2000 4 5 6 7 8\ncpu0 1 1\n";
        let per_second = real(rustix::param::clock_ticks_per_second());
        assert!((busy_seconds(stat) * per_second - 75.0).abs() < 1e-9);
    }
}
