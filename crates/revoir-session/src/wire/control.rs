//! Everything that a binary message can be.

use std::time::Duration;

use bytes::Bytes;
use revoir_codes::SendCode;

use crate::role::Role;
use crate::wire::field::millis;
use crate::wire::kind::{
    ACK, BACKEND, BINARY, BYE, GAP, GOAWAY, HELLO, PING, PONG, TOKEN, VOLATILE, WELCOME,
};
use crate::wire::number::{Reader, put_number};
use crate::wire::{Hello, Token, Violation, Welcome};

/// The longest control message, in bytes.
const CONTROL_MAX_BYTES: usize = 16 * 1024;

/// The code of a Close frame to a connection whose session another one has.
pub(crate) const TAKEN_OVER: u16 = 4090;

/// The code of a Close frame to a peer that broke a rule.
pub(crate) const VIOLATION: u16 = 4094;

/// The longest reason of a Close frame, in bytes.
const REASON_MAX_BYTES: usize = 123;

/// What a binary message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// The application's, without the byte in front.
    Application(Bytes),
    Control(Control),
}

/// A message of the session itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Hello(Box<Hello>),
    Welcome(Box<Welcome>),
    /// So many more messages have been taken.
    Ack(u64),
    Ping,
    Pong,
    GoAway(GoAway),
    Token(Token),
    /// Sequenced, as the next three are.
    Volatile(bool),
    Gap {
        count: u64,
        reason: GapReason,
    },
    BackendChanged(BackendChanged),
    Bye(Bye),
}

/// Who ended a connection or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The application at the other end.
    Application,
    /// The gateway or server in between: its operator, a restart, a limit.
    Gateway,
    /// The backend behind the gateway.
    Backend,
}

impl Origin {
    /// Every one, at the index that is its number on the wire.
    pub const ALL: &[Self] = &[Self::Application, Self::Gateway, Self::Backend];

    /// The name in the specification.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Gateway => "gateway",
            Self::Backend => "backend",
        }
    }
}

/// Why messages are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GapReason {
    /// The sender keeps the newest while its peer is away. The count is exact.
    Dropped,
    /// The sender's memory was lost: at most so many.
    OwnerLost,
    /// They may have been handed over to an owner that was lost; the sender's application decides.
    InDoubt,
    /// A message at which the connection failed twice. The count is exact.
    Quarantined,
}

impl GapReason {
    /// Every one, at the index that is its number on the wire.
    pub const ALL: &[Self] = &[
        Self::Dropped,
        Self::OwnerLost,
        Self::InDoubt,
        Self::Quarantined,
    ];

    /// The name in the specification.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::OwnerLost => "owner-lost",
            Self::InDoubt => "in-doubt",
            Self::Quarantined => "quarantined",
        }
    }

    /// Whether exactly so many messages are missing, and not at most so many.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        match self {
            Self::Dropped | Self::Quarantined => true,
            Self::OwnerLost | Self::InDoubt => false,
        }
    }
}

/// The server is about to close the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// Who wants it.
    pub origin: Origin,
    /// The code of the Close frame that will follow.
    pub code: SendCode,
    /// Whether the session will still be there.
    pub resumable: bool,
    /// When to come back: in so many milliseconds,
    pub after: Duration,
    /// and a random part of so many more.
    pub spread: Duration,
    /// Text for people, at most 123 bytes.
    pub reason: String,
}

/// The session is over, and this is the last that its sender says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bye {
    /// Who ended it.
    pub origin: Origin,
    /// The code of the Close frame that will follow.
    pub code: SendCode,
    /// Text for people, at most 123 bytes.
    pub reason: String,
}

/// The gateway has another backend connection for the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendChanged {
    /// So many messages of the client were written to the old one.
    pub written: u64,
    /// So many came from it.
    pub received: u64,
    /// So many of those written, the last ones, may never have been read.
    pub maybe_lost: u64,
}

impl BackendChanged {
    /// Two changes, told as one.
    pub(crate) fn add(&mut self, change: Self) {
        self.written = self.written.saturating_add(change.written);
        self.received = self.received.saturating_add(change.received);
        self.maybe_lost = self.maybe_lost.saturating_add(change.maybe_lost);
    }
}

/// Says what a binary message of that role is.
pub(crate) fn read(from: Role, message: &Bytes) -> Result<Received, Violation> {
    let kind = *message.first().ok_or(Violation::EmptyMessage)?;
    if kind == BINARY {
        return Ok(Received::Application(message.slice(1..)));
    }
    if kind > BACKEND {
        return Err(Violation::UnknownType);
    }
    let may_send = match from {
        Role::Client => [HELLO, ACK, PING, PONG, BYE, GAP].contains(&kind),
        Role::Server => kind != HELLO,
    };
    if !may_send {
        return Err(Violation::WrongDirection);
    }
    if message.len() > CONTROL_MAX_BYTES {
        return Err(Violation::TooLong);
    }
    Control::read(kind, Reader::new(&message[1..])).map(Received::Control)
}

