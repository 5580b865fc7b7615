//! The tables: implementations, products, idle timeouts.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::intermediaries::{Intermediary, intermediaries};
use revoir_codes::catalog::observed::{Implementation, Outcome};
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::vendor::{Band, Vendor, VendorCode, vendors};

use super::written;
use crate::pages::Address;
use crate::pages::address::anchor;
use crate::pages::frame::Frame;
use crate::pages::links::Home;

// ---------------------------------------------------------------- implementations

#[derive(Template)]
#[template(path = "implementations.html")]
struct Implementations {
    frame: Frame,
}

/// What an implementation says, and whether it is what the RFC leads one to expect.
struct Cell {
    text: String,
    odd: bool,
}

impl Implementations {
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

pub(super) fn implementations(locale: &'static Locale, home: &Home) -> String {
    written(&Implementations {
        frame: Frame::new(
            Address::Implementations,
            locale,
            home,
            locale.labels.implementations.to_owned(),
            locale.phrases().implementations_intro,
        ),
    })
}

// ---------------------------------------------------------------- products

#[derive(Template)]
#[template(path = "products.html")]
struct Products {
    frame: Frame,
}

impl Products {
    fn band(&self, band: &Band) -> &'static str {
        self.reconnect(&Some(band.reconnect))
    }

    fn all(&self) -> &'static [Vendor] {
        vendors()
    }

    fn anchor(&self, of: &Vendor) -> String {
        anchor(of.name)
    }

    fn about(&self, code: &VendorCode) -> String {
        self.frame.about(code.code)
    }

    fn reconnect(&self, reconnect: &Option<bool>) -> &'static str {
        match reconnect {
            Some(true) => self.frame.labels.yes,
            Some(false) => self.frame.labels.no,
            None => "–",
        }
    }
}

pub(super) fn products(locale: &'static Locale, home: &Home) -> String {
    written(&Products {
        frame: Frame::new(
            Address::Products,
            locale,
            home,
            locale.labels.products.to_owned(),
            locale.phrases().products_intro,
        ),
    })
}

// ---------------------------------------------------------------- idle timeouts

#[derive(Template)]
#[template(path = "idle_timeouts.html")]
struct IdleTimeouts {
    frame: Frame,
    intro: String,
    /// The shortest limits first; those without one last.
    rows: Vec<&'static Intermediary>,
}

impl IdleTimeouts {
    fn anchor(&self, of: &Intermediary) -> String {
        anchor(of.name)
    }

    fn limit(&self, seconds: &Option<u32>) -> String {
        seconds.map_or_else(|| "–".to_owned(), duration)
    }

    /// The limit as a share of the longest one, in percent of a logarithmic scale.
    fn bar(&self, of: &Intermediary) -> Option<u32> {
        let seconds = f64::from(of.idle_s?);
        let (least, most) = (30_f64.ln(), 600_f64.ln());
        let share = ((seconds.ln() - least) / (most - least)).clamp(0.0, 1.0);
        // Between 0 and 100, so nothing is cut off.
        Some((share * 100.0).round() as u32)
    }

    fn sees(&self, of: &Intermediary) -> &'static str {
        self.frame.locale.sees(of.sees)
    }

    fn unverified(&self, of: &Intermediary) -> bool {
        of.source.evidence == Evidence::Unverified
    }
}

/// Seconds in the unit in which people know the limit.
fn duration(seconds: u32) -> String {
    match seconds {
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 && s >= 600 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

pub(super) fn idle_timeouts(locale: &'static Locale, home: &Home) -> String {
    let intro = locale.idle_intro();
    let frame = Frame::new(
        Address::IdleTimeouts,
        locale,
        home,
        locale.labels.idle_timeouts.to_owned(),
        &intro,
    );
    let mut rows: Vec<_> = intermediaries().iter().collect();
    rows.sort_by_key(|of| of.idle_s.unwrap_or(u32::MAX));
    written(&IdleTimeouts { frame, intro, rows })
}
