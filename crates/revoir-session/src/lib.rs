//! The conversation outlives the connection: one end of a session as a value.
//!
//! A WebSocket connection ends when a phone changes networks. With the subprotocol
//! [`revoir.v1`](SUBPROTOCOL) the two ends of a conversation count their messages, keep those that the
//! other has not acknowledged, and go on with the next connection where they stopped.
//! `docs/session.md` is the specification.
//!
//! Nothing here reads a clock, opens a socket or starts a task: messages, time and randomness come
//! in, messages and events go out.
//!
//! # What is promised
//!
//! - Between a client and the server's end that it began with (or that was exported and imported), every
//!   message is handed over exactly once, in order, in both directions, whatever the connections do.
//! - If the owner of the session is lost, what was not acknowledged is *in doubt*: it comes back to the
//!   application with its key ([`Event::Returned`]), and is sent again only if [`InDoubt::Again`] says so.
//! - What is missing is said: [`Event::Gap`], [`Event::Returned`], the counts of a [`Welcome`]. They are
//!   exact as long as no owner was lost, and upper bounds otherwise.
//!
//! # The driver's contract
//!
//! | when | call |
//! |---|---|
//! | client: a connection with the subprotocol has opened | [`Session::connect`] |
//! | server: the first message of a connection has come | [`Hello::decode`], then [`judge`], then [`Session::resume`] or [`Session::accept`] |
//! | a message has come | [`Session::handle_message`], with the connection's id |
//! | the connection is over | [`Session::handle_disconnect`], with the code of the peer's Close frame |
//! | the time of [`Session::poll_timeout`] has come | [`Session::handle_timeout`] |
//!
//! After each of them, and after what the application does, it
//!
//! 1. writes what [`Session::poll_transmit`] has, until it has nothing;
//! 2. takes what [`Session::poll_event`] has, until it has nothing;
//! 3. sets its timer to [`Session::poll_timeout`].
//!
//! A server closes a connection that sends no HELLO within [`OPENING_LIMIT`] with
//! [`Close::timeout`], and the one that [`Session::resume`] names with [`Close::taken_over`].
//!
//! **Memory.** A session keeps what its [`Window`] says, and one message more. Nothing else grows with
//! what a peer sends: of each control message at most one waits.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use revoir_session::{Config, Event, Message, Outgoing, Session};
//!
//! let now = Duration::ZERO;
//! let mut client = Session::client(now, Config::default());
//! client.send_text("waits for the first connection".into())?;
//! let connection = client.connect(now, None, None)?;
//! let hello = client.poll_transmit(now).expect("HELLO comes first");
//! assert_eq!(hello.connection, connection);
//! assert!(matches!(hello.outgoing, Outgoing::Message(Message::Binary(_))));
//! # Ok::<(), revoir_session::SendError>(())
//! ```

mod claims;
mod config;
mod event;
mod key;
mod receiving;
mod role;
#[cfg(feature = "seal")]
mod seal;
mod sending;
mod session;
mod snapshot;
mod wire;

pub use claims::{Claims, Epoch, Principal};
pub use config::{Acks, Config, InDoubt, Overflow};
pub use event::{Close, Ended, Event, Fate, Loss, Message};
pub use key::{Key, SessionId};
pub use receiving::{ACK_DELAY, ACK_MESSAGES};
pub use role::Role;
#[cfg(feature = "seal")]
pub use seal::{KEY_BYTES, Keys, SALT_BYTES};
pub use sending::Sequenced;
pub use session::{
    ConnectionId, Fresh, Grant, HEARTBEAT_GRACE, Judgement, OPENING_LIMIT, Outgoing, POISON_CODES,
    POISON_WINDOW, PROBE_LIMIT, SendError, Session, Transmit, judge,
};
pub use snapshot::{SNAPSHOT_VERSION, Snapshot, SnapshotError};
pub use wire::{
    BackendChanged, Bye, GapReason, GoAway, Hello, Origin, Resume, TOKEN_MAX_BYTES, Token, Verdict,
    Violation, Welcome, Window,
};

/// The subprotocol, as in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "revoir.v1";
