//! [`Log`]: the steps so far, told as they come; and how many connections may still be opened.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::diagnose::{Outcome, Secrets, Step, StepId};
use crate::printable;

/// The most connections of one run.
const CONNECTIONS: usize = 10;

/// The longest text of a step, in characters.
const LONGEST_TEXT: usize = 600;

/// What is told while it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress<'a> {
    /// A step is over.
    Step(&'a Step),
    /// Something takes its time.
    Waiting(&'a str),
}

/// The steps so far. Whoever listens is told of each at once.
pub(crate) struct Log<'a> {
    steps: RefCell<Vec<Step>>,
    tell: RefCell<&'a mut dyn FnMut(Progress<'_>)>,
    secrets: &'a Secrets,
    connections: Cell<usize>,
}

impl<'a> Log<'a> {
    pub(crate) fn new(secrets: &'a Secrets, tell: &'a mut dyn FnMut(Progress<'_>)) -> Self {
        Self {
            steps: RefCell::default(),
            tell: RefCell::new(tell),
            secrets,
            connections: Cell::new(0),
        }
    }

    /// Writes a step down, on one line and without secrets.
    pub(crate) fn step(&self, id: StepId, outcome: Outcome, took: Duration, text: &str) {
        let step = Step {
            id,
            outcome,
            text: printable::one_line(&self.secrets.hide(text), LONGEST_TEXT),
            took,
        };
        (self.tell.borrow_mut())(Progress::Step(&step));
        self.steps.borrow_mut().push(step);
    }

    pub(crate) fn skipped(&self, id: StepId, why: &str) {
        self.step(id, Outcome::Skipped, Duration::ZERO, why);
    }

    /// Tells that something takes its time.
    pub(crate) fn waiting(&self, text: &str) {
        (self.tell.borrow_mut())(Progress::Waiting(&self.secrets.hide(text)));
    }

    /// Counts one more connection, unless there were as many as there may be.
    pub(crate) fn may_connect(&self) -> bool {
        let so_far = self.connections.get();
        let may = so_far < CONNECTIONS;
        self.connections.set(so_far + usize::from(may));
        may
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps.into_inner()
    }
}

/// A duration for people: `0.4 ms`, `12 ms`, `1.3 s`.
pub(crate) fn short(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_connections_and_no_more() {
        let secrets = Secrets::default();
        let mut tell = |_: Progress<'_>| {};
        let log = Log::new(&secrets, &mut tell);
        assert_eq!((0..20).filter(|_| log.may_connect()).count(), 10);
    }

    #[test]
    fn a_step_is_told_at_once_without_secrets_on_one_line() {
        let mut secrets = Secrets::default();
        secrets.add("hunter22");
        let mut told = Vec::new();
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Step(step) = progress {
                told.push(step.text.clone());
            }
        };
        let log = Log::new(&secrets, &mut tell);
        log.step(
            StepId::Tcp,
            Outcome::Passed,
            Duration::ZERO,
            "a hunter22\nb",
        );
        let steps = log.into_steps();
        assert_eq!(steps[0].text, "a …\\nb");
        assert_eq!(told, ["a …\\nb"]);
    }

    #[test]
    fn durations_have_two_digits_or_so() {
        let text = |micros| short(Duration::from_micros(micros));
        assert_eq!(text(412), "0.4 ms");
        assert_eq!(text(12_300), "12 ms");
        assert_eq!(text(60_140_000), "60.1 s");
    }
}
