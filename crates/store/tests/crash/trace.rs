//! The file operations of a child, as strace saw them.
//!
//! Promises: an operation has the instant when it began and the one when it returned, in the order
//! of the trace; data is kept whole.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::workload::{Orders, Said};

/// What strace looks at. `SQLite` seeks and writes, or writes at an offset.
const CALLS: &str = "trace=openat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,\
     renameat2,link,linkat,unlink,unlinkat,ftruncate,lseek";

/// One operation that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A descriptor for a path.
    Open { path: String, descriptor: i64 },
    /// The position of a descriptor.
    Seek { descriptor: i64, position: u64 },
    /// Octets at an offset, or at the position.
    Write {
        descriptor: i64,
        offset: Option<u64>,
        octets: Arc<[u8]>,
    },
    /// Everything written to the descriptor so far is durable.
    Sync { descriptor: i64 },
    /// A new length.
    Truncate { descriptor: i64, length: u64 },
    /// Another name.
    Link { from: String, to: String },
    /// A name less.
    Unlink { path: String },
    /// A name instead of another.
    Rename { from: String, to: String },
}

/// An operation with its instants (line numbers of the trace).
#[derive(Clone, Debug)]
pub(crate) struct Timed {
    pub(crate) began: usize,
    pub(crate) ended: usize,
    pub(crate) call: Call,
}

/// A whole trace: operations that succeeded, in the order of their ends.
pub(crate) struct Trace {
    pub(crate) calls: Vec<Timed>,
    pub(crate) said: Said,
}

impl Trace {
    /// Runs a child under strace, with further arguments for it.
    pub(crate) fn record(orders: &Orders, more: &[&str]) -> Self {
        std::fs::create_dir_all(orders.folder.join("bodies")).unwrap();
        let output = orders.folder.with_extension("trace");
        let mut wrapper: Vec<OsString> = ["strace", "-f", "-qq", "-xx", "-s", "300000"]
            .map(OsString::from)
            .into();
        wrapper.extend(["-e", CALLS, "-o"].map(OsString::from));
        wrapper.push(output.clone().into());
        wrapper.extend(more.iter().map(OsString::from));
        wrapper.push("--".into());
        let mut child = orders.start(&wrapper);
        let said = Said::of(&mut child, None);
        let calls = parse(&output);
        assert!(!calls.is_empty(), "strace must be installed, and allowed");
        Self { calls, said }
    }
}

fn parse(output: &Path) -> Vec<Timed> {
    let text = std::fs::read_to_string(output).unwrap_or_default();
    let mut unfinished: HashMap<String, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (line_no, line) in text.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process.to_owned(), (line_no, begin.to_owned()));
            continue;
        }
        let (began, whole) = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let Some((began, first)) = unfinished.remove(process) else {
                    continue;
                };
                let end = resumed.split_once(" resumed>").map_or("", |(_, end)| end);
                (began, format!("{first}{end}"))
            }
            None => (line_no, rest.to_owned()),
        };
        if let Some(call) = call(&whole) {
            calls.push(Timed {
                began,
                ended: line_no,
                call,
            });
        }
    }
    calls
}

/// The operation of a line such as `pwrite64(3, "\x41", 1, 0) = 1`; `None` if it failed.
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") ")?;
    let result: i64 = result
        .trim_start()
        .strip_prefix("= ")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    if result < 0 {
        return None;
    }
    let arguments: Vec<&str> = arguments.split(", ").collect();
    let number = |index: usize| -> Option<u64> { arguments.get(index)?.parse().ok() };
    let descriptor = || -> Option<i64> { arguments.first()?.parse().ok() };
    let path =
        |index: usize| -> Option<String> { String::from_utf8(octets(arguments.get(index)?)).ok() };
    Some(match name {
        "openat" => Call::Open {
            path: path(1)?,
            descriptor: result,
        },
        "lseek" => Call::Seek {
            descriptor: descriptor()?,
            position: result.unsigned_abs(),
        },
        "write" | "pwrite64" => {
            let octets = octets(arguments.get(1)?);
            assert_eq!(octets.len() as u64, result.unsigned_abs(), "whole writes");
            Call::Write {
                descriptor: descriptor()?,
                offset: number(3),
                octets: octets.into(),
            }
        }
        "fsync" | "fdatasync" => Call::Sync {
            descriptor: descriptor()?,
        },
        "ftruncate" => Call::Truncate {
            descriptor: descriptor()?,
            length: number(1)?,
        },
        "link" => link(path(0)?, path(1)?),
        "linkat" => link(path(1)?, path(3)?),
        "unlink" => Call::Unlink { path: path(0)? },
        "unlinkat" => Call::Unlink { path: path(1)? },
        "rename" => rename(path(0)?, path(1)?),
        "renameat" | "renameat2" => rename(path(1)?, path(3)?),
        other => panic!("the trace shows {other}, which this model does not know"),
    })
}

const fn link(from: String, to: String) -> Call {
    Call::Link { from, to }
}

const fn rename(from: String, to: String) -> Call {
    Call::Rename { from, to }
}

/// The octets of `"\x41\x42"`.
fn octets(text: &str) -> Vec<u8> {
    assert!(text.ends_with('"'), "strace kept the data whole");
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    };
    let (pairs, _) = text.trim_matches('"').as_bytes().as_chunks::<4>();
    let octet = |[_, _, high, low]: &[u8; 4]| value(*high) * 16 + value(*low);
    pairs.iter().map(octet).collect()
}
