//! [`Verdict`]: what the table says of a subject, before randomness and history.

use std::borrow::Cow;

use revoir_codes::advice::{Advice, DelayClass, DelayRange, Retry};
use revoir_codes::{Direction, advice};
use revoir_proto::handshake::HandshakeError;
use revoir_proto::{Cause, CloseCode, Detail, Ending};

use crate::reconnect::decision::Class;
use crate::reconnect::status;
use crate::reconnect::subject::Subject;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) rule: Cow<'static, str>,
    /// The delay of the first attempt; `None`: do not come back.
    pub(super) first: Option<Delay>,
    /// The delay of later attempts; `None`: as the first.
    pub(super) later: Option<Delay>,
    /// So many attempts after endings of the same subject without a stable connection.
    pub(super) attempts: Option<u16>,
    pub(super) refresh: bool,
    pub(super) resume: bool,
}

/// Where the delay of an attempt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delay {
    Class(DelayClass),
    Range(DelayRange),
}

impl Verdict {
    pub(super) const fn new(rule: &'static str, first: Option<Delay>) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            first,
            later: None,
            attempts: None,
            refresh: false,
            resume: first.is_some(),
        }
    }

    pub(super) const fn stop(rule: &'static str) -> Self {
        Self::new(rule, None)
    }

    pub(super) const fn retry(rule: &'static str, class: DelayClass) -> Self {
        Self::new(rule, Some(Delay::Class(class)))
    }

    /// Slowly and a few times only: what is either a mistake or about to pass.
    pub(super) fn doubtful(rule: &'static str) -> Self {
        Self {
            attempts: Some(3),
            ..Self::retry(rule, DelayClass::Slow)
        }
    }

    /// Fresh credentials, then once more.
    pub(super) fn refresh(rule: &'static str) -> Self {
        Self {
            attempts: Some(1),
            refresh: true,
            ..Self::retry(rule, DelayClass::Normal)
        }
    }

    /// What the table says of `ending`, whose subject is `subject`.
    pub(super) fn of(ending: &Ending, subject: Subject) -> Self {
        match subject {
            Subject::Code(code) => Self::of_code(code),
            Subject::Status(status) => status::verdict(status),
            Subject::Cause(cause) => Self::of_cause(cause, &ending.detail),
        }
    }

    fn of_code(code: CloseCode) -> Self {
        let advice = advice(code, Direction::AtClient);
        Self::advised(&advice, advice.rule)
    }

    fn of_cause(cause: Cause, detail: &Detail) -> Self {
        // What we would have sent is what the advice for it is about.
        let like = |code| Self::advised(&advice(code, Direction::AtClient), cause.id());
        match cause {
            Cause::PongTimeout => like(CloseCode::TIMEOUT),
            Cause::IdleTimeout => like(CloseCode::GOING_AWAY),
            Cause::HandlerFailed => like(CloseCode::INTERNAL_ERROR),
            Cause::ProtocolError => like(CloseCode::PROTOCOL_ERROR),
            Cause::InvalidData => like(CloseCode::INVALID_FRAME_PAYLOAD_DATA),
            Cause::MessageTooBig => like(CloseCode::MESSAGE_TOO_BIG),
            Cause::Dns if is_unknown_name(detail) => {
                Self::retry("dns-unknown-name", DelayClass::Slow)
            }
            Cause::HandshakeInvalid if is_garbled(detail) => Self::doubtful("handshake-garbled"),
            // A 101 that is none for us is a setting, here or there; the others are closed
            // connections that nobody here wants any more.
            Cause::HandshakeInvalid | Cause::ClosedLocally | Cause::Dropped | Cause::Drained => {
                Self::stop(cause.id())
            }
            _ => Self::retry(cause.id(), DelayClass::Normal),
        }
    }

    fn advised(advice: &Advice, rule: &'static str) -> Self {
        let first = match advice.retry {
            Retry::Never | Retry::Wait => None,
            Retry::AfterFix | Retry::AfterRefresh | Retry::Limited | Retry::Always => advice.first,
        };
        Self {
            rule: Cow::Borrowed(rule),
            first: first.map(Delay::Class),
            later: advice.later.map(Delay::Class),
            attempts: advice.attempts.map(u16::from),
            refresh: advice.retry == Retry::AfterRefresh,
            resume: advice.resume,
        }
    }

    /// The class and the range of an attempt, counted from 1; `None`: do not come back.
    /// `restart` is the range of a first attempt after a restart.
    pub(super) fn delay(&self, attempt: u32, restart: DelayRange) -> Option<(Class, DelayRange)> {
        let delay = match attempt {
            0 | 1 => self.first?,
            _ => self.later.or(self.first)?,
        };
        Some(match delay {
            Delay::Class(class @ DelayClass::Restart) if attempt <= 1 => (class.into(), restart),
            Delay::Class(class) => (class.into(), class.range(attempt)),
            Delay::Range(range) => (Class::Custom, range),
        })
    }
}

/// Whether the resolver knows that the name does not exist, rather than that it cannot tell. The
/// standard library hands its verdict on as text only.
fn is_unknown_name(detail: &Detail) -> bool {
    const SAID: [&str; 4] = [
        "Name or service not known",      // glibc
        "Name does not resolve",          // musl
        "nodename nor servname provided", // macOS, BSD
        "No such host is known",          // Windows
    ];
    match detail {
        Detail::Text(text) => SAID.iter().any(|said| text.contains(said)),
        _ => false,
    }
}

/// Whether the answer was no sound HTTP at all: a proxy or a portal in between, perhaps.
fn is_garbled(detail: &Detail) -> bool {
    let Detail::Handshake(error) = detail else {
        return false;
    };
    matches!(
        **error,
        HandshakeError::NotHttp { .. }
            | HandshakeError::MalformedHead { .. }
            | HandshakeError::BareLineFeed
            | HandshakeError::HeadTooLong { .. }
            | HandshakeError::TooManyHeaders { .. }
            | HandshakeError::HttpVersion { .. }
    )
}
