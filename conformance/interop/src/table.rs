//! A table of words: rows and columns in the order in which they came.

use std::fmt;

#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    pub(crate) fn set(&mut self, row: &str, column: &str, cell: &str) {
        let column = place(&mut self.columns, |own| own == column, || column.to_owned());
        let row = place(
            &mut self.rows,
            |(own, _)| own == row,
            || (row.to_owned(), Vec::new()),
        );
        let cells = &mut self.rows[row].1;
        cells.resize(self.columns.len().max(cells.len()), String::new());
        cells[column] = cell.to_owned();
    }
}

/// Where the item is in the list, at whose end it is put if it is new.
fn place<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    list.iter().position(is_it).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    })
}

/// As Markdown.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| case | {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(self.columns.len() + 1))?;
        for (row, cells) in &self.rows {
            writeln!(f, "| {row} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}
