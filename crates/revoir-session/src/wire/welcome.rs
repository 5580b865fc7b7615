//! WELCOME: what a server answers to HELLO.

use std::time::Duration;

use bytes::Bytes;

use crate::key::SessionId;
use crate::wire::field::{self, millis, put_text};
use crate::wire::kind::WELCOME;
use crate::wire::number::{Reader, put_field, put_number_field};
use crate::wire::{Token, Violation, Window};

/// What became of the session that a client wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// A new session, as it was asked for.
    New,
    /// The session goes on.
    Resumed,
    /// A new one: nobody came back in time.
    Expired,
    /// A new one: more was to be kept than the server keeps.
    Overflow,
    /// A new one: the server's memory of the old one was lost, or is another one than the client's.
    Epoch,
    /// A new one: the backend behind the gateway is another one, and does not know the session.
    Backend,
    /// A new one: the token says nothing to this server.
    Unknown,
}

impl Verdict {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::New,
        Self::Resumed,
        Self::Expired,
        Self::Overflow,
        Self::Epoch,
        Self::Backend,
        Self::Unknown,
    ];

    /// The name in the specification: `new`, `resumed`, or `fresh:` and why.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Resumed => "resumed",
            Self::Expired => "fresh:expired",
            Self::Overflow => "fresh:overflow",
            Self::Epoch => "fresh:epoch",
            Self::Backend => "fresh:backend",
            Self::Unknown => "fresh:unknown",
        }
    }

    /// Whether the session that the client wanted is over.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        match self {
            Self::New | Self::Resumed => false,
            Self::Expired | Self::Overflow | Self::Epoch | Self::Backend | Self::Unknown => true,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::New => 0,
            Self::Resumed => 1,
            Self::Expired => 16,
            Self::Overflow => 17,
            Self::Epoch => 18,
            Self::Backend => 19,
            Self::Unknown => 20,
        }
    }

    pub(crate) fn of_number(number: u64) -> Option<Self> {
        let has_it = |verdict: &&Self| verdict.number() == number;
        Self::ALL.iter().find(has_it).copied()
    }
}

/// What a server answers to HELLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// What became of the session that the client wanted.
    pub verdict: Verdict,
    /// What to resume with next time.
    pub token: Token,
    /// The session.
    pub session: SessionId,
    /// Which connection of the session this is.
    pub generation: u64,
    /// How many messages of the client the server has: of this session if it is resumed, else of the
    /// one that is over, if that is known.
    pub received: Option<u64>,
    /// How many messages of the server the client will never get, of the session that is over, if
    /// that is known.
    pub lost: Option<u64>,
    /// The owner of the session was lost: what is counted are bounds, and what was not acknowledged
    /// is in doubt.
    pub bound: bool,
    /// The store is away: if this server is lost now, so is the session.
    pub volatile: bool,
    /// What the server keeps at most of messages that are not acknowledged.
    pub window: Window,
    /// For how long the session outlives its connection.
    pub ttl: Duration,
    /// The server sends something at least this often. Zero: it does not.
    pub heartbeat: Duration,
    /// The application's subprotocol that was chosen.
    pub protocol: Option<String>,
    /// Header fields for the application, a line each: `name: value`.
    pub headers: Option<String>,
}

impl Welcome {
    /// The message, with its type.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = vec![WELCOME];
        put_field(&mut out, field::TOKEN, self.token.as_bytes());
        if let Some(received) = self.received {
            put_number_field(&mut out, field::RECEIVED, received);
        }
        if self.volatile {
            put_field(&mut out, field::VOLATILE, &[]);
        }
        self.window.put(&mut out);
        put_number_field(&mut out, field::TTL, millis(self.ttl));
        put_text(&mut out, field::PROTOCOL, self.protocol.as_deref());
        put_text(&mut out, field::HEADERS, self.headers.as_deref());
        put_number_field(&mut out, field::VERDICT, self.verdict.number());
        put_field(&mut out, field::SESSION, &self.session.0);
        put_number_field(&mut out, field::GENERATION, self.generation);
        if self.bound {
            put_field(&mut out, field::BOUND, &[]);
        }
        if let Some(lost) = self.lost {
            put_number_field(&mut out, field::LOST, lost);
        }
        put_number_field(&mut out, field::HEARTBEAT, millis(self.heartbeat));
        out.into()
    }

    /// This message, with what it says when the store is away.
    pub(crate) fn made_volatile(message: &[u8]) -> Option<Bytes> {
        let (_, fields) = message.split_first()?;
        let mut welcome = Self::read(Reader::new(fields)).ok()?;
        welcome.volatile = true;
        Some(welcome.encode())
    }

    pub(super) fn read(mut reader: Reader<'_>) -> Result<Self, Violation> {
        let (mut token, mut received, mut lost) = (None, None, None);
        let (mut messages, mut bytes, mut ttl, mut heartbeat) = (None, None, None, None);
        let (mut protocol, mut headers) = (None, None);
        let (mut verdict, mut session, mut generation) = (None, None, None);
        let (mut bound, mut volatile, mut last) = (false, false, None);
        while !reader.is_empty() {
            let (id, value) = reader.field(&mut last)?;
            match id {
                field::TOKEN => token = Some(Token::new(Bytes::copy_from_slice(value.rest()))?),
                field::RECEIVED => received = Some(value.only_number()?),
                field::VOLATILE => volatile = value.nothing()?,
                field::WINDOW_MESSAGES => messages = Some(Window::messages(value)?),
                field::WINDOW_BYTES => bytes = Some(value.only_number()?),
                field::TTL => ttl = Some(Duration::from_millis(value.only_number()?)),
                field::PROTOCOL => protocol = Some(value.text()?),
                field::HEADERS => headers = Some(value.text()?),
                field::VERDICT => {
                    let known = Verdict::of_number(value.only_number()?);
                    verdict = Some(known.ok_or(Violation::BadValue)?);
                }
                field::SESSION => {
                    let id = value.rest().try_into().map_err(|_| Violation::BadValue)?;
                    session = Some(SessionId(id));
                }
                field::GENERATION => generation = Some(value.only_number()?),
                field::BOUND => bound = value.nothing()?,
                field::LOST => lost = Some(value.only_number()?),
                field::HEARTBEAT => heartbeat = Some(Duration::from_millis(value.only_number()?)),
                // Of a later version, or for the other role.
                _ => {}
            }
        }
        let missing = Violation::MissingField;
        let welcome = Self {
            verdict: verdict.ok_or(missing)?,
            token: token.ok_or(missing)?,
            session: session.ok_or(missing)?,
            generation: generation.ok_or(missing)?,
            received,
            lost,
            bound,
            volatile,
            window: Window::read(messages, bytes)?,
            ttl: ttl.ok_or(missing)?,
            heartbeat: heartbeat.ok_or(missing)?,
            protocol,
            headers,
        };
        welcome.check()?;
        Ok(welcome)
    }

    /// Which counts a verdict comes with.
    const fn check(&self) -> Result<(), Violation> {
        match (self.verdict, self.received, self.lost) {
            (Verdict::New, None, None) if !self.bound => Ok(()),
            (Verdict::Resumed, Some(_), None) => Ok(()),
            (Verdict::Resumed, None, _) => Err(Violation::MissingField),
            (Verdict::New | Verdict::Resumed, ..) => Err(Violation::UnexpectedField),
            _ => Ok(()),
        }
    }
}
