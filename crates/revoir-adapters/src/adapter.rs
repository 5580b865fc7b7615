//! [`Adapter`]: what a relay asks of a protocol.

use std::fmt;
use std::time::Duration;

use revoir_codes::CloseCode;

use crate::message::{Message, Outbox};

/// How much an adapter may have to say again: 64 KiB. With more, the connection is unholdable.
pub const PROLOGUE_LIMIT: usize = 64 * 1024;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fate {
    /// It goes on, untouched. What the adapter said to the same side goes behind it.
    Pass,
    /// It goes no further.
    Swallow,
    /// It goes no further, and neither does the connection: both sides are left as a lost backend
    /// in a tunnel leaves them, so that the client comes back by itself.
    End(Unholdable),
}

/// Why a connection may not be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unholdable {
    text: &'static str,
    is_final: bool,
}

impl Unholdable {
    /// As long as something lasts: an answer that is awaited, for example.
    pub const fn now(text: &'static str) -> Self {
        Self {
            text,
            is_final: false,
        }
    }

    /// As long as the connection lasts.
    pub const fn forever(text: &'static str) -> Self {
        Self {
            text,
            is_final: true,
        }
    }

    /// Whether that cannot change any more. The relay may drop the adapter then: frames pass
    /// unlooked-at.
    pub const fn is_final(self) -> bool {
        self.is_final
    }

    /// A few words for logs, one of a fixed set.
    pub const fn text(self) -> &'static str {
        self.text
    }
}

impl fmt::Display for Unholdable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// A protocol whose hello can be said again, on one connection. The [crate's page](crate) has the
/// whole contract.
pub trait Adapter: fmt::Debug + Send {
    /// A message of the client is about to go to the server. Each one comes here once for every
    /// server that it goes to, in the client's order; those that were kept come here when they go.
    fn message_from_client(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate;

    /// A message of the server has come.
    fn message_from_server(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate;

    /// A message of the client has come while the adapter is not [ready](Self::is_ready).
    /// [`Fate::Pass`] keeps it, and it will be shown again when it goes; what is answered here is
    /// swallowed: heartbeats, for example.
    fn message_while_away(&mut self, now: Duration, message: Message<'_>, out: &mut Outbox)
    -> Fate;

    /// A message of the client has come while the adapter is ready and [awaits its client](Self::awaits_client),
    /// and waits for the return of others. [`Fate::Pass`] keeps it, and it will be shown again when it goes; what is
    /// answered here is swallowed: heartbeats, for example.
    fn message_at_gate(&mut self, now: Duration, message: Message<'_>, out: &mut Outbox) -> Fate {
        let _ = (now, message, out);
        Fate::Pass
    }

    /// Whether the client could be held if the server went now.
    ///
    /// # Errors
    ///
    /// Why not, in words for the log.
    fn holdable(&self) -> Result<(), Unholdable>;

    /// Whether a server that closes with `code` and `reason` restarts. If not, it means this
    /// client, and the Close frame is passed. A connection that breaks without a Close frame is
    /// not asked about: that is a loss. 1005 stands for an empty Close frame.
    fn is_restart(&self, code: CloseCode, reason: &[u8]) -> bool {
        let _ = reason;
        tells_restart(code)
    }

    /// Whether servers of this protocol drop a single client without a Close frame, as MQTT brokers
    /// do with one whose client identifier another one has taken. A client that was dropped while
    /// its server went on is not held: its hello would throw out the other one.
    fn drops_single_clients(&self) -> bool {
        false
    }

    /// Whether the client was told of the server that is there, and may still be about to say by itself what
    /// that one has to know: its program joins rooms in its `connect` handler, for example. Asked once the
    /// adapter is [ready](Self::is_ready).
    fn awaits_client(&self) -> bool {
        false
    }

    /// The server is gone, and the client is held. Also if a server goes before the adapter was
    /// ready for it.
    fn server_gone(&mut self, now: Duration, out: &mut Outbox);

    /// Another server is there, and its opening handshake is over. The *hello* is said again, here or,
    /// where it has several steps, upon the server's answers: who the client is, and what it hears.
    fn say_hello(&mut self, now: Duration, out: &mut Outbox);

    /// Whether the hello is over, and what the client *said* may go to the server: false from
    /// [`server_gone`](Self::server_gone) on.
    fn is_ready(&self) -> bool;

    /// What the client had *said* to a server that went without an answer is said again, in its order: it
    /// is meant for others, so it waits for them where the hello does not. Called when the adapter is
    /// [ready](Self::is_ready), before anything that the client said later.
    fn say_unanswered(&mut self, now: Duration, out: &mut Outbox) {
        let _ = (now, out);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on the clock of `now`. It may change
    /// with every call.
    fn poll_timeout(&self) -> Option<Duration> {
        None
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        let _ = (now, out);
    }

    /// Bytes that the adapter keeps, roughly: they count in the relay's budget.
    fn memory(&self) -> usize;
}

/// Whether `code` alone says that the server goes, whatever the protocol.
pub(crate) const fn tells_restart(code: CloseCode) -> bool {
    matches!(
        code,
        CloseCode::GOING_AWAY | CloseCode::SERVICE_RESTART | CloseCode::TRY_AGAIN_LATER
    )
}
