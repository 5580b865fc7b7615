//! [`Page`]: a text of headings, paragraphs, lists and tables, wrapped to the screen.

use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr;

use crate::output::Screen;

/// The narrowest screen on which two codes stand side by side.
const SIDE_BY_SIDE: usize = 88;

/// The narrowest column of text beside a label; with less, the text goes below it.
const NARROWEST: usize = 20;

/// A text that is being written.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    screen: &'a Screen,
    out: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            out: String::new(),
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// An empty line, unless there is one, or the page is empty.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// The heading of a section, after an empty line.
    pub(crate) fn heading(&mut self, text: &str) {
        self.gap();
        self.paragraph(0, &self.screen.strong(text));
    }

    /// A paragraph, `indent` columns in.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(indent, "", text);
    }

    /// A list, each item behind `•`.
    pub(crate) fn bullets<T: AsRef<str>>(
        &mut self,
        indent: usize,
        items: impl IntoIterator<Item = T>,
    ) {
        for item in items {
            self.hanging(indent, "• ", item.as_ref());
        }
    }

    /// Labels and values: in two columns, or below one another where directions would mix.
    pub(crate) fn table(&mut self, indent: usize, rows: &[(&str, String)]) {
        let stacked = self.screen.locale.rtl;
        let column = rows
            .iter()
            .map(|(label, _)| label.width())
            .max()
            .unwrap_or(0);
        for (label, value) in rows {
            if stacked {
                self.paragraph(indent, &self.screen.faint(label));
                self.paragraph(indent + 2, value);
            } else {
                let padding = " ".repeat(column - label.width() + 2);
                let lead = format!("{label}{padding}");
                let painted = format!("{}{padding}", self.screen.faint(label));
                self.entry(indent, &lead, &painted, value);
            }
        }
    }

    /// Two values for every label: side by side on a wide screen, else below one another.
    pub(crate) fn versus(
        &mut self,
        heads: [&str; 2],
        painted: [&str; 2],
        rows: &[(&str, [&str; 2])],
    ) {
        let wide = self.screen.width.filter(|&width| width >= SIDE_BY_SIDE);
        match wide {
            Some(width) if !self.screen.locale.rtl => self.columns(width, heads, painted, rows),
            _ => self.blocks(heads, painted, rows),
        }
    }

    fn columns(
        &mut self,
        width: usize,
        heads: [&str; 2],
        painted: [&str; 2],
        rows: &[(&str, [&str; 2])],
    ) {
        let label_width = rows
            .iter()
            .map(|(label, _)| label.width())
            .max()
            .unwrap_or(0);
        let cell_width = (width - 2 - label_width - 4) / 2;
        let gap = " ".repeat(label_width + 4);
        let pad = " ".repeat(cell_width - heads[0].width() + 2);
        self.line(&format!("{gap}{}{pad}{}", painted[0], painted[1]));
        for (label, cells) in rows {
            let [left, right] = cells.map(|cell| wrap(cell, cell_width));
            for i in 0..left.len().max(right.len()) {
                let label = if i == 0 { *label } else { "" };
                let label_pad = " ".repeat(label_width - label.width() + 2);
                let left = left.get(i).map_or("", String::as_str);
                let right = right.get(i).map_or("", String::as_str);
                let pad = " ".repeat(cell_width.saturating_sub(left.width()) + 2);
                let label = self.screen.faint(label);
                self.line(&format!("  {label}{label_pad}{left}{pad}{right}"));
            }
        }
    }

    fn blocks(&mut self, heads: [&str; 2], painted: [&str; 2], rows: &[(&str, [&str; 2])]) {
        for (label, cells) in rows {
            self.paragraph(2, &self.screen.faint(label));
            for (i, cell) in cells.iter().enumerate() {
                let lead = format!("{}  ", heads[i]);
                self.entry(4, &lead, &format!("{}  ", painted[i]), cell);
            }
        }
    }

    fn hanging(&mut self, indent: usize, lead: &str, text: &str) {
        self.entry(indent, lead, lead, text);
    }

    /// `text` wrapped, with `painted` before its first line and as much space before the others;
    /// `lead` is `painted` without colours.
    pub(crate) fn entry(&mut self, indent: usize, lead: &str, painted: &str, text: &str) {
        let margin = " ".repeat(indent);
        let hang = lead.width();
        let room = self
            .screen
            .width
            .map(|width| width.saturating_sub(indent + hang));
        if hang > 4 && room.is_some_and(|room| room < NARROWEST) {
            self.line(&format!("{margin}{painted}"));
            self.paragraph(indent + 2, text);
            return;
        }
        let lines = match room {
            Some(room) => wrap(text, room.max(1)),
            None => vec![text.to_owned()],
        };
        for (i, line) in lines.iter().enumerate() {
            if i == 0 {
                self.line(&format!("{margin}{painted}{line}"));
            } else {
                self.line(&format!("{margin}{}{line}", " ".repeat(hang)));
            }
        }
    }
}

/// Lines of at most `width` columns. Wide characters count two, and Chinese and Japanese text
/// breaks between characters (Unicode line breaking). Words are never split.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options)
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(
            wrap("服务正在重启，请稍后再来", 12),
            ["服务正在重", "启，请稍后再", "来"]
        );
        assert_eq!(wrap("a long-lived socket", 12), ["a long-lived", "socket"]);
    }
}
