//! The chart: attempts per second of each policy, one below the other.

use std::fmt::Write;

use crate::simulate::outcome::StormOutcome;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const ROW: f64 = 72.0;
const GAP: f64 = 18.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 44.0;

/// Slots of 100 ms in one second.
const PER_SECOND: f64 = 10.0;

/// An SVG with a row for each policy: how many attempts there were per second, in slots of 100 ms,
/// on one logarithmic scale; the line across is the capacity.
///
/// It needs nothing around it: colours follow the reader's light or dark setting.
pub(crate) fn chart(title: &str, capacity: u32, rows: &[(&str, &StormOutcome)]) -> String {
    let axes = Axes::of(capacity, rows);
    let height = TOP + rows.len() as f64 * (ROW + GAP) + BOTTOM;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">{}</title>\n{STYLE}\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"head\" x=\"16\" y=\"30\">{}</text>\n\
         <text class=\"note\" x=\"16\" y=\"50\">Attempts per second, in slots of 100 ms, \
         logarithmic. The line is the capacity, {capacity} per second.</text>\n",
        escaped(title),
        escaped(title),
    );
    for (index, (name, outcome)) in rows.iter().enumerate() {
        let top = TOP + index as f64 * (ROW + GAP);
        axes.row(&mut svg, top, name, outcome);
    }
    axes.seconds(&mut svg, height - BOTTOM);
    svg.push_str("</svg>\n");
    svg
}

const STYLE: &str = "<style>\n\
    .ground{fill:#fff}text{font:13px system-ui,sans-serif;fill:#222}\n\
    .head{font-size:17px;font-weight:600}.note,.tick{fill:#666;font-size:12px}\n\
    .area{fill:#3a6ea5;fill-opacity:.8}.base,.grid{stroke:#bbb}.grid{stroke-opacity:.5}\n\
    .capacity{stroke:#b3261e;stroke-dasharray:4 3}\n\
    @media (prefers-color-scheme:dark){.ground{fill:#16181c}text{fill:#e6e6e6}\n\
    .note,.tick{fill:#9aa0a6}.area{fill:#7fb0e0}.base,.grid{stroke:#4a4f57}\n\
    .capacity{stroke:#f2776d}}\n</style>\n";

/// What all rows share.
struct Axes {
    /// The last slot that is shown.
    slots: usize,
    /// The decade at the top: 10 to this power.
    decades: f64,
    capacity: f64,
}

impl Axes {
    fn of(capacity: u32, rows: &[(&str, &StormOutcome)]) -> Self {
        let last = |outcome: &StormOutcome| outcome.tried.len();
        let slots = rows.iter().map(|(_, outcome)| last(outcome)).max();
        let rate = |outcome: &StormOutcome| f64::from(outcome.fullest_slot()) * PER_SECOND;
        let highest = rows
            .iter()
            .map(|(_, outcome)| rate(outcome))
            .fold(f64::from(capacity), f64::max);
        Self {
            slots: slots.unwrap_or(0).max(10),
            decades: highest.log10().ceil().max(1.0),
            capacity: f64::from(capacity),
        }
    }

    fn x(&self, slot: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * slot as f64 / self.slots as f64
    }

    /// The height of a rate above the base line. Below one attempt per second there is nothing.
    fn height(&self, rate: f64) -> f64 {
        ROW * (rate.max(1.0).log10() / self.decades).clamp(0.0, 1.0)
    }

    fn row(&self, svg: &mut String, top: f64, name: &str, outcome: &StormOutcome) {
        let base = top + ROW;
        let (left, right) = (LEFT, WIDTH - RIGHT);
        for decade in 1..self.decades as u32 {
            let y = base - self.height(10_f64.powi(decade as i32));
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
        }
        let mut path = format!("M{left} {base:.1}");
        let mut last = base;
        for (slot, &count) in outcome.tried.iter().enumerate() {
            let y = base - self.height(f64::from(count) * PER_SECOND);
            // Most slots are as high as the one before.
            if (y - last).abs() >= 0.1 {
                let _ = write!(path, "H{:.1}V{y:.1}", self.x(slot));
                last = y;
            }
        }
        let end = self.x(outcome.tried.len());
        let capacity = base - self.height(self.capacity);
        let _ = write!(
            svg,
            "<path class=\"area\" d=\"{path}H{end:.1}V{base:.1}Z\"/>\n\
             <path class=\"base\" d=\"M{left} {base:.1}H{right}\"/>\n\
             <path class=\"capacity\" d=\"M{left} {capacity:.1}H{right}\"/>\n\
             <text x=\"16\" y=\"{:.1}\">{}</text>\n\
             <text class=\"note\" x=\"16\" y=\"{:.1}\">{:.2} attempts each</text>\n\
             <text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">peak {}/s</text>\n",
            top + ROW / 2.0,
            escaped(name),
            top + ROW / 2.0 + 17.0,
            outcome.attempts_per_client(),
            right + 8.0,
            top + 14.0,
            outcome.fullest_second(),
        );
    }

    /// The time axis, with about ten round marks.
    fn seconds(&self, svg: &mut String, y: f64) {
        let whole = self.slots as f64 / PER_SECOND;
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0]
            .into_iter()
            .find(|step| whole / step <= 12.0)
            .unwrap_or(500.0);
        let mut at = 0.0;
        while at <= whole {
            let x = self.x((at * PER_SECOND) as usize);
            let _ = writeln!(
                svg,
                "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{at} s</text>",
                y + 8.0
            );
            at += step;
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_has_a_row_for_each_policy_and_escapes_its_title() {
        let mut outcome = StormOutcome::new(2);
        outcome.attempt(Duration::ZERO);
        outcome.attempt(Duration::from_secs(2));
        let svg = chart("a < b & c", 10, &[("one", &outcome), ("two", &outcome)]);
        assert_eq!(svg.matches("class=\"area\"").count(), 2);
        assert!(svg.contains("<title id=\"title\">a &lt; b &amp; c</title>"));
        assert!(svg.contains("1.00 attempts each"));
    }

    #[test]
    fn a_storm_without_attempts_still_has_axes() {
        let outcome = StormOutcome::new(0);
        let svg = chart("nothing", 1, &[("none", &outcome)]);
        assert!(svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
