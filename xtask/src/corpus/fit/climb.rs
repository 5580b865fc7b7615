//! Climbing: the weights with which the right causes are most probable.

use std::f64::consts::LN_10;

use super::example::Example;
use super::weights::Weights;

/// What it costs to change a weight by one deciban, squared.
const COST: f64 = 0.03;

/// A row that the model gives less than this is likely to be misread, or to mean something else than it
/// says, and pulls less.
const HOPELESS: f64 = 0.02;

/// Steps, and the length of a step at first and at last.
const STEPS: [(usize, f64); 2] = [(150, 0.5), (100, 0.15)];

/// The weights that the examples choose, beginning at those there are.
pub(super) fn from(weights: &Weights, examples: &[&Example]) -> Weights {
    let mut fitted = weights.clone();
    let mut pace = Pace::new(weights.values.len());
    for (steps, length) in STEPS {
        for _ in 0..steps {
            let mut slope = vec![0.0; weights.values.len()];
            for example in examples {
                pull(example, &fitted, &mut slope);
            }
            for ((slope, now), before) in slope.iter_mut().zip(&fitted.values).zip(&weights.values)
            {
                *slope += 2.0 * COST * (now - before);
            }
            pace.step(&mut fitted.values, &slope, length);
        }
    }
    fitted
}

/// Adds how an example pulls at the weights.
fn pull(example: &Example, weights: &Weights, slope: &mut [f64]) {
    let scale = f64::from(weights.shares.believed) / 100.0 * LN_10 / 10.0;
    let mut odds = example.fixed.clone();
    for (cause, weight, part) in example.terms() {
        odds[cause] += weights.values[weight] * part;
    }
    let top = odds.iter().copied().fold(f64::MIN, f64::max);
    for odds in &mut odds {
        *odds = ((*odds - top) * scale).exp();
    }
    let sum: f64 = odds.iter().sum();
    let right = odds
        .iter()
        .zip(&example.right)
        .filter(|(_, is_right)| **is_right);
    let right = right.map(|(odds, _)| odds / sum).sum::<f64>().max(1e-12);
    let counts = example.counts * right / (right + HOPELESS) * scale;
    for (cause, weight, part) in example.terms() {
        let probability = odds[cause] / sum;
        let wanted = if example.right[cause] {
            probability / right
        } else {
            0.0
        };
        slope[weight] += (probability - wanted) * counts * part;
    }
}

/// Adam (Kingma and Ba, 2015): each weight at a pace of its own.
struct Pace {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
}

impl Pace {
    fn new(weights: usize) -> Self {
        Self {
            mean: vec![0.0; weights],
            square: vec![0.0; weights],
            steps: 0,
        }
    }

    fn step(&mut self, values: &mut [f64], slope: &[f64], length: f64) {
        const MEMORY: (f64, f64) = (0.9, 0.99);
        self.steps += 1;
        let (fresh, fresh_square) = (
            1.0 - MEMORY.0.powi(self.steps),
            1.0 - MEMORY.1.powi(self.steps),
        );
        for (index, slope) in slope.iter().enumerate() {
            let mean = &mut self.mean[index];
            *mean = MEMORY.0 * *mean + (1.0 - MEMORY.0) * slope;
            let square = &mut self.square[index];
            *square = MEMORY.1 * *square + (1.0 - MEMORY.1) * slope * slope;
            values[index] -= length * (*mean / fresh) / ((*square / fresh_square).sqrt() + 1e-9);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_descended_to_its_foot() {
        let mut pace = Pace::new(1);
        let mut values = [10.0];
        for (steps, length) in STEPS {
            for _ in 0..steps {
                let slope = [2.0 * (values[0] - 3.0)];
                pace.step(&mut values, &slope, length);
            }
        }
        assert!((values[0] - 3.0).abs() < 0.5, "{}", values[0]);
    }
}
