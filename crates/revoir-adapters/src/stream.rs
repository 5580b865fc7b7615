//! Protocols that are a stream of bytes: WebSocket messages are where the stream happens to be cut.
//! A message may hold several units (packets, frames) and a unit may lie in several messages: npm
//! `mqtt` sends most packets in five.
//!
//! Whole units are looked at where they stand, and the message is passed. If one is cut, its start
//! waits for its end and goes on as one message, so that no server is ever left with half of a
//! unit. Only units that are too long for that go on in parts.

use crate::adapter::{Fate, PROLOGUE_LIMIT, Unholdable};
use crate::message::{Message, OwnedMessage};

/// How much of a unit is kept until its end comes. A longer one goes on in parts, and nobody can
/// be held meanwhile.
pub(crate) const KEPT_LIMIT: usize = PROLOGUE_LIMIT;

/// Where units begin and end.
pub(crate) trait Framing {
    /// What is known of a unit whose end has not come, so that its start is looked at once.
    type Progress: Default + Copy;

    /// Where the unit at the start of `bytes` ends, which is not empty.
    fn extent(bytes: &[u8], progress: &mut Self::Progress) -> Extent;

    /// What is missing of a unit of which `bytes` are there, and no more are kept.
    fn rest(bytes: &[u8], progress: Self::Progress) -> Option<Rest>;
}

/// Where a unit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It has this length.
    Whole(usize),
    /// Its end has not come.
    Partial,
    /// No unit begins like that.
    Malformed,
}

/// What is missing of a unit that goes on in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// So many bytes.
    Bytes(usize),
    /// Everything up to a NUL.
    Nul,
}

/// A unit, or the start of one that goes on in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit<'a> {
    Whole(&'a [u8]),
    /// The first 64 KiB or more.
    Start(&'a [u8]),
    /// No unit begins like that.
    Malformed,
}

/// What becomes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Drop,
    End(Unholdable),
    /// Everything from here on passes unlooked-at.
    GiveUp,
}

/// One direction.
pub(crate) struct Stream<F: Framing> {
    /// The start of a unit.
    kept: Vec<u8>,
    progress: F::Progress,
    rest: Option<Rest>,
}

impl<F: Framing> Default for Stream<F> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            progress: F::Progress::default(),
            rest: None,
        }
    }
}

impl<F: Framing> Clone for Stream<F> {
    fn clone(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            progress: self.progress,
            rest: self.rest,
        }
    }
}

impl<F: Framing> Stream<F> {
    /// Whether a unit goes on in parts.
    pub(crate) const fn is_in_parts(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether the next byte begins a unit.
    pub(crate) const fn is_between_units(&self) -> bool {
        self.kept.is_empty() && self.rest.is_none()
    }

    /// Hands over what is kept.
    pub(crate) fn take_kept(&mut self) -> Vec<u8> {
        self.progress = F::Progress::default();
        std::mem::take(&mut self.kept)
    }

    /// Nothing more comes. Whether a unit went on in parts, and its end is missing.
    pub(crate) fn cut(&mut self) -> bool {
        let is_in_parts = self.is_in_parts();
        *self = Self::default();
        is_in_parts
    }

    pub(crate) fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Asks `judge` about each unit that `message` completes. What may go on and is not the whole
    /// message is put into `say`.
    pub(crate) fn take(
        &mut self,
        message: Message<'_>,
        say: &mut Vec<OwnedMessage>,
        mut judge: impl FnMut(Unit<'_>) -> Verdict,
    ) -> Fate {
        let mut is_whole = self.kept.is_empty();
        let joined;
        let bytes = if is_whole {
            message.payload()
        } else {
            self.kept.extend_from_slice(message.payload());
            joined = std::mem::take(&mut self.kept);
            &joined[..]
        };
        // What goes on is up to `run` of the bytes, and before that what `passed` has.
        let (mut passed, mut run, mut at) = (Vec::new(), 0, 0);
        while at < bytes.len() {
            let left = &bytes[at..];
            if let Some(rest) = self.rest {
                let taken = match rest {
                    Rest::Bytes(missing) => missing.min(left.len()),
                    Rest::Nul => left
                        .iter()
                        .position(|&byte| byte == 0)
                        .map_or(left.len(), |i| i + 1),
                };
                self.rest = match rest {
                    Rest::Bytes(missing) if missing > taken => Some(Rest::Bytes(missing - taken)),
                    Rest::Nul if left[taken - 1] != 0 => Some(Rest::Nul),
                    Rest::Bytes(_) | Rest::Nul => None,
                };
                at += taken;
                continue;
            }
            let (unit, taken) = match F::extent(left, &mut self.progress) {
                Extent::Whole(length) => (Unit::Whole(&left[..length]), length),
                Extent::Partial if left.len() < KEPT_LIMIT => break,
                Extent::Partial => match F::rest(left, self.progress) {
                    Some(rest) => {
                        self.rest = Some(rest);
                        (Unit::Start(left), left.len())
                    }
                    None => (Unit::Malformed, 0),
                },
                Extent::Malformed => (Unit::Malformed, 0),
            };
            self.progress = F::Progress::default();
            match judge(unit) {
                Verdict::Pass => at += taken,
                Verdict::Drop => {
                    passed.extend_from_slice(&bytes[run..at]);
                    at += taken;
                    run = at;
                    is_whole = false;
                }
                Verdict::End(why) => return Fate::End(why),
                Verdict::GiveUp => {
                    at = bytes.len();
                    self.rest = None;
                }
            }
        }
        self.kept.extend_from_slice(&bytes[at..]);
        if is_whole && at == bytes.len() {
            return Fate::Pass;
        }
        passed.extend_from_slice(&bytes[run..at]);
        if !passed.is_empty() {
            say.push(match message {
                Message::Text(_) => OwnedMessage::Text(passed),
                Message::Binary(_) => OwnedMessage::Binary(passed),
            });
        }
        Fate::Swallow
    }
}
