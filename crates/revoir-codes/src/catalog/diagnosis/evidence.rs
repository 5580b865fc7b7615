//! [`Evidence`]: what is known of an ending, and the signs read from it.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::catalog::causes::Witness;
use crate::code::CloseCode;
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
        self.seen.push(Observed {
            sign,
            value: value.into(),
        });
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
}
