//! HELLO: what a client says first.

use std::time::Duration;

use bytes::Bytes;

use crate::wire::field::{self, millis, put_text};
use crate::wire::kind::HELLO;
use crate::wire::number::{Reader, put_field, put_number_field};
use crate::wire::{Token, Violation, Window};

/// What a client says first on every connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The session to resume; without one, a new one.
    pub resume: Option<Resume>,
    /// What the client keeps at most of messages that are not acknowledged.
    pub window: Window,
    /// For how long the session shall outlive its connection.
    pub ttl: Option<Duration>,
    /// The application's subprotocols, as in `Sec-WebSocket-Protocol`.
    pub protocols: Option<String>,
    /// Header fields of the application, a line each: `name: value`.
    pub headers: Option<String>,
}

/// The session that a client resumes, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The latest token.
    pub token: Token,
    /// How many of the server's messages the client has.
    pub received: u64,
    /// How many of its own were acknowledged: it still has those behind them.
    pub acked: u64,
    /// How many it has numbered.
    pub sent: u64,
    /// Which of its connections this is, counted by the client: one that says HELLO late is known by it.
    pub attempt: u64,
    /// Whether the server said that its store is away.
    pub volatile: bool,
}

impl Hello {
    /// The message, with its type.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = vec![HELLO];
        if let Some(resume) = &self.resume {
            put_field(&mut out, field::TOKEN, resume.token.as_bytes());
            put_number_field(&mut out, field::RECEIVED, resume.received);
            put_number_field(&mut out, field::ACKED, resume.acked);
            put_number_field(&mut out, field::SENT, resume.sent);
            if resume.volatile {
                put_field(&mut out, field::VOLATILE, &[]);
            }
        }
        self.window.put(&mut out);
        if let Some(ttl) = self.ttl {
            put_number_field(&mut out, field::TTL, millis(ttl));
        }
        put_text(&mut out, field::PROTOCOL, self.protocols.as_deref());
        put_text(&mut out, field::HEADERS, self.headers.as_deref());
        if let Some(resume) = &self.resume {
            put_number_field(&mut out, field::ATTEMPT, resume.attempt);
        }
        out.into()
    }

    pub(super) fn read(mut reader: Reader<'_>) -> Result<Self, Violation> {
        let (mut token, mut received, mut acked) = (None, None, None);
        let (mut sent, mut attempt) = (None, None);
        let (mut messages, mut bytes, mut ttl) = (None, None, None);
        let (mut protocols, mut headers) = (None, None);
        let (mut volatile, mut last) = (false, None);
        while !reader.is_empty() {
            let (id, value) = reader.field(&mut last)?;
            match id {
                field::TOKEN => token = Some(Token::new(Bytes::copy_from_slice(value.rest()))?),
                field::RECEIVED => received = Some(value.only_number()?),
                field::ACKED => acked = Some(value.only_number()?),
                field::SENT => sent = Some(value.only_number()?),
                field::ATTEMPT => attempt = Some(value.only_number()?),
                field::VOLATILE => volatile = value.nothing()?,
                field::WINDOW_MESSAGES => messages = Some(Window::messages(value)?),
                field::WINDOW_BYTES => bytes = Some(value.only_number()?),
                field::TTL => ttl = Some(Duration::from_millis(value.only_number()?)),
                field::PROTOCOL => protocols = Some(value.text()?),
                field::HEADERS => headers = Some(value.text()?),
                // Of a later version, or for the other role.
                _ => {}
            }
        }
        let window = Window::read(messages, bytes)?;
        let resume = match (token, received, acked, sent, attempt) {
            (Some(token), Some(received), Some(acked), Some(sent), Some(attempt)) => Some(Resume {
                token,
                received,
                acked,
                sent,
                attempt,
                volatile,
            }),
            (None, None, None, None, None) if !volatile => None,
            (Some(_), ..) => return Err(Violation::MissingField),
            (None, ..) => return Err(Violation::UnexpectedField),
        };
        if resume.as_ref().is_some_and(|it| it.acked > it.sent) {
            return Err(Violation::BadValue);
        }
        Ok(Self {
            resume,
            window,
            ttl,
            protocols,
            headers,
        })
    }
}
