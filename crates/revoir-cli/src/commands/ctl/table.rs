//! [`Table`]: rows of text in columns.

use unicode_width::UnicodeWidthStr;

use crate::printable::one_line;

/// The longest cell, in characters.
const LONGEST: usize = 60;

/// Rows of `N` cells, the first of them with the names of the columns.
pub(super) struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    pub(super) fn new(head: [&str; N]) -> Self {
        Self(vec![head.map(str::to_owned)])
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.0.push(cells.map(|cell| one_line(&cell, LONGEST)));
    }

    pub(super) fn finish(self) -> String {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let widths = self.0.iter().map(|row| row[column].width());
            widths.max().unwrap_or(0)
        });
        let mut text = String::new();
        for row in &self.0 {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line += cell;
                line += &" ".repeat(width - cell.width() + 2);
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["ID", "PATH", "AGE"]);
        table.row(["a-1".to_owned(), "/\n".to_owned(), "5s".to_owned()]);
        table.row(["a-22".to_owned(), "/chat".to_owned(), "1m".to_owned()]);
        let expected = "ID    PATH   AGE\na-1   /\\n    5s\na-22  /chat  1m\n";
        assert_eq!(table.finish(), expected);
    }
}
