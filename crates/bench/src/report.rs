//! Medians of the rounds, and ratios pair by pair.
//!
//! Promises: a ratio is taken between the two runs of one round, and says how many times better the
//! first subject was, whichever direction is better; beside the median stand the least and the most.

use crate::clock::{per_second, real};
use crate::figures::{LoginFigures, Pop3Figures, SmtpFigures};
use crate::machine::Work;
use std::fmt::Write as _;

/// Which of two values is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    /// The greater one.
    More,
    /// The smaller one.
    Less,
    /// Neither: shown only.
    Neither,
}

/// One number of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// What it is, with its unit.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) value: f64,
    /// What is better.
    pub(crate) better: Better,
}

const fn measure(name: &'static str, value: f64, better: Better) -> Measure {
    Measure {
        name,
        value,
        better,
    }
}

/// How much else the machine did meanwhile.
const fn foreign(work: &Work) -> Measure {
    measure(
        "foreign CPU, % of the machine",
        work.foreign_percent,
        Better::Neither,
    )
}

/// The measure that the goals of SMTP are about.
pub(crate) const THROUGH: &str = "until readable, messages/s";
/// The measure that the goals of POP3 are about.
pub(crate) const RETRIEVED: &str = "retrieved once, messages/s";

/// What a run over SMTP comes to.
pub(crate) fn smtp(figures: &SmtpFigures) -> Vec<Measure> {
    let messages = figures.balance.acknowledged;
    let thousands = (real(messages) / 1000.0).max(1e-9);
    let octets = real(messages) * real(figures.size_bytes).max(1.0);
    let written = real(figures.work.written_bytes) / octets.max(1.0);
    vec![
        measure(
            "accepted, messages/s",
            per_second(messages, figures.accept_seconds),
            Better::More,
        ),
        measure(
            THROUGH,
            per_second(messages, figures.through_seconds),
            Better::More,
        ),
        measure(
            "transaction p50, ms",
            figures.transaction.p50_ms,
            Better::Less,
        ),
        measure(
            "transaction p99, ms",
            figures.transaction.p99_ms,
            Better::Less,
        ),
        measure(
            "final dot to reply p50, ms",
            figures.acknowledgement.p50_ms,
            Better::Less,
        ),
        measure(
            "final dot to reply p99, ms",
            figures.acknowledgement.p99_ms,
            Better::Less,
        ),
        measure(
            "server CPU, s per 1000",
            figures.work.server_cpu_seconds / thousands,
            Better::Less,
        ),
        measure("written, octets per octet", written, Better::Less),
        measure(
            "bench CPU, s per 1000",
            figures.work.own_cpu_seconds / thousands,
            Better::Neither,
        ),
        measure(
            "signed in, read, deleted, messages/s",
            per_second(messages, figures.collect_seconds),
            Better::More,
        ),
        foreign(&figures.work),
    ]
}

/// What a run over POP3 comes to.
pub(crate) fn pop3(figures: &Pop3Figures) -> Vec<Measure> {
    let thousands = (real(figures.retrieved_again) / 1000.0).max(1e-9);
    vec![
        measure(
            RETRIEVED,
            per_second(figures.retrieved_once, figures.once_seconds),
            Better::More,
        ),
        measure(
            "retrieved again and again, messages/s",
            per_second(figures.retrieved_again, figures.again_seconds),
            Better::More,
        ),
        measure(
            "server CPU, s per 1000 (again)",
            figures.work.server_cpu_seconds / thousands,
            Better::Less,
        ),
        measure(
            "bench CPU, s per 1000 (again)",
            figures.work.own_cpu_seconds / thousands,
            Better::Neither,
        ),
        foreign(&figures.work),
    ]
}

/// What a run of sign-ins comes to.
pub(crate) fn logins(figures: &LoginFigures) -> Vec<Measure> {
    let thousands = (real(figures.logins) / 1000.0).max(1e-9);
    vec![
        measure(
            "sessions/s",
            per_second(figures.logins, figures.seconds),
            Better::More,
        ),
        measure(
            "server CPU, s per 1000",
            figures.work.server_cpu_seconds / thousands,
            Better::Less,
        ),
        foreign(&figures.work),
    ]
}

