//! [`DrainReport`]: how many connections ended how.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use revoir_proto::{Cause, Ending, Finish};

/// How a drain went: every connection that was open is in exactly one of the counts from
/// [`answered`](Self::answered) to [`otherwise`](Self::otherwise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Both Close frames were exchanged.
    pub answered: usize,
    /// The peer's TCP stream ended, without a Close frame.
    pub eof: usize,
    /// TCP was reset before the peer's Close frame came.
    pub reset: usize,
    /// The close budget of the connection was over.
    pub timeout: usize,
    /// Still there at the deadline of the drain.
    pub cut: usize,
    /// Ended for a cause of its own: the peer closed first, or the handler did.
    pub otherwise: usize,
    /// Those of the drained connections whose Close frame never left.
    pub unsent: usize,
    /// Requests that were answered with 503.
    pub refused: usize,
    /// From the start of the drain to its end.
    pub took: Duration,
}

/// Adds up what two drains at the same time came to: it took as long as the longer one.
impl AddAssign for DrainReport {
    fn add_assign(&mut self, other: Self) {
        let Self {
            answered,
            eof,
            reset,
            timeout,
            cut,
            otherwise,
            unsent,
            refused,
            took,
        } = other;
        self.answered += answered;
        self.eof += eof;
        self.reset += reset;
        self.timeout += timeout;
        self.cut += cut;
        self.otherwise += otherwise;
        self.unsent += unsent;
        self.refused += refused;
        self.took = self.took.max(took);
    }
}

impl DrainReport {
    /// How many connections were drained, or ended meanwhile.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.answered + self.eof + self.reset + self.timeout + self.cut + self.otherwise
    }

    /// Whether every connection that did not end for a cause of its own was sent a Close frame.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unsent == 0
    }

    /// Counts a connection that ended during the drain, as a [`Tracker`](crate::drain::Tracker) does for
    /// its own. `is_late`: after the deadline.
    pub fn count(&mut self, ending: &Ending, is_late: bool) {
        if ending.cause != Cause::Drained {
            self.otherwise += 1;
            return;
        }
        if ending.sent.is_none() {
            self.unsent += 1;
        }
        let count = match ending.finish {
            Finish::Answered => &mut self.answered,
            _ if is_late => &mut self.cut,
            Finish::Eof => &mut self.eof,
            Finish::Timeout => &mut self.timeout,
            // A reset: a drained connection was open.
            _ => &mut self.reset,
        };
        *count += 1;
    }
}

/// One line: `3 connections: 2 answered, 1 cut; 0 requests refused; 10.0 s`.
impl fmt::Display for DrainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} connection{}",
            self.connections(),
            s(self.connections())
        )?;
        let counts = [
            ("answered", self.answered),
            ("eof", self.eof),
            ("reset", self.reset),
            ("timeout", self.timeout),
            ("cut", self.cut),
            ("otherwise", self.otherwise),
        ];
        let mut separator = ":";
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            write!(f, "{separator} {count} {name}")?;
            separator = ",";
        }
        if self.unsent > 0 {
            write!(f, "; {} without a Close frame", self.unsent)?;
        }
        let took = self.took.as_secs_f64();
        let refused = self.refused;
        write!(f, "; {refused} request{} refused; {took:.1} s", s(refused))
    }
}

/// What makes a word the name of several things.
fn s(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use revoir_proto::Detail;

    use super::*;

    #[test]
    fn every_ending_is_counted_once() {
        let mut report = DrainReport::default();
        let finishes = [
            Finish::Answered,
            Finish::Eof,
            Finish::Timeout,
            Finish::Reset,
        ];
        for finish in finishes {
            let mut ending = Ending::never_opened(Cause::Drained, Detail::None);
            ending.finish = finish;
            report.count(&ending, false);
            report.count(&ending, true);
        }
        report.count(&Ending::never_opened(Cause::Eof, Detail::None), true);
        report.took = Duration::from_millis(9960);
        let mut expected = DrainReport::default();
        (expected.answered, expected.eof, expected.timeout) = (2, 1, 1);
        (expected.reset, expected.cut, expected.otherwise) = (1, 3, 1);
        (expected.unsent, expected.took) = (8, report.took);
        assert_eq!(report, expected);
        assert_eq!((report.connections(), report.is_complete()), (9, false));
        assert_eq!(
            report.to_string(),
            "9 connections: 2 answered, 1 eof, 1 reset, 1 timeout, 3 cut, 1 otherwise; \
             8 without a Close frame; 0 requests refused; 10.0 s"
        );
    }
}
