//! Small pieces of written settings.

use std::fmt::Display;

use toml::Value;

/// A list of texts.
pub(super) fn texts<T: Display>(items: &[T]) -> Value {
    Value::Array(items.iter().map(|i| Value::from(i.to_string())).collect())
}

/// A whole number; TOML knows none beyond 63 bits.
pub(super) fn whole(number: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(number.into()).unwrap_or(i64::MAX))
}

/// The word for a meaning.
pub(super) fn word<T: PartialEq>(words: &[(&str, T)], meaning: &T) -> Value {
    let found = words.iter().find(|(_, known)| known == meaning);
    Value::from(found.map_or("", |(word, _)| word))
}
