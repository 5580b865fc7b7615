//! [`Case`]: what one measurement does.

use std::fmt;

use anyhow::{Context, Result, bail};

/// Which side the stack under test plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Decodes masked frames, encodes unmasked ones.
    Server,
    /// Decodes unmasked frames, encodes masked ones.
    Client,
}

/// What the messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Binary.
    Binary,
    /// Text of ASCII, delivered as text, its bytes looked at.
    Text,
    /// As `Text`, but the caller takes each message as `&str` before it echoes it.
    TextAsStr,
    /// Text of which every fourth character is not ASCII.
    MixedText,
}

/// How the bytes come in. After each portion the transport says once that nothing is there, as a
/// socket does between two readiness events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Many whole messages at once.
    Many,
    /// One whole message at a time.
    One,
    /// 1 KiB at a time, wherever the frames begin and end.
    Pieces,
}

/// What one measurement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The side of the stack.
    pub role: Role,
    /// The kind of the messages.
    pub kind: Kind,
    /// How they arrive.
    pub arrival: Arrival,
    /// Payload bytes of each.
    pub size: usize,
}

/// The payload sizes of the table.
pub const SIZES: [usize; 4] = [20, 1024, 16 * 1024, 64 * 1024];

/// The portion of [`Arrival::Pieces`].
pub const PIECE: usize = 1024;

impl Case {
    /// The payload limit that every stack enforces.
    pub const LIMIT: usize = 1024 * 1024;

    /// How many different messages the input has; it is repeated.
    #[must_use]
    pub fn distinct(&self) -> usize {
        if self.size <= 1024 { 64 } else { 16 }
    }

    /// How many messages the shorter of the two runs echoes: whole repetitions of the input.
    #[must_use]
    pub fn messages(&self) -> usize {
        match self.size {
            0..=1024 => 1024,
            1025..=16_384 => 128,
            _ => 64,
        }
    }

    /// Reads a case from four words, in the order that `Display` writes.
    ///
    /// # Errors
    ///
    /// For a word that is not known.
    pub fn parse(words: &[String]) -> Result<Self> {
        let [role, kind, arrival, size] = words else {
            bail!("a case is: role kind arrival size");
        };
        Ok(Self {
            role: match role.as_str() {
                "server" => Role::Server,
                "client" => Role::Client,
                _ => bail!("no such role: {role}"),
            },
            kind: match kind.as_str() {
                "binary" => Kind::Binary,
                "text" => Kind::Text,
                "text-as-str" => Kind::TextAsStr,
                "mixed-text" => Kind::MixedText,
                _ => bail!("no such kind: {kind}"),
            },
            arrival: match arrival.as_str() {
                "many" => Arrival::Many,
                "one" => Arrival::One,
                "pieces" => Arrival::Pieces,
                _ => bail!("no such arrival: {arrival}"),
            },
            size: size.parse().with_context(|| format!("no size: {size}"))?,
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            role,
            kind,
            arrival,
            size,
        } = self;
        write!(f, "{role} {kind} {arrival} {size}")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Binary => "binary",
            Self::Text => "text",
            Self::TextAsStr => "text-as-str",
            Self::MixedText => "mixed-text",
        })
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Many => "many",
            Self::One => "one",
            Self::Pieces => "pieces",
        })
    }
}
