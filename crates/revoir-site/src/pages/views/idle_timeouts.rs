//! What ends idle connections on the way.

use askama::Template;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::intermediaries::{Intermediary, intermediaries};

use super::parts::written;
use crate::pages::address::{Address, anchor};
use crate::pages::frame::Frame;
use crate::pages::links::Home;
use crate::pages::prose::escaped;

#[derive(Template)]
#[template(path = "idle_timeouts.html", whitespace = "minimize")]
struct IdleTimeoutsPage {
    frame: Frame,
    intro: String,
    /// The shortest limits first; those without one last.
    rows: Vec<&'static Intermediary>,
}

impl IdleTimeoutsPage {
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

    fn badge(&self, of: &Intermediary) -> String {
        self.frame.badge(of.source)
    }

    /// A setting that may be broken behind the signs that part its words, and only there.
    fn breakable(&self, setting: &str) -> String {
        let mut out = String::new();
        for c in setting.chars() {
            out.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
            if matches!(c, '_' | '.' | '/' | '=') {
                out.push_str("<wbr>");
            }
        }
        out
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

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
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
    written(&IdleTimeoutsPage { frame, intro, rows })
}
