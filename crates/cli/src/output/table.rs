//! Columns that line up: text to the left, numbers to the right.

use super::page::printable;

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A table with a head.
pub(super) struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; a name that begins with `>` is a column of numbers.
    pub(super) fn new(columns: &[&str]) -> Self {
        let side = |name: &&str| {
            if name.starts_with('>') {
                Side::Right
            } else {
                Side::Left
            }
        };
        let name = |name: &&str| name.trim_start_matches('>').to_owned();
        Self {
            sides: columns.iter().map(side).collect(),
            rows: vec![columns.iter().map(name).collect()],
        }
    }

    /// One row, a cell for each column.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cells = cells.into_iter();
        self.rows.push(cells.map(|cell| printable(&cell)).collect());
    }

    /// Whether there is nothing but the head.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// The lines, head first.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.sides.len()).map(width).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&widths).zip(&self.sides);
            let cells = cells.map(|((cell, width), side)| match side {
                Side::Left => format!("{cell:<width$}"),
                Side::Right => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            line.trim_end().to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_no_line_ends_in_blanks() {
        let mut table = Table::new(&["NAME", ">SIZE", "NOTE"]);
        table.row(["a".to_owned(), "5".to_owned(), String::new()]);
        table.row(["müller".to_owned(), "12345".to_owned(), "x".to_owned()]);
        let lines: Vec<String> = table.lines().collect();
        assert_eq!(
            lines,
            ["NAME     SIZE  NOTE", "a           5", "müller  12345  x"]
        );
    }
}
