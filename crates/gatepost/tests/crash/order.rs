//! The order of system calls that an acknowledgement needs, checked in a trace.
//!
//! Small: WAL write, WAL sync, 250. Large: body write, body sync, link, folder sync, WAL write,
//! WAL sync, 250. Each step must have ended before the next begins. Syncs of others may serve
//! (group commit).

use crate::trace::Call;

const WAL: &str = "/mail.db-wal";

/// A message that was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    /// A word that stands in every line of its text.
    pub(crate) marker: String,
    /// The id in the 250.
    pub(crate) id: String,
    /// Whether its body is a file of its own.
    pub(crate) is_file: bool,
}

/// The first step that is missing, or not where it must be.
pub(crate) fn check(calls: &[Call], message: &Acknowledged) -> Result<(), String> {
    let said = format!("queued as {}", message.id);
    let reply = calls
        .iter()
        .find(|call| call.sends() && call.arguments.contains(&said))
        .ok_or_else(|| {
            let found = calls
                .iter()
                .filter(|call| call.arguments.contains(&message.id));
            format!("no 250 for {message:?} in {:#?}", found.collect::<Vec<_>>())
        })?;
    let mut course = Course {
        calls,
        reply,
        after: 0,
        message,
    };
    let named = if message.is_file {
        course.file()?
    } else {
        message.marker.clone()
    };
    course.step("WAL write", |call| {
        call.writes() && call.path().ends_with(WAL) && call.arguments.contains(&named)
    })?;
    course.step("WAL sync", |call| call.syncs(WAL)).map(drop)
}

struct Course<'a> {
    calls: &'a [Call],
    reply: &'a Call,
    /// Line on which the step before has ended.
    after: usize,
    message: &'a Acknowledged,
}

impl<'a> Course<'a> {
    /// The first call that fits and began after the step before; it must end before the 250.
    fn step(&mut self, what: &str, fits: impl Fn(&Call) -> bool) -> Result<&'a Call, String> {
        let (after, before) = (self.after, self.reply.began);
        let mut fitting = self.calls.iter().filter(|call| fits(call));
        let found = fitting.find(|call| call.began >= after && call.ended < before);
        let found = found.ok_or_else(|| {
            format!(
                "no {what} between lines {after} and {before} for {:?}",
                self.message
            )
        })?;
        self.after = found.ended + 1;
        Ok(found)
    }

    /// The steps of a body file; the name that the commit must mention.
    fn file(&mut self) -> Result<String, String> {
        let marker = &self.message.marker;
        let of_body = |call: &Call| call.writes() && call.path().contains("/bodies/");
        let first = self.step("body write", |call| {
            of_body(call) && call.arguments.contains(marker)
        })?;
        let path = first.path().to_owned();
        let writes = self.calls.iter().filter(|c| of_body(c) && c.path() == path);
        self.after = writes.map(|call| call.ended + 1).max().unwrap_or(0);
        self.step("body sync", |call| call.syncs(&path))?;
        let quoted = format!("\"{path}\"");
        let link = self.step("link", |call| {
            let links = matches!(
                call.name.as_str(),
                "link" | "linkat" | "rename" | "renameat2"
            );
            links && call.succeeded() && call.arguments.contains(&quoted)
        })?;
        let name = link.arguments.rsplit('"').nth(1);
        let name = name.and_then(|path| path.rsplit('/').next());
        let name = name.ok_or_else(|| format!("a link without a name: {link:?}"))?;
        self.step("folder sync", |call| call.syncs("/bodies"))?;
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace;

    const SMALL: [&str; 4] = [
        r#"1 t pwrite64(9</d/mail.db-wal>, "..MARK-1..", 4096, 32) = 4096"#,
        r#"1 t pwrite64(9</d/mail.db-wal>, "commit", 4096, 4152) = 4096"#,
        "1 t fdatasync(9</d/mail.db-wal>) = 0",
        r#"2 t sendto(7<TCP:[127.0.0.1:25->127.0.0.1:9]>, "250 2.0.0 queued as 0A\r\n", 9) = 9"#,
    ];

    const LARGE: [&str; 7] = [
        r#"3 t write(8</d/bodies/new-1>, "MARK-1", 262144) = 262144"#,
        "3 t fdatasync(8</d/bodies/new-1>) = 0",
        r#"3 t linkat(AT_FDCWD</>, "/d/bodies/new-1", AT_FDCWD</>, "/d/bodies/f1", 0) = 0"#,
        "3 t fsync(10</d/bodies>) = 0",
        r#"1 t pwrite64(9</d/mail.db-wal>, "..f1..", 4096, 32) = 4096"#,
        "1 t fdatasync(9</d/mail.db-wal>) = 0",
        r#"2 t sendto(7<TCP:[127.0.0.1:25->127.0.0.1:9]>, "250 2.0.0 queued as 0A\r\n", 9) = 9"#,
    ];

    fn judged(lines: &[&str], is_file: bool) -> Result<(), String> {
        let message = Acknowledged {
            marker: "MARK-1".to_owned(),
            id: "0A".to_owned(),
            is_file,
        };
        check(&trace::read(&lines.join("\n")), &message)
    }

    #[test]
    fn the_right_order_passes() {
        assert_eq!(judged(&SMALL, false), Ok(()));
        assert_eq!(judged(&LARGE, true), Ok(()));
    }

    #[test]
    fn a_build_without_any_one_of_the_steps_fails() {
        for (lines, is_file) in [(&SMALL[..], false), (&LARGE[..], true)] {
            for missing in 0..lines.len() {
                // The second WAL write of the small one is part of the first.
                if !is_file && missing == 1 {
                    continue;
                }
                let mut lines = lines.to_vec();
                lines.remove(missing);
                assert!(judged(&lines, is_file).is_err(), "{lines:#?}");
            }
        }
    }

    #[test]
    fn any_two_steps_the_other_way_round_fail() {
        for first in 0..LARGE.len() - 1 {
            let mut lines = LARGE;
            lines.swap(first, first + 1);
            assert!(judged(&lines, true).is_err(), "{lines:#?}");
        }
        let mut lines = SMALL;
        lines.swap(2, 3);
        assert!(judged(&lines, false).is_err());
    }

    #[test]
    fn a_sync_that_failed_or_has_not_ended_is_none() {
        let mut lines = SMALL;
        lines[2] = "1 t fdatasync(9</d/mail.db-wal>) = -1 EIO (Input/output error) (INJECTED)";
        assert!(judged(&lines, false).is_err());
        let mut lines = SMALL.to_vec();
        lines[2] = "1 t fdatasync(9</d/mail.db-wal> <unfinished ...>";
        lines.push("1 t <... fdatasync resumed>) = 0");
        assert!(judged(&lines, false).is_err());
    }
}
