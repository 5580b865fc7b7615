//! Closing: by the application, by the peer, to the last byte.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use revoir_codes::{Reason, SendCode};

use crate::connection::Connection;
use crate::connection::step::Incident;
use crate::ending::{CallSite, Cause, Detail, Finish};
use crate::error::UsageError;
use crate::frame::CloseFrame;
use crate::random::Random;
use crate::role::Role;
use crate::state::State;

/// A close with everything that the [`Ending`](crate::Ending) will say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseRequest {
    /// What began it.
    pub cause: LocalCause,
    /// The code to send.
    pub code: SendCode,
    /// The reason to send.
    pub reason: Reason,
    /// Where the application asked for it.
    pub closed_at: Option<CallSite>,
}

/// The causes of a close from this side that only the driver can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocalCause {
    /// `close` by the application.
    ClosedLocally,
    /// The server's drain.
    Drained,
    /// Every handle of the connection was dropped without a close.
    Dropped,
    /// The application's handler panicked or returned an error.
    HandlerFailed,
}

impl From<LocalCause> for Cause {
    fn from(cause: LocalCause) -> Self {
        match cause {
            LocalCause::ClosedLocally => Self::ClosedLocally,
            LocalCause::Drained => Self::Drained,
            LocalCause::Dropped => Self::Dropped,
            LocalCause::HandlerFailed => Self::HandlerFailed,
        }
    }
}

impl<R: Random> Connection<R> {
    /// Starts the closing handshake (RFC 6455 section 7.1.2). Messages of the peer still come,
    /// until its Close frame or the end of the budget.
    ///
    /// If the transport is broken already, and only input that nobody took has kept the
    /// connection, the cause stays what broke it.
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`], or [`UsageError::MandatoryExtFromServer`] for 1010 from a server.
    #[track_caller]
    pub fn close(
        &mut self,
        now: Duration,
        code: SendCode,
        reason: Reason,
    ) -> Result<(), UsageError> {
        let closed_at = Some(Location::caller().into());
        let cause = LocalCause::ClosedLocally;
        self.close_with(
            now,
            CloseRequest {
                cause,
                code,
                reason,
                closed_at,
            },
        )
    }

    /// [`close`](Self::close), for a driver that closes for another cause, or for a caller
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`close`](Self::close).
    pub fn close_with(&mut self, now: Duration, request: CloseRequest) -> Result<(), UsageError> {
        // RFC 6455 section 7.4.1: 1010 is the client's word about the server's handshake.
        if request.code == SendCode::MANDATORY_EXT && self.parts.role == Role::Server {
            return Err(UsageError::MandatoryExtFromServer);
        }
        let state = self.parts.state;
        if state != State::Open {
            return Err(UsageError::NotOpen { state });
        }
        let now = self.own_time(now);
        let (cause, detail) = match self.loss() {
            Some((cause, detail)) => (cause, detail.clone()),
            None => (request.cause.into(), Detail::None),
        };
        let frame = CloseFrame::new(request.code, request.reason);
        let closed_at = request.closed_at;
        self.step(
            now,
            Incident::Close {
                cause,
                detail,
                frame,
                closed_at,
            },
        );
        Ok(())
    }

    /// Gives the connection up without a Close frame. The driver resets TCP.
    ///
    /// On an open connection the ending is the application's doing, whatever stands in input that
    /// nobody has looked at; its messages are counted.
    #[track_caller]
    pub fn abort(&mut self, now: Duration) {
        self.abort_from(now, Location::caller().into());
    }

    /// [`abort`](Self::abort), called for at `site`.
    pub fn abort_from(&mut self, now: Duration, site: CallSite) {
        let now = self.own_time(now);
        let was_open = self.parts.state == State::Open;
        self.count_untaken();
        let (cause, detail, finish) = (Cause::ClosedLocally, Detail::None, Finish::Reset);
        self.step(
            now,
            Incident::Lost {
                cause,
                detail,
                finish,
            },
        );
        if was_open && let Some(ending) = self.parts.ending.as_mut().and_then(Arc::get_mut) {
            ending.closed_at = Some(site);
        }
    }
}
