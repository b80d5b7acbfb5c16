//! Reading the fields of one table, noting every problem instead of stopping at the first.
//!
//! Promises: a field that is absent takes its default; one that is wrong is noted and takes its
//! default too, so that the rest can still be read; one that nobody asked for is noted by `end`.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::{Table, Value};

use super::text;
use crate::settings::Problem;

/// The problems and warnings found so far.
#[derive(Debug, Default)]
pub(in crate::settings) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Report {
    /// Notes what prevents saving.
    pub(super) fn problem(&self, field: &str, problem: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new(field, problem, hint);
        self.problems.borrow_mut().push(problem);
    }

    /// Notes what is worth a thought.
    pub(super) fn warn(&self, field: &str, problem: impl Into<String>, hint: impl Into<String>) {
        let warning = Problem::new(field, problem, hint);
        self.warnings.borrow_mut().push(warning);
    }

    /// Problems, then warnings.
    pub(in crate::settings) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.problems.into_inner(), self.warnings.into_inner())
    }
}

/// The fields of one table.
pub(super) struct Fields<'a> {
    path: String,
    table: Option<&'a Table>,
    asked: Vec<&'static str>,
    report: &'a Report,
}

impl<'a> Fields<'a> {
    /// The fields of a tab; one that is not named is read as empty.
    pub(super) fn new(path: &str, table: Option<&'a Table>, report: &'a Report) -> Self {
        Self {
            path: path.to_owned(),
            table,
            asked: Vec::new(),
            report,
        }
    }

    /// The full path of a field.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Notes a problem of a field.
    pub(super) fn problem(&self, name: &str, problem: impl Into<String>, hint: impl Into<String>) {
        self.report.problem(&self.path_of(name), problem, hint);
    }

    /// Notes a warning about a field.
    pub(super) fn warn(&self, name: &str, problem: impl Into<String>, hint: impl Into<String>) {
        self.report.warn(&self.path_of(name), problem, hint);
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.table.and_then(|table| table.get(name))
    }

    fn wrong_type(&self, field: &str, value: &Value, wanted: &str) {
        let problem = format!("This is {}, but must be {wanted}.", type_in_words(value));
        let hint = format!("Write {wanted}.");
        self.report.problem(field, problem, hint);
    }

