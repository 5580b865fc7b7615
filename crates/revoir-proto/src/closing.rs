//! [`ClosingHandshake`]: which Close frames went where, in which order, and until when.

use std::time::Duration;

use crate::config::Config;
use crate::ending::{CallSite, Cause, Detail, Finish, Initiator};
use crate::error::ProtocolError;
use crate::frame::CloseFrame;
use crate::role::Role;
use crate::state::Progress;

/// How long a peer may take that did not answer a ping: enough for our Close frame to leave.
const AFTER_SILENCE: Duration = Duration::from_millis(10);

/// The closing handshake (RFC 6455 sections 5.5.1, 7.1.2 and 7.1.3) as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingHandshake {
    /// What began it.
    pub cause: Cause,
    /// What stands behind the cause.
    pub detail: Detail,
    /// Who began it.
    pub initiator: Initiator,
    /// Our Close frame. It is queued as soon as the closing handshake begins.
    pub sent: CloseFrame,
    /// Whether our Close frame was written to its last byte.
    pub written: bool,
    /// When that was, in the connection's own time.
    pub written_at: Option<Duration>,
    /// The peer's Close frame.
    pub received: Option<CloseFrame>,
    /// Whether the peer's Close frame arrived after we had begun, but before ours was written: both
    /// sides closed at once.
    pub crossed: bool,
    /// Whether the peer broke a rule, so that nothing it sends counts any more.
    pub failed: bool,
    /// Whether the peer's stream ended.
    pub eof: bool,
    /// When the budget is over, whatever the peer does.
    pub deadline: Duration,
    /// When the wait for the server's FIN is over, at a client.
    pub fin_deadline: Option<Duration>,
    /// Where the application called `close`.
    pub closed_at: Option<CallSite>,
}

impl ClosingHandshake {
    pub(crate) fn begin(
        now: Duration,
        config: &Config,
        initiator: Initiator,
        cause: Cause,
        sent: CloseFrame,
    ) -> Self {
        // RFC 6455 section 7.1.7: the connection has failed, and its peer was silent for too long
        // already. Our Close frame leaves if it can at once.
        let budget = match cause {
            Cause::PongTimeout => config.close_budget.min(AFTER_SILENCE),
            _ => config.close_budget,
        };
        Self {
            cause,
            detail: Detail::None,
            initiator,
            sent,
            written: false,
            written_at: None,
            received: None,
            crossed: false,
            failed: false,
            eof: false,
            // An absolute budget: nothing the peer does moves it.
            deadline: now.saturating_add(budget),
            fin_deadline: None,
            closed_at: None,
        }
    }

    /// Whether both Close frames were exchanged.
    #[must_use]
    pub const fn is_exchanged(&self) -> bool {
        self.written && self.received.is_some()
    }

    /// Whether nothing more is expected in either direction but the end of TCP.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.written && (self.received.is_some() || self.failed)
    }

    /// Whether this endpoint shuts down its direction of TCP now (RFC 6455 section 7.1.1).
    #[must_use]
    pub const fn wants_shutdown_write(&self, role: Role) -> bool {
        self.is_settled() && role.closes_tcp_first()
    }

    /// When to give up.
    #[must_use]
    pub fn next_deadline(&self) -> Duration {
        self.fin_deadline
            .map_or(self.deadline, |fin| fin.min(self.deadline))
    }

    /// Starts the client's wait for the server's FIN, once nothing else is left to wait for.
    pub(crate) fn settle(&mut self, now: Duration, role: Role, config: &Config) {
        // RFC 6455 section 7.1.1: a client waits for the server, and may close after a while.
        if self.is_settled() && !role.closes_tcp_first() && self.fin_deadline.is_none() {
            self.fin_deadline = Some(now.saturating_add(config.fin_wait));
        }
    }

    /// The peer broke a rule.
    pub(crate) fn fail(&mut self, error: ProtocolError) {
        self.failed = true;
        // If we were closing, what began it stays the cause; the rule tells why no answer counted.
        if self.detail == Detail::None {
            self.detail = Detail::Rule(error);
        }
    }

    /// Takes note of the peer's Close frame, which stood in input that `arrived` then.
    pub(crate) fn receive(&mut self, arrived: Duration, frame: CloseFrame) {
        if matches!(
            self.cause,
            Cause::Reset | Cause::TlsTruncated | Cause::WriteFailed
        ) {
            // It was there before the transport broke.
            self.cause = Cause::ClosedByPeer;
            self.detail = Detail::None;
            self.initiator = Initiator::Remote;
        }
        // It may have waited behind messages for longer than ours took to leave.
        let came_first = self.written_at.is_none_or(|written| arrived < written);
        self.crossed = self.initiator == Initiator::Local && came_first;
        self.received = Some(frame);
    }

    /// Our Close frame was written to its last byte.
    pub(crate) fn write(&mut self, now: Duration) {
        self.written = true;
        self.written_at = Some(now);
    }

    pub(crate) const fn progress(&self) -> Progress {
        Progress {
            written: self.written,
            eof: self.eof,
        }
    }

    /// How it finished, if it stops `otherwise`.
    pub(crate) const fn finish(&self, otherwise: Finish) -> Finish {
        if self.is_exchanged() {
            // RFC 6455 section 7.1.4: what TCP does afterwards does not make it less clean.
            Finish::Answered
        } else {
            otherwise
        }
    }
}
