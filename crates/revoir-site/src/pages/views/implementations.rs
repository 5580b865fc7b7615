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

impl ImplementationsPage {
    fn all(&self) -> &'static [Implementation] {
        Implementation::all()
    }

    fn accepts(&self, of: &Implementation) -> String {
        let ranges = of.accepts.iter().map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}–{last}")
            }
        });
        ranges.collect::<Vec<_>>().join(", ")
    }

    /// Whether it accepts exactly what the RFC and the registry allow.
    fn accepts_as_registered(&self, of: &Implementation) -> bool {
        (0..=u16::MAX)
            .map(CloseCode::new)
            .all(|code| of.accepts(code) == code.may_be_received())
    }

    /// The five columns behind the first two.
    fn outcomes(&self, of: &Implementation) -> [Cell; 6] {
        let abnormal = CloseCode::ABNORMAL_CLOSURE;
        [
            self.cell(of.refused, &[CloseCode::PROTOCOL_ERROR, abnormal]),
            self.cell(of.empty, &[CloseCode::NO_STATUS_RCVD]),
            self.cell(of.fin, &[abnormal]),
            self.cell(of.rst, &[abnormal]),
            self.cell(of.handshake, &[abnormal]),
            self.cell(
                of.sends_for_bad_text.map(Outcome::Code),
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
