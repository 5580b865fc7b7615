//! [`DeflateConfig`]: what this endpoint wants; [`Agreed`]: what both ends settled on.

use std::error::Error;
use std::fmt;

use crate::Role;

/// The base-2 logarithm of an LZ77 window that zlib can work with: 9 to 15, 512 bytes to 32 KiB.
///
/// RFC 7692 section 7.1.2 also knows 8, which zlib cannot compress with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 9: a window of 512 bytes.
    pub const MIN: Self = Self(9);
    /// 15: a window of 32 KiB.
    pub const MAX: Self = Self(15);

    /// Checks `bits`.
    ///
    /// # Errors
    ///
    /// [`InvalidWindowBits`] outside 9 to 15.
    pub const fn new(bits: u8) -> Result<Self, InvalidWindowBits> {
        match bits {
            9..=15 => Ok(Self(bits)),
            _ => Err(InvalidWindowBits { got: bits }),
        }
    }

    /// The number, 9 to 15.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The size of the window in bytes.
    #[must_use]
    pub const fn window(self) -> usize {
        1 << self.0
    }

    /// The smallest window zlib can work with that holds one of 2^`bits` bytes.
    fn holding(bits: u8) -> Self {
        Self(bits.clamp(9, 15))
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A number of window bits that zlib cannot work with: the caller's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidWindowBits {
    /// The number that was given.
    pub got: u8,
}

impl fmt::Display for InvalidWindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "got {} window bits, expected 9 to 15", self.got)
    }
}

impl Error for InvalidWindowBits {}

/// How messages are compressed in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Direction {
    /// Whether a message may refer to the messages before it (RFC 7692 section 7.1.1). Without,
    /// nothing is kept between messages.
    pub context_takeover: bool,
    /// The largest window the sender may use (RFC 7692 section 7.1.2).
    pub max_window_bits: WindowBits,
}

impl Default for Direction {
    /// Context takeover with the largest window, the defaults of RFC 7692.
    fn default() -> Self {
        Self {
            context_takeover: true,
            max_window_bits: WindowBits::MAX,
        }
    }
}

/// What this endpoint wants of permessage-deflate, seen from its own side.
///
/// `send` binds this endpoint. `receive` is asked of the peer: as a client, a server that does not
/// meet it fails the handshake; as a server, a client that cannot limit its window (no
/// `client_max_window_bits` in its offer) is let off that one wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateConfig {
    /// The effort, 0 (none) to 9 (most); higher numbers count as 9.
    pub level: u8,
    /// Messages from here to the peer.
    pub send: Direction,
    /// Messages from the peer to here.
    pub receive: Direction,
}

impl Default for DeflateConfig {
    /// Level 6, context takeover and the largest windows both ways.
    fn default() -> Self {
        Self {
            level: 6,
            send: Direction::default(),
            receive: Direction::default(),
        }
    }
}

/// The parameters in force on a connection, in the terms of RFC 7692 section 7.1. They can be kept
/// and written down again, for a connection that moves between processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Agreed {
    /// Whether the server forgets its window after each message (RFC 7692 section 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// Whether the client forgets its window after each message (RFC 7692 section 7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window of the server, 8 to 15 bits (RFC 7692 section 7.1.2.1). Other numbers
    /// count as the nearest of these.
    pub server_max_window_bits: u8,
    /// The largest window of the client, 8 to 15 bits (RFC 7692 section 7.1.2.2). Other numbers
    /// count as the nearest of these.
    pub client_max_window_bits: u8,
    /// The effort of this endpoint's compressor, 0 to 9. It is not negotiated.
    pub level: u8,
}

impl Agreed {
    /// How `role` compresses the messages it sends.
    #[must_use]
    pub fn send(&self, role: Role) -> Direction {
        let (no_context_takeover, bits) = match role {
            Role::Client => (self.client_no_context_takeover, self.client_max_window_bits),
            Role::Server => (self.server_no_context_takeover, self.server_max_window_bits),
        };
        Direction {
            context_takeover: !no_context_takeover,
            max_window_bits: WindowBits::holding(bits),
        }
    }

    /// How the messages that `role` receives are compressed.
    #[must_use]
    pub fn receive(&self, role: Role) -> Direction {
        self.send(role.peer())
    }
}
