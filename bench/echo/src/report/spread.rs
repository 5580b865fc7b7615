//! [`Spread`]: what several rounds say together.

/// A median and what lies around it.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The lowest figure.
    pub lowest: f64,
    /// The one in the middle.
    pub median: f64,
    /// The highest figure.
    pub highest: f64,
}

impl Spread {
    /// That of `figures`. `None` if there are none.
    #[must_use]
    pub fn of_figures(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            1 => figures[middle],
            _ => (figures.get(middle.checked_sub(1)?)? + figures[middle]) / 2.0,
        };
        Some(Self {
            lowest: *figures.first()?,
            median,
            highest: *figures.last()?,
        })
    }

    /// The median with the range behind it, with so many digits after the point.
    #[must_use]
    pub fn show(&self, digits: usize) -> String {
        let Self {
            lowest,
            median,
            highest,
        } = self;
        format!("{median:.digits$} ({lowest:.digits$}-{highest:.digits$})")
    }
}
