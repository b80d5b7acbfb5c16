//! Reading what strace wrote: calls in the order in which they began and ended.

use std::collections::BTreeMap;

/// One system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// As strace prints them, descriptors with their paths.
    pub(crate) arguments: String,
    /// What it returned, such as `0` or `-1 EIO (Input/output error)`.
    pub(crate) result: String,
    /// Line on which it began.
    pub(crate) began: usize,
    /// Line on which it ended.
    pub(crate) ended: usize,
}

impl Call {
    /// Whether it succeeded.
    pub(crate) fn succeeded(&self) -> bool {
        !self.result.starts_with('-') && !self.result.starts_with('?')
    }

    /// The path of the descriptor that is its first argument.
    pub(crate) fn path(&self) -> &str {
        let behind = self.arguments.split_once('<').map(|(_, behind)| behind);
        // `->` stands within the names of sockets.
        let path = behind.and_then(|path| path.find(['>', ',']).map(|end| path.split_at(end).0));
        path.unwrap_or_default()
    }

    pub(crate) fn writes(&self) -> bool {
        matches!(
            self.name.as_str(),
            "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2"
        )
    }

    pub(crate) fn sends(&self) -> bool {
        let on_a_socket = self.arguments.contains("<TCP:") || self.arguments.contains("<TCPv6:");
        on_a_socket && (self.writes() || matches!(self.name.as_str(), "sendto" | "sendmsg"))
    }

    pub(crate) fn syncs(&self, path: &str) -> bool {
        let sync = matches!(self.name.as_str(), "fsync" | "fdatasync");
        sync && self.succeeded() && self.path().ends_with(path)
    }
}

/// All calls, by their beginning. A call that never ended is not among them.
pub(crate) fn read(text: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, Call> = BTreeMap::new();
    let mut calls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Ids of few digits are padded.
        let words = line
            .split_once(' ')
            .map(|(id, behind)| (id, behind.trim_start()));
        let Some((thread, behind)) = words else {
            continue;
        };
        let Some((_time, rest)) = behind.split_once(' ') else {
            continue;
        };
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((_, end)) = resumed.split_once(" resumed>") else {
                continue;
            };
            if let Some(mut call) = open.remove(thread) {
                call.ended = number;
                let (more, result) = split_result(end);
                call.arguments.push_str(more);
                result.clone_into(&mut call.result);
                calls.push(call);
            }
            continue;
        }
        let Some((name, behind)) = rest.split_once('(') else {
            continue;
        };
        let mut call = Call {
            name: name.to_owned(),
            arguments: String::new(),
            result: String::new(),
            began: number,
            ended: number,
        };
        if let Some(arguments) = behind.strip_suffix("<unfinished ...>") {
            arguments.clone_into(&mut call.arguments);
            open.insert(thread, call);
        } else {
            let (arguments, result) = split_result(behind);
            arguments.clone_into(&mut call.arguments);
            result.clone_into(&mut call.result);
            calls.push(call);
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

/// Arguments and result of `…) = result`.
fn split_result(text: &str) -> (&str, &str) {
    let found = text.rsplit_once(" = ");
    let (arguments, result) = found.unwrap_or((text, "?"));
    let arguments = arguments.trim_end();
    (arguments.strip_suffix(')').unwrap_or(arguments), result)
}

#[test]
fn calls_that_were_interrupted_by_others_are_put_together() {
    let calls = read(
        "7  10:00:00.1 fsync(5</d/mail.db-wal> <unfinished ...>\n\
         8 10:00:00.2 write(6</d/log>, \"a(b) = c\", 8) = 8\n\
         7 10:00:00.3 <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)\n\
         8 10:00:00.4 +++ exited with 0 +++\n",
    );
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[0].began, calls[0].ended), (0, 2));
    assert_eq!(calls[0].path(), "/d/mail.db-wal");
    assert!(!calls[0].succeeded() && !calls[0].syncs("mail.db-wal"));
    assert_eq!(calls[1].arguments, "6</d/log>, \"a(b) = c\", 8");
    assert!(calls[1].succeeded() && calls[1].writes() && !calls[1].sends());
}
