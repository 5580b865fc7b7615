//! What implementations tell their application when a connection ends.

use alloc::string::String;
use core::fmt;

use crate::advice::Direction;
use crate::catalog::locale::Locale;
use crate::catalog::phrasing::fill;
use crate::catalog::source::Evidence;
use crate::code::CloseCode;
use crate::generated::catalog::IMPLEMENTATIONS;

/// One side of an implementation of WebSocket, or both, as read or measured at one version.
#[derive(Debug)]
#[non_exhaustive]
pub struct Implementation {
    /// The implementation.
    pub name: &'static str,
    /// The version or the date of the source; may be empty.
    pub version: &'static str,
    /// The month in which the version came out, if it was measured for want of a newer one.
    pub released: Option<&'static str>,
    /// The side that this is about; `None` is both.
    pub side: Option<Direction>,
    /// How it is known.
    pub evidence: Evidence,
    /// The day on which it was read or measured.
    pub date: &'static str,
    /// Whether a newer version is on record too.
    pub outdated: bool,
    /// Inclusive ranges of the codes that it accepts in a Close frame. `None` if that is not known, also because its API does not
    /// tell codes.
    pub accepts: Option<&'static [(u16, u16)]>,
    /// What the application is told whatever the frame's code, if not the code.
    pub any: Option<Outcome>,
    /// … when the frame's code is none that it accepts.
    pub refused: Option<Outcome>,
    /// … when the Close frame has no code. The truth is 1005.
    pub empty: Option<Outcome>,
    /// … when TCP ends without a Close frame. The truth is 1006.
    pub fin: Option<Outcome>,
    /// … when TCP is reset without a Close frame. The truth is 1006.
    pub rst: Option<Outcome>,
    /// … when the handshake is answered with an HTTP error.
    pub handshake: Option<Outcome>,
    /// The code it sends when text is not UTF-8. The RFC asks for 1007.
    pub sends_for_bad_text: Option<CloseCode>,
    /// The code it sends when a frame breaks the protocol. The RFC asks for 1002.
    pub sends_for_bad_frame: Option<CloseCode>,
    /// What code sees, where that was measured.
    pub sees: &'static [Seen],
}

/// What code sees of one ending.
#[derive(Debug)]
#[non_exhaustive]
pub struct Seen {
    /// The case of the conformance suite that ended so.
    pub case: &'static str,
    /// What the application is told in the end.
    pub told: Outcome,
    /// How the API tells the end: an event, a method, an exception; may be empty.
    pub how: &'static str,
    /// The exact texts of the errors on the way there, with their classes.
    pub texts: &'static [&'static str],
}

/// What the application is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This code.
    Code(CloseCode),
    /// An error without a code.
    Error,
    /// No code at all.
    Nothing,
}

impl Implementation {
    /// Every implementation on record, the sides beside each other.
    #[must_use]
    pub fn all() -> &'static [Self] {
        IMPLEMENTATIONS
    }

    /// Those of which no newer version is on record.
    pub fn current() -> impl Iterator<Item = &'static Self> {
        Self::all().iter().filter(|one| !one.outdated)
    }

    /// Whether it accepts `code` in a Close frame. `None` if that is not known.
    #[must_use]
    pub fn accepts(&self, code: CloseCode) -> Option<bool> {
        let within = |&(first, last): &(u16, u16)| (first..=last).contains(&code.get());
        self.accepts.map(|ranges| ranges.iter().any(within))
    }

    /// What the application is told of a Close frame with `code`, if not that code.
    #[must_use]
    pub fn tells_instead_of(&self, code: CloseCode) -> Option<Outcome> {
        match self.accepts(code) {
            Some(false) => self.refused,
            _ => self.any,
        }
    }

    /// Whether it says `shown` when the truth is `real`.
    #[must_use]
    pub fn mistakes(&self, real: CloseCode, shown: CloseCode) -> bool {
        let told = Some(Outcome::Code(shown));
        let in_frame = real.may_be_received() && self.tells_instead_of(real) == told;
        let other = match real {
            CloseCode::NO_STATUS_RCVD => self.empty == told,
            CloseCode::ABNORMAL_CLOSURE => [self.fin, self.rst, self.handshake].contains(&told),
            CloseCode::INVALID_FRAME_PAYLOAD_DATA => self.sends_for_bad_text == Some(shown),
            _ => false,
        };
        real != shown && (in_frame || other)
    }

    /// Whether both accept and send the same, and are told nothing that differs.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |of: fn(&Self) -> Option<Outcome>| match (of(self), of(other)) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        let sent = |of: fn(&Self) -> Option<CloseCode>| of(self) == of(other);
        self.accepts == other.accepts
            && same(|of| of.any)
            && same(|of| of.refused)
            && same(|of| of.empty)
            && same(|of| of.fin)
            && same(|of| of.rst)
            && same(|of| of.handshake)
            && sent(|of| of.sends_for_bad_text)
            && sent(|of| of.sends_for_bad_frame)
    }

    /// Whether both are sides of the same version.
    #[must_use]
    pub fn is_other_side_of(&self, other: &Self) -> bool {
        (self.name, self.version) == (other.name, other.version) && self.side != other.side
    }
}

impl Locale {
    /// What happened in a case of the conformance suite, of those that [`Seen`] names. Empty for any other.
    #[must_use]
    pub fn ending(&self, case: &str) -> String {
        let phrases = self.phrases();
        let number = case.rsplit(['.', '-']).next().unwrap_or_default();
        let template = match case {
            "codes.empty" => phrases.ending_empty,
            "codes.app.forbidden-1006" => phrases.ending_forbidden,
            "tcp.fin.idle" => phrases.way_fin,
            "tcp.reset.idle" => phrases.way_reset,
            "tcp.fin.in-payload" => phrases.way_cut,
            "closing.app.fin-instead-of-answer" => phrases.ending_unanswered,
            "text.invalid.ff" => phrases.ending_bad_text,
            "frames.opcode.3" => phrases.ending_bad_frame,
            "opening.client.accept-wrong" => phrases.ending_accept,
            "opening.client.fin-after-request" => phrases.ending_fin_early,
            "opening.client.reset-after-request" => phrases.ending_reset_early,
            case if case.starts_with("opening.client.status-") => phrases.way_status,
            case if case.starts_with("codes.") => phrases.ending_close,
            _ => "",
        };
        fill(template, &[("code", number), ("status", number)])
    }
}

/// Name and version: `tungstenite 0.30`.
impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.version.starts_with(|c: char| c.is_ascii_digit()) {
            write!(f, " {}", self.version)?;
        }
        Ok(())
    }
}
