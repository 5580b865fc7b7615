//! [`Evidence`]: what is known of an ending, and the signs read from it.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::catalog::causes::Witness;
use crate::code::CloseCode;
use crate::generated::diagnosis::SHARES;
use crate::generated::signs::Sign;

/// What is known of an ending. Everything is optional; what is not known counts neither way.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The code that the application saw.
    pub code: Option<CloseCode>,
    /// Whether the connection had opened: a 101 that this side accepted.
    pub opened: Option<bool>,
    /// Whether both Close frames were exchanged.
    pub clean: Option<bool>,
    /// From the last byte, either way, to the end.
    pub idle: Option<Duration>,
    /// From opened to ended.
    pub age: Option<Duration>,
    /// From this side's own Close frame, or call of `close()`, to the end.
    pub closing: Option<Duration>,
    /// Whether many connections ended within the same second.
    pub simultaneous: Option<bool>,
    /// Who reports the ending.
    pub witness: Option<Witness>,
    /// How TCP ended.
    pub tcp: Option<TcpEnd>,
    /// The HTTP status that answered the opening handshake.
    pub status: Option<u16>,
    /// The header fields of that answer, names in any case.
    pub headers: Vec<(String, String)>,
    /// What consoles, logs and errors say, the reason in a Close frame, the body of a refused
    /// handshake.
    pub texts: Vec<String>,
    /// Whether this program looked itself. What somebody tells means something else than it says at
    /// times.
    pub looked: bool,
    /// Signs that somebody saw directly.
    seen: Vec<Observed>,
}

impl Evidence {
    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A sign was seen.
    pub fn observe(&mut self, sign: Sign) {
        self.observe_value(sign, "");
    }

    /// A sign was seen, and this is what was measured or read: `64 KiB`, `60.1 s`, `h2`.
    pub fn observe_value(&mut self, sign: Sign, value: impl Into<String>) {
        self.seen.push(Observed::seen(sign, value));
    }

    /// The signs that somebody saw directly.
    pub(crate) fn seen(&self) -> &[Observed] {
        &self.seen
    }
}

/// How TCP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpEnd {
    /// With a FIN.
    Fin,
    /// With an RST, or another error while reading.
    Rst,
    /// Not at all: packets vanished.
    Silence,
}

/// A sign that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Which.
    pub sign: Sign,
    /// What was measured or read; empty if there is nothing to add.
    pub value: String,
    /// What it is read from.
    pub basis: ReadFrom,
}

impl Observed {
    /// A sign that was seen, with what was measured or read.
    #[must_use]
    pub fn seen(sign: Sign, value: impl Into<String>) -> Self {
        Self {
            sign,
            value: value.into(),
            basis: ReadFrom::Seen,
        }
    }
}

/// What a sign is read from, and so how much it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadFrom {
    /// Loose words, in a text that says nothing else.
    Loose,
    /// A rule over the words of a line. Texts that nobody here has seen are misread at times.
    Ruled,
    /// A message on record, a measurement, or what somebody said of it.
    Seen,
}

impl ReadFrom {
    /// A stable identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Loose => "loose-words",
            Self::Ruled => "rule",
            Self::Seen => "seen",
        }
    }

    /// How much of the weight of such a sign counts, in tenths.
    pub(super) const fn tenths(self) -> i16 {
        match self {
            Self::Loose => SHARES.loose,
            Self::Ruled => SHARES.ruled,
            Self::Seen => SHARES.seen,
        }
    }
}