    fn parse<T: FromStr<Err: Display>>(&self, field: &str, value: &Value) -> Option<T> {
        let Value::String(text) = value else {
            self.wrong_type(field, value, "a text in quotes");
            return None;
        };
        match text.trim().parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let problem = format!("\"{text}\" cannot be read.");
                self.report
                    .problem(field, problem, text::sentence(&error.to_string()));
                None
            }
        }
    }

    /// A text that means something, if it is there.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let value = self.value(name)?;
        self.parse(&self.path_of(name), value)
    }

    /// A text that means something and must be there.
    pub(super) fn required<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        hint: &str,
    ) -> Option<T> {
        let value = self.value(name);
        if value.is_none() {
            self.problem(name, "This is missing.", hint);
        }
        self.parse(&self.path_of(name), value?)
    }

    /// A text that must be there and say something.
    pub(super) fn required_text(&mut self, name: &'static str, hint: &str) -> Option<String> {
        let text: String = self.required(name, hint)?;
        if text.is_empty() {
            self.problem(name, "This is empty.", hint);
            return None;
        }
        Some(text)
    }

    /// A list of texts; one text alone counts as a list of one.
    pub(super) fn list<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Vec<T> {
        let field = self.path_of(name);
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => (1..)
                .zip(values)
                .filter_map(|(number, value)| self.parse(&format!("{field}[{number}]"), value))
                .collect(),
            Some(value @ Value::String(_)) => self.parse(&field, value).into_iter().collect(),
            Some(value) => {
                self.wrong_type(&field, value, "a list of texts");
                Vec::new()
            }
        }
    }

    /// On or off.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        match self.value(name) {
            None => default,
            Some(Value::Boolean(flag)) => *flag,
            Some(value) => {
                self.wrong_type(&self.path_of(name), value, "true or false");
                default
            }
        }
    }

    /// A whole number within a range.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        match self.value(name) {
            None => default,
            Some(Value::Integer(number)) => {
                self.in_range(name, i128::from(*number), default, range)
            }
            Some(value) => {
                self.wrong_type(&self.path_of(name), value, "a whole number");
                default
            }
        }
    }

    /// A whole number within a range, small.
    pub(super) fn count(
        &mut self,
        name: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        u32::try_from(self.number(name, u64::from(default), range)).unwrap_or(default)
    }

    /// A TCP port.
    pub(super) fn port(&mut self, name: &'static str, default: u16) -> u16 {
        let port = self.number(name, u64::from(default), 1..=65_535);
        u16::try_from(port).unwrap_or(default)
    }

    /// An amount of octets: a number, or a text such as `50 MiB`.
    pub(super) fn bytes(
        &mut self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let bytes = match self.value(name) {
            None => return default,
            Some(Value::Integer(number)) => Some(i128::from(*number)),
            Some(Value::String(written)) => text::bytes(written).map(i128::from),
            Some(_) => None,
        };
        if let Some(bytes) = bytes {
            return self.in_range(name, bytes, default, range);
        }
        self.problem(
            name,
            "This is no amount of octets.",
            "Write a number, or a text such as \"50 MiB\" (KiB, MiB, GiB).",
        );
        default
    }

    fn in_range(&self, name: &str, number: i128, default: u64, range: RangeInclusive<u64>) -> u64 {
        match u64::try_from(number) {
            Ok(number) if range.contains(&number) => number,
            Ok(_) | Err(_) => {
                let (least, most) = (range.start(), range.end());
                let hint = if *most >= u64::from(u32::MAX) {
                    format!("It must be at least {least}; the default is {default}.")
                } else {
                    format!("It must be from {least} to {most}; the default is {default}.")
                };
                self.problem(name, format!("{number} is out of range."), hint);
                default
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(value) = self.value(name) else {
            return default;
        };
        let field = self.path_of(name);
        self.word(&field, value, words).unwrap_or(default)
    }

    /// Any of a few words, each once.
    pub(super) fn choices<T: Copy + PartialEq>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Vec<T> {
        let field = self.path_of(name);
        let mut chosen = Vec::new();
        match self.value(name) {
            None => {}
            Some(Value::Array(values)) => {
                for (number, value) in (1..).zip(values) {
                    let word = self.word(&format!("{field}[{number}]"), value, words);
                    chosen.extend(word.filter(|word| !chosen.contains(word)));
                }
            }
            Some(value) => self.wrong_type(&field, value, "a list of texts"),
        }
        chosen
    }

    fn word<T: Copy>(&self, field: &str, value: &Value, words: &[(&str, T)]) -> Option<T> {
        let Value::String(text) = value else {
            self.wrong_type(field, value, "a text in quotes");
            return None;
        };
        let found = words.iter().find(|(word, _)| word == text);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let problem = format!("There is no \"{text}\" here.");
            self.report
                .problem(field, problem, format!("Choose from {}.", all.join(", ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A table within this one, if it is there.
    pub(super) fn table(&mut self, name: &'static str) -> Option<Fields<'a>> {
        let value = self.value(name)?;
        let table = value.as_table();
        if table.is_none() {
            self.wrong_type(&self.path_of(name), value, "a table");
        }
        table.map(|table| Fields::new(&self.path_of(name), Some(table), self.report))
    }

    /// A list of tables.
    pub(super) fn tables(&mut self, name: &'static str) -> Vec<Fields<'a>> {
        let field = self.path_of(name);
        let values = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(value) => {
                self.wrong_type(&field, value, "a list of tables");
                return Vec::new();
            }
        };
        let mut tables = Vec::with_capacity(values.len());
        for (number, value) in (1..).zip(values) {
            let path = format!("{field}[{number}]");
            match value.as_table() {
                Some(table) => tables.push(Fields::new(&path, Some(table), self.report)),
                None => self.wrong_type(&path, value, "a table"),
            }
        }
        tables
    }

    /// A value that may be a text or a table; the caller tells them apart.
    pub(super) fn either(&mut self, name: &'static str) -> Option<&'a Value> {
        self.value(name)
    }

    /// Notes fields that nobody asked for.
    pub(super) fn end(self) {
        let Some(table) = self.table else { return };
        for name in table.keys() {
            if !self.asked.contains(&name.as_str()) {
                let mut known = self.asked.clone();
                known.sort_unstable();
                self.problem(
                    name,
                    "There is no such field.",
                    format!("The fields here are {}.", known.join(", ")),
                );
            }
        }
    }
}

const fn type_in_words(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
