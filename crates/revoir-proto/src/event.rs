//! [`Event`]: what the connection has to tell.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::ending::Ending;
use crate::message::Message;

/// What the connection has to tell, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A ping with its payload. It has been answered as far as RFC 6455 section 5.5.3 asks for:
    /// its pong is queued, or takes the place of an older one that waits; after our Close frame
    /// there is none.
    Ping(Bytes),
    /// A pong.
    Pong {
        /// Its payload.
        payload: Bytes,
        /// The round trip, if it answers a ping of the keepalive.
        rtt: Option<Duration>,
    },
    /// No further message will come: the peer's Close frame arrived, or the peer broke a rule.
    Closing,
    /// The connection is over. Comes exactly once, as the last event.
    Ended(Arc<Ending>),
}
