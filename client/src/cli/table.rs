//! Plain tables: two spaces between columns, numbers to the right, no lines drawn.

use std::fmt::Write;

/// A table under construction.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads and no rows.
    #[must_use]
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// Whether a column of numbers stays one with this cell in it: `-` and nothing say "no number".
fn is_number(cell: &str) -> bool {
    cell.chars()
        .all(|character| character.is_ascii_digit() || "-.".contains(character))
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let columns: Vec<(usize, bool)> = (0..self.heads.len())
            .map(|column| {
                let cells = || self.rows.iter().map(|row| cell(row, column));
                let widest = cells().map(|text| text.chars().count()).max().unwrap_or(0);
                let head = self
                    .heads
                    .get(column)
                    .map_or(0, |head| head.chars().count());
                let has_digit =
                    cells().any(|text| text.contains(|letter: char| letter.is_ascii_digit()));
                (
                    widest.max(head),
                    has_digit && cells().all(|text| is_number(&text)),
                )
            })
            .collect();
        for row in std::iter::once(&self.heads).chain(&self.rows) {
            let mut line = String::new();
            for (column, (width, right)) in columns.iter().enumerate() {
                let text = cell(row, column);
                let gap = if column == 0 { "" } else { "  " };
                if *right {
                    write!(line, "{gap}{text:>width$}")?;
                } else {
                    write!(line, "{gap}{text:<width$}")?;
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let mut table = Table::new(&["TOPIC", "PARTITIONS"]);
        table.row(["orders".to_owned(), "12".to_owned()]);
        table.row(["x".to_owned(), "-".to_owned()]);
        assert_eq!(
            table.to_string(),
            "TOPIC   PARTITIONS\norders          12\nx                -\n"
        );
    }
}
