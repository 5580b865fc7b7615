//! What the records of many clients say together.

use crate::record::Record;

/// Sorted times, in seconds after a beginning.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn new(times: impl Iterator<Item = f64>, beginning: f64) -> Self {
        let mut times: Vec<f64> = times.map(|at| at - beginning).collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// When each client's connection ended.
    pub(crate) fn of_endings(records: &[Record], beginning: f64) -> Self {
        Self::new(records.iter().map(|record| record.down_at), beginning)
    }

    /// When each attempt was made.
    pub(crate) fn of_attempts(records: &[Record], beginning: f64) -> Self {
        let attempts = records.iter().flat_map(|record| &record.attempts);
        Self::new(attempts.copied(), beginning)
    }

    /// When each client was back.
    pub(crate) fn of_returns(records: &[Record], beginning: f64) -> Self {
        Self::new(records.iter().filter_map(|record| record.up_at), beginning)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.len().max(1) as f64
    }

    /// The time that `part` of them had reached, from 0 to 1.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let last = self.len().saturating_sub(1);
        let index = (part * last as f64).round() as usize;
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }

    /// How many there were in the fullest stretch of `seconds`, wherever it begins.
    pub(crate) fn fullest(&self, seconds: f64) -> usize {
        let mut start = 0;
        let mut most = 0;
        for (end, at) in self.0.iter().enumerate() {
            while self.0[start] <= at - seconds {
                start += 1;
            }
            most = most.max(end + 1 - start);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_stretch_may_begin_anywhere() {
        let times = Times::new([10.0, 10.75, 11.25, 11.5, 20.0].into_iter(), 10.0);
        assert_eq!(times.fullest(1.0), 3);
        assert_eq!(times.fullest(0.1), 1);
        // Halves and quarters are exact.
        assert_eq!(times.quantile(0.5), 1.25);
        assert_eq!(times.len(), 5);
    }
}