/// A case's runs, of one subject or of two in pairs.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// What was measured.
    pub(crate) title: &'a str,
    /// The subjects' names.
    pub(crate) subjects: &'a [&'static str],
    /// Per subject, per round, the measures.
    pub(crate) runs: &'a [Vec<Vec<Measure>>],
    /// The measure that has a goal, and the ratio to reach.
    pub(crate) goal: Option<(&'static str, f64)>,
}

impl Table<'_> {
    /// The table as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("\n{}\n", self.title);
        let _ = write!(text, "{:40}", "");
        for subject in self.subjects {
            let _ = write!(text, "{subject:>17}");
        }
        if self.subjects.len() == 2 {
            text.push_str("   times better (least to most)");
        }
        text.push('\n');
        let first = self.runs.first().and_then(|rounds| rounds.first());
        for (index, measure) in first.into_iter().flatten().enumerate() {
            let columns: Vec<Vec<f64>> = self.runs.iter().map(|runs| column(runs, index)).collect();
            let _ = write!(text, "  {:38}", measure.name);
            for values in &columns {
                let _ = write!(text, "{:>17}", number(median(values)));
            }
            if let [one, other] = columns.as_slice() {
                let ratios = ratios(one, other, measure.better);
                let _ = write!(text, "   {}", self.verdict(measure, &ratios));
            }
            let text_end = text.trim_end().len();
            text.truncate(text_end);
            text.push('\n');
        }
        text
    }

    /// The ratio's column: median, range, and the goal where there is one.
    fn verdict(&self, measure: &Measure, ratios: &[f64]) -> String {
        if ratios.is_empty() {
            return String::new();
        }
        let middle = median(ratios);
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let mut text = format!("{} ({} to {})", number(middle), number(least), number(most));
        if let Some((name, goal)) = self.goal
            && name == measure.name
        {
            let met = if middle >= goal { "met" } else { "MISSED" };
            let _ = write!(text, "   goal {}: {met}", number(goal));
        }
        text
    }
}

/// One measure over all rounds.
fn column(runs: &[Vec<Measure>], index: usize) -> Vec<f64> {
    runs.iter()
        .filter_map(|measures| measures.get(index))
        .map(|measure| measure.value)
        .collect()
}

/// How many times better the first of each pair is.
fn ratios(one: &[f64], other: &[f64], better: Better) -> Vec<f64> {
    let pairs = one.iter().zip(other);
    pairs
        .filter_map(|(one, other)| {
            let (above, below) = match better {
                Better::More => (one, other),
                Better::Less => (other, one),
                Better::Neither => return None,
            };
            (*below > 0.0).then(|| above / below)
        })
        .collect()
}

/// The middle of a list; the mean of the middle two where there are two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    } else {
        at(half)
    }
}

/// A number with about three digits that mean something.
pub(crate) fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn ratio_says_how_many_times_better_the_first_is() {
        let more = ratios(&[20.0], &[10.0], Better::More);
        let less = ratios(&[2.0], &[10.0], Better::Less);
        assert_eq!(
            (number(more[0]), number(less[0])),
            ("2.00".into(), "5.00".into())
        );
        assert!(ratios(&[1.0], &[1.0], Better::Neither).is_empty());
    }

    #[test]
    fn table_shows_medians_ratios_and_the_goal() {
        let run = |value| vec![measure(THROUGH, value, Better::More)];
        let runs = [vec![run(100.0), run(120.0)], vec![run(10.0), run(10.0)]];
        let table = Table {
            title: "SMTP",
            subjects: &["one", "two"],
            runs: &runs,
            goal: Some((THROUGH, 10.0)),
        };
        let text = table.text();
        assert!(
            text.contains("11.0 (10.0 to 12.0)   goal 10.0: met"),
            "{text}"
        );
    }
}
