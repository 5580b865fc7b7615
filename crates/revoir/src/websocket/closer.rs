//! [`Closer`]: ends a connection from anywhere.

use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use revoir_proto::{CallSite, CloseRequest, Ending, LocalCause, Reason, Role, SendCode, State};

use crate::driver::Shared;
use crate::websocket::{Closed, Draining};

/// Closes a connection and tells how it ended, from any task. Clones are cheap.
///
/// It does not keep the connection open: when both halves are dropped, it closes all the same.
#[derive(Clone, Debug)]
pub struct Closer {
    socket: Shared,
}

impl Closer {
    pub(crate) fn new(socket: Shared) -> Self {
        Self { socket }
    }

    /// Starts the closing handshake (RFC 6455 section 7.1.2), now: the Close frame is queued
    /// behind what was sent before when this returns. The future waits until the socket is gone.
    ///
    /// The whole takes at most the close budget, 5 s by default
    /// ([`Config::close_budget`](crate::Config::close_budget)), whatever the peer does. Messages
    /// still come out of [`recv`](crate::Reader::recv) meanwhile. The source location of the call
    /// is kept in [`Ending::closed_at`].
    ///
    /// On a connection that is closing already this changes nothing: one Close frame is sent, and
    /// every caller gets the same [`Ending`]. Code 1010 is for clients only (RFC 6455 section
    /// 7.4.1): a server sends 1011 in its place.
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    #[track_caller]
    pub fn close(&self, code: SendCode, reason: Reason) -> Closed {
        self.close_from(code, reason, CallSite::from(Location::caller()))
    }

    /// [`close`](Self::close), for who does not wait: what it starts goes on by itself.
    #[track_caller]
    pub fn start_close(&self, code: SendCode, reason: Reason) {
        drop(self.close_from(code, reason, CallSite::from(Location::caller())));
    }

    /// Ends the connection at once, without a Close frame: TCP is reset, and what is queued counts as
    /// [`Ending::unsent`]. For a peer that is not worth the close budget; the other side sees a
    /// connection that broke. The source location of the call is kept in [`Ending::closed_at`].
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    #[track_caller]
    pub fn abort(&self) -> Closed {
        self.socket.abort(CallSite::from(Location::caller()));
        self.closed()
    }

    /// Where the other side is, if that is known; see
    /// [`WebSocket::peer_addr`](crate::WebSocket::peer_addr).
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.socket.peer_addr()
    }

    /// [`close`](Self::close), called for by the application at `site`.
    pub(crate) fn close_from(&self, code: SendCode, reason: Reason, site: CallSite) -> Closed {
        let code = match self.socket.role() {
            Role::Server if code == SendCode::MANDATORY_EXT => {
                tracing::warn!(target: "revoir", "1010 is for clients only, 1011 is sent");
                SendCode::INTERNAL_ERROR
            }
            Role::Server | Role::Client => code,
        };
        let cause = LocalCause::ClosedLocally;
        self.socket.close(CloseRequest {
            cause,
            code,
            reason,
            closed_at: Some(site),
        });
        self.closed()
    }

    /// Waits until the connection has ended, for whatever cause.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub fn closed(&self) -> Closed {
        Closed::new(Arc::clone(&self.socket))
    }

    /// Waits until a drain of the server reaches the connection, or it begins to close for another
    /// cause.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub fn draining(&self) -> Draining {
        Draining::new(Arc::clone(&self.socket))
    }

    /// Why the connection ended, once it has.
    #[must_use]
    pub fn ending(&self) -> Option<Arc<Ending>> {
        self.socket.ending()
    }

    /// The state in the words of RFC 6455.
    #[must_use]
    pub fn state(&self) -> State {
        self.socket.read(|machine| machine.core.state())
    }

    /// What a drain has told of the connection, once it has.
    #[cfg(feature = "session")]
    pub(crate) fn farewell(&self) -> Option<crate::drain::Farewell> {
        self.socket.wakers.farewell()
    }

    /// How many bytes of the output were written.
    pub(crate) fn written(&self) -> u64 {
        self.socket.read(|machine| machine.core.written_bytes())
    }

    /// The round trip that the last keepalive ping measured.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.socket.read(|machine| machine.core.rtt())
    }
}