impl Control {
    fn read(kind: u8, mut reader: Reader<'_>) -> Result<Self, Violation> {
        let control = match kind {
            HELLO => return Hello::read(reader).map(|hello| Self::Hello(Box::new(hello))),
            WELCOME => return Welcome::read(reader).map(|it| Self::Welcome(Box::new(it))),
            ACK => Self::Ack(count(&mut reader)?),
            PING => Self::Ping,
            PONG => Self::Pong,
            GOAWAY => return GoAway::read(reader).map(Self::GoAway),
            BYE => return Bye::read(reader).map(Self::Bye),
            TOKEN => {
                let token = Bytes::copy_from_slice(reader.rest());
                return Token::new(token).map(Self::Token);
            }
            GAP => Self::Gap {
                count: count(&mut reader)?,
                reason: choice(&mut reader, GapReason::ALL)?,
            },
            VOLATILE => Self::Volatile(choice(&mut reader, &[false, true])?),
            BACKEND => Self::BackendChanged(BackendChanged {
                written: reader.number()?,
                received: reader.number()?,
                maybe_lost: reader.number()?,
            }),
            _ => return Err(Violation::UnknownType),
        };
        reader.end()?;
        Ok(control)
    }

    /// The message, with its type.
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Hello(hello) => hello.encode(),
            Self::Welcome(welcome) => welcome.encode(),
            Self::Ack(count) => numbers(ACK, &[*count]),
            Self::Ping => Bytes::from_static(&[PING]),
            Self::Pong => Bytes::from_static(&[PONG]),
            Self::GoAway(goaway) => goaway.encode(),
            Self::Token(token) => [&[TOKEN], token.as_bytes()].concat().into(),
            Self::Volatile(volatile) => numbers(VOLATILE, &[u64::from(*volatile)]),
            Self::Gap { count, reason } => {
                numbers(GAP, &[*count, number_of(GapReason::ALL, *reason)])
            }
            Self::BackendChanged(change) => numbers(
                BACKEND,
                &[change.written, change.received, change.maybe_lost],
            ),
            Self::Bye(bye) => bye.encode(),
        }
    }
}

impl Hello {
    /// Reads the first message of a connection, which has to be a HELLO.
    ///
    /// # Errors
    ///
    /// The rule that it breaks. The connection is then closed with 4094; no session is touched.
    pub fn decode(message: &Bytes) -> Result<Self, Violation> {
        match read(Role::Client, message)? {
            Received::Control(Control::Hello(hello)) => Ok(*hello),
            Received::Application(_) | Received::Control(_) => Err(Violation::OutOfOrder),
        }
    }
}

impl GoAway {
    fn read(mut reader: Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            origin: choice(&mut reader, Origin::ALL)?,
            code: code(&mut reader)?,
            resumable: choice(&mut reader, &[false, true])?,
            after: Duration::from_millis(reader.number()?),
            spread: Duration::from_millis(reader.number()?),
            reason: reason(reader)?,
        })
    }

    fn encode(&self) -> Bytes {
        let mut out = vec![GOAWAY];
        put_number(&mut out, number_of(Origin::ALL, self.origin));
        put_number(&mut out, u64::from(self.code.get()));
        put_number(&mut out, u64::from(self.resumable));
        put_number(&mut out, millis(self.after));
        put_number(&mut out, millis(self.spread));
        out.extend_from_slice(cut(&self.reason).as_bytes());
        out.into()
    }
}

impl Bye {
    /// Whether BYE and GOAWAY may have this code: 4090 and 4094 end a session in another way.
    #[must_use]
    pub fn may_have(code: SendCode) -> bool {
        is_announced(code)
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            origin: choice(&mut reader, Origin::ALL)?,
            code: code(&mut reader)?,
            reason: reason(reader)?,
        })
    }

    fn encode(&self) -> Bytes {
        let mut out = vec![BYE];
        put_number(&mut out, number_of(Origin::ALL, self.origin));
        put_number(&mut out, u64::from(self.code.get()));
        out.extend_from_slice(cut(&self.reason).as_bytes());
        out.into()
    }
}

fn numbers(kind: u8, numbers: &[u64]) -> Bytes {
    let mut out = vec![kind];
    for number in numbers {
        put_number(&mut out, *number);
    }
    out.into()
}

fn count(reader: &mut Reader<'_>) -> Result<u64, Violation> {
    match reader.number()? {
        0 => Err(Violation::EmptyCount),
        count => Ok(count),
    }
}

/// One of several, as its number among them.
pub(crate) fn choice<T: Copy>(reader: &mut Reader<'_>, all: &[T]) -> Result<T, Violation> {
    of_number(all, reader.number()?).ok_or(Violation::BadValue)
}

/// The one with that number among all.
pub(crate) fn of_number<T: Copy>(all: &[T], number: u64) -> Option<T> {
    all.get(usize::try_from(number).ok()?).copied()
}

pub(crate) fn number_of<T: Copy + PartialEq>(all: &[T], value: T) -> u64 {
    all.iter().position(|it| *it == value).unwrap_or(0) as u64
}

fn code(reader: &mut Reader<'_>) -> Result<SendCode, Violation> {
    let number = u16::try_from(reader.number()?).map_err(|_| Violation::BadValue)?;
    let code = SendCode::try_from(number).map_err(|_| Violation::BadValue)?;
    match is_announced(code) {
        true => Ok(code),
        false => Err(Violation::BadValue),
    }
}

/// Whether GOAWAY and BYE may have this code: not one that ends a session in another way.
pub(crate) fn is_announced(code: SendCode) -> bool {
    ![TAKEN_OVER, VIOLATION].contains(&code.get())
}

fn reason(reader: Reader<'_>) -> Result<String, Violation> {
    let text = reader.text()?;
    match text.len() <= REASON_MAX_BYTES {
        true => Ok(text),
        false => Err(Violation::BadValue),
    }
}

/// As much of a reason as fits, and whole characters.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_MAX_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}
