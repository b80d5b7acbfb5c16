//! What answers are written on: lines that cannot steer a terminal.

use std::io::{self, Write};

use mail::Timestamp;

use super::table::Table;

/// Lines on standard output.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    /// The present instant.
    pub(super) now: Timestamp,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write, now: Timestamp) -> Self {
        Self { out, now }
    }

    /// One line.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", printable(text.as_ref()).trim_end())
    }

    /// An empty line.
    pub(super) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A field of one thing: its name, then its value.
    pub(super) fn field(&mut self, name: &str, value: impl AsRef<str>) -> io::Result<()> {
        self.line(format!("{name:<12} {}", value.as_ref()))
    }

    /// A table, or a sentence that says what would be in it.
    pub(super) fn table(&mut self, table: &Table, empty: &str) -> io::Result<()> {
        if table.is_empty() {
            return self.line(empty);
        }
        for line in table.lines() {
            self.line(line)?;
        }
        Ok(())
    }

    /// Text of several lines, tabs kept.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let parts: Vec<String> = line.split('\t').map(printable).collect();
            writeln!(self.out, "{}", parts.join("\t"))?;
        }
        Ok(())
    }
}

/// The text with control characters, and those that reorder a line, written as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        let steers = letter.is_control()
            || matches!(
                letter,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            );
        if steers {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// `1 message`, `3 messages`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{number} {noun}")
}

/// Octets as `512 B`, `1.2 KiB`, `25.0 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // In tenths of a unit, rounded half up, so that no floating point is needed.
    let mut tenths = u128::from(bytes) * 10;
    let mut name = "B";
    for unit in UNITS {
        if tenths < 10_235 {
            break;
        }
        tenths = (tenths + 512) / 1024;
        name = unit;
    }
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_wrote_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("one\r\ntwo"), "one\\u{d}\\u{a}two");
        assert_eq!(printable("txt\u{202e}exe"), "txt\\u{202e}exe");
        assert_eq!(printable("Grüße 你好"), "Grüße 你好");
    }

    #[test]
    fn sizes_have_one_decimal_and_the_fitting_unit() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(1_048_575), "1.0 MiB");
        assert_eq!(size(25 << 20), "25.0 MiB");
        assert_eq!(size(u64::MAX), "16384.0 PiB");
    }
}
