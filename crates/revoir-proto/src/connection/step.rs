//! [`Incident`]: what happens to a connection, and the one function that acts on it.

use crate::closing::ClosingHandshake;
use crate::connection::Connection;
use crate::connection::failing::close_frame;
use crate::ending::{CallSite, Cause, Detail, Finish, Initiator};
use crate::error::ProtocolError;
use crate::frame::{CloseFrame, Opcode};
use crate::nanos::Nanos;
use crate::random::Random;
use crate::state::{Action, Progress, Stimulus, transition};

/// A stimulus, with what is to be known of it.
pub(super) enum Incident {
    /// This endpoint closes.
    Close {
        cause: Cause,
        detail: Detail,
        frame: CloseFrame,
        closed_at: Option<CallSite>,
    },
    /// The peer broke a rule.
    Fail(ProtocolError),
    /// The peer's Close frame arrived.
    CloseReceived(CloseFrame),
    /// Our Close frame was written to the last byte.
    CloseWritten,
    /// The peer's stream ended.
    Eof,
    /// The transport broke, or is given up.
    Lost {
        cause: Cause,
        detail: Detail,
        finish: Finish,
    },
    /// The budget of the closing handshake is over.
    Expired,
}

impl Incident {
    const fn stimulus(&self) -> Stimulus {
        match self {
            Self::Close { .. } => Stimulus::Close,
            Self::Fail(_) => Stimulus::Fail,
            Self::CloseReceived(_) => Stimulus::CloseReceived,
            Self::CloseWritten => Stimulus::CloseWritten,
            Self::Eof => Stimulus::Eof,
            Self::Lost { .. } => Stimulus::Lost,
            Self::Expired => Stimulus::Expired,
        }
    }

    /// If it ends the connection: what began that, unless a closing handshake has, and how it
    /// finished.
    fn into_end(self) -> (Cause, Detail, Finish) {
        match self {
            Self::Lost {
                cause,
                detail,
                finish,
            } => (cause, detail, finish),
            Self::Expired => (Cause::Eof, Detail::None, Finish::Timeout),
            // The others end a connection whose stream has ended.
            Self::Close { .. }
            | Self::Fail(_)
            | Self::CloseReceived(_)
            | Self::CloseWritten
            | Self::Eof => (Cause::Eof, Detail::None, Finish::Eof),
        }
    }
}

impl<R: Random> Connection<R> {
    /// The only place where the state changes, and where that has consequences.
    pub(super) fn step(&mut self, now: Nanos, incident: Incident) {
        let closing = self.parts.closing.as_deref();
        let progress = closing.map_or_else(Progress::default, ClosingHandshake::progress);
        let (next, action) = transition(self.parts.state, progress, incident.stimulus());
        self.parts.state = next;
        match action {
            Action::Ignore => {}
            Action::SendClose => self.begin_closing(now, incident),
            Action::SendCloseAndDiscard => {
                self.begin_closing(now, incident);
                self.discard_input();
            }
            Action::Discard => {
                self.note(now, incident);
                self.discard_input();
            }
            Action::AwaitWrite | Action::AwaitTcp => self.note(now, incident),
            Action::End => {
                let (cause, detail, finish) = match incident {
                    Incident::CloseWritten => {
                        self.note(now, Incident::CloseWritten);
                        Incident::CloseWritten.into_end()
                    }
                    incident => incident.into_end(),
                };
                self.end(now, cause, detail, finish);
            }
        }
    }

    /// Queues our only Close frame and starts the budget.
    fn begin_closing(&mut self, now: Nanos, incident: Incident) {
        let (initiator, cause, frame) = match &incident {
            Incident::Close { cause, frame, .. } => (Initiator::Local, *cause, *frame),
            Incident::Fail(error) => (Initiator::Local, error.cause(), close_frame(*error)),
            Incident::CloseReceived(frame) => {
                (Initiator::Remote, Cause::ClosedByPeer, frame.answer())
            }
            Incident::CloseWritten | Incident::Eof | Incident::Lost { .. } | Incident::Expired => {
                return;
            }
        };
        // RFC 6455 section 5.5.1: nothing follows the Close frame, a late pong neither.
        self.parts.forget_waiting_pong();
        if !self.is_lost() {
            let mut payload = Vec::new();
            frame.encode(&mut payload);
            self.push_control(now, Opcode::Close, &payload);
        }
        let config = &self.parts.config;
        let closing = ClosingHandshake::begin(now.into(), config, initiator, cause, frame);
        self.parts.closing = Some(Box::new(closing));
        self.note(now, incident);
    }

    /// Writes down what the incident says about the closing handshake.
    fn note(&mut self, now: Nanos, incident: Incident) {
        let parts = &mut self.parts;
        let Some(closing) = parts.closing.as_deref_mut() else {
            return;
        };
        match incident {
            Incident::Close {
                detail, closed_at, ..
            } => {
                closing.detail = detail;
                closing.closed_at = closed_at;
            }
            Incident::Fail(error) => closing.fail(error),
            Incident::CloseReceived(frame) => closing.receive(parts.arrived.into(), frame),
            Incident::CloseWritten => closing.write(now.into()),
            Incident::Eof => closing.eof = true,
            Incident::Lost { .. } | Incident::Expired => {}
        }
        closing.settle(now.into(), parts.role, &parts.config);
    }
}
