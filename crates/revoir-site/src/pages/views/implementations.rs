//! What implementations tell their applications, as a table.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::observed::{Implementation, Outcome};

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::frame::Frame;
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "implementations.html", whitespace = "minimize")]
struct ImplementationsPage {
    frame: Frame,
}

/// What an implementation says, and whether it is what the RFC leads one to expect.
struct Cell {
    text: String,
    odd: bool,
}

/// One version: a side of it, or both where they do the same.
struct Row {
    of: &'static Implementation,
    other: Option<&'static Implementation>,
}

impl Row {
    /// The value of the side that has one.
    fn value<T>(&self, of: impl Fn(&Implementation) -> Option<T>) -> Option<T> {
        of(self.of).or_else(|| self.other.and_then(of))
    }
}

impl ImplementationsPage {
    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for of in Implementation::all() {
            let last = rows.last_mut().filter(|row| row.other.is_none());
            match last.filter(|row| row.of.is_other_side_of(of) && row.of.agrees_with(of)) {
                Some(row) => row.other = Some(of),
                None => rows.push(Row { of, other: None }),
            }
        }
        rows
    }

    fn href(&self, row: &Row) -> String {
        self.frame.page(Address::Implementation(row.of.name))
    }

    /// Client, server, or nothing where it is not known.
    fn sides(&self, row: &Row) -> String {
        let sides = [row.of.side, row.other.and_then(|other| other.side)];
        let sides = sides.into_iter().flatten();
        let names = sides.map(|side| self.frame.locale.side(side).to_owned());
        self.frame.locale.list(names)
    }

    /// How and since when it is known.
    fn evidence(&self, row: &Row) -> String {
        self.frame.dated(row.of.evidence, row.of.date)
    }

    fn accepts(&self, row: &Row) -> String {
        let ranges = row.value(|of| of.accepts).unwrap_or_default().iter();
        let ranges = ranges.map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}–{last}"),
        });
        self.frame.locale.list(ranges)
    }

    /// Whether it accepts exactly what the RFC and the registry allow, as far as that is known.
    fn accepts_as_registered(&self, row: &Row) -> bool {
        let is_right = |code: CloseCode| {
            let accepts = row.of.accepts(code);
            accepts.is_none_or(|accepts| accepts == code.may_be_received())
        };
        (0..=u16::MAX).map(CloseCode::new).all(is_right)
    }

    /// The columns behind the codes.
    fn outcomes(&self, row: &Row) -> [Cell; 6] {
        let abnormal = CloseCode::ABNORMAL_CLOSURE;
        let refused = row
            .value(|of| of.any)
            .or_else(|| row.value(|of| of.refused));
        [
            self.cell(refused, &[CloseCode::PROTOCOL_ERROR, abnormal]),
            self.cell(row.value(|of| of.empty), &[CloseCode::NO_STATUS_RCVD]),
            self.cell(row.value(|of| of.fin), &[abnormal]),
            self.cell(row.value(|of| of.rst), &[abnormal]),
            self.cell(row.value(|of| of.handshake), &[abnormal]),
            self.cell(
                row.value(|of| of.sends_for_bad_text).map(Outcome::Code),
                &[CloseCode::INVALID_FRAME_PAYLOAD_DATA],
            ),
        ]
    }

    fn cell(&self, outcome: Option<Outcome>, expected: &[CloseCode]) -> Cell {
        let labels = self.frame.labels;
        let (text, odd) = match outcome {
            None => (String::new(), false),
            Some(Outcome::Code(code)) => (code.get().to_string(), !expected.contains(&code)),
            // An error instead of a code says as much, except where a code was sent.
            Some(Outcome::Error) => {
                let sent = expected.contains(&CloseCode::NO_STATUS_RCVD);
                (labels.error.to_owned(), sent)
            }
            Some(Outcome::Nothing) => (labels.no_code.to_owned(), true),
        };
        Cell { text, odd }
    }
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    written(&ImplementationsPage {
        frame: Frame::new(
            Address::Implementations,
            locale,
            home,
            locale.labels.implementations.to_owned(),
            locale.phrases().implementations_intro,
        ),
    })
}
