//! Sans-I/O WebSocket protocol core (RFC 6455, RFC 7692): bytes and time in; bytes, events and
//! exactly one [`Ending`] out.
//!
//! Nothing here reads a clock, opens a socket or starts a task. `now` is a [`Duration`] since an
//! epoch that the caller chose, and randomness comes from a [`Random`] that is passed in, so a
//! connection is plain data: it can be tested without waiting, and moved to another process
//! ([`Connection::export`]).
//!
//! A [`Connection`] begins where the opening handshake ends; that is in [`handshake`], and what
//! it negotiates in [`extension`]. [`frame`] is for those who handle frames without a connection.
//!
//! # The driver's contract
//!
//! A driver owns the transport and the clock, and calls, in any order that the transport dictates:
//!
//! | when | verb |
//! |---|---|
//! | it is about to read | [`poll_receive`](Connection::poll_receive), which says where to; else [`lend_input`](Connection::lend_input), with its buffer if that may be given away, and with an empty one if other connections read into it too |
//! | bytes were read | [`received`](Connection::received), or [`handle_input`](Connection::handle_input) if they came otherwise |
//! | the stream ended, failed, or lost its TLS | [`handle_eof`](Connection::handle_eof), [`handle_reset`](Connection::handle_reset), [`handle_tls_truncated`](Connection::handle_tls_truncated) |
//! | a write failed | [`handle_write_failed`](Connection::handle_write_failed) |
//! | bytes were written | [`transmitted`](Connection::transmitted) |
//! | the deadline of [`poll_timeout`](Connection::poll_timeout) has come | [`handle_timeout`](Connection::handle_timeout) |
//! | its direction of TCP is shut down, as [`wants_shutdown_write`](Connection::wants_shutdown_write) asked for | [`write_shut_down`](Connection::write_shut_down) |
//! | nobody will take messages any more | [`discard_messages`](Connection::discard_messages) |
//! | it stops and starts reading for the application's sake | [`pause_reading`](Connection::pause_reading), [`resume_reading`](Connection::resume_reading) |
//!
//! After each of them, and after each verb of the application, it
//!
//! 1. takes events with [`poll_event`](Connection::poll_event), as many as the application takes;
//!    `None` means that all input is decoded. Bytes that caused none are not
//!    [pending](Connection::has_pending_input);
//! 2. writes what [`poll_transmit`](Connection::poll_transmit) hands out;
//! 3. shuts down its direction of TCP if
//!    [`wants_shutdown_write`](Connection::wants_shutdown_write), and reads on;
//! 4. sets its timer to [`poll_timeout`](Connection::poll_timeout);
//! 5. drops the transport after [`Event::Ended`], which is always the last event.
//!
//! It reads only while [`has_pending_input`](Connection::has_pending_input) is false: that is the
//! back-pressure towards the peer. An [imported](Connection::import) connection is still paused if
//! the exported one was, so whoever takes it over calls
//! [`resume_reading`](Connection::resume_reading) when it starts to read.
//! Towards the application it is [`is_writable`](Connection::is_writable).
//!
//! The application's verbs are [`send_text`](Connection::send_text),
//! [`send_binary`](Connection::send_binary), [`send_ping`](Connection::send_ping),
//! [`close`](Connection::close) and [`abort`](Connection::abort). Pongs, Close answers and
//! keepalive pings are queued by the core itself.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use bytes::BytesMut;
//! use revoir_proto::{Config, Connection, Event, Message, Random, Role};
//!
//! struct Sequence(u32);
//!
//! impl Random for Sequence {
//!     fn next_u32(&mut self) -> u32 {
//!         self.0 += 1;
//!         self.0
//!     }
//! }
//!
//! let now = Duration::ZERO;
//! let config = Arc::new(Config::default());
//! let mut server = Connection::new(now, Role::Server, config, Sequence(0));
//! server.handle_input(now, BytesMut::from(&b"\x81\x82\0\0\0\0hi"[..]));
//! let Some(Event::Message(Message::Text(text))) = server.poll_event(now) else {
//!     panic!("a message");
//! };
//! assert_eq!(text, "hi");
//! assert_eq!(server.poll_event(now), None);
//! ```
//!
//! # Safety
//!
//! The source of this crate has no `unsafe`, and the compiler holds it to that. One macro of another
//! crate writes one: in `ascii.rs` and `frame/mask.rs`, `multiversion` calls the AVX2 version
//! of a safe function after it has asked the processor for AVX2.
//!
//! [`Duration`]: std::time::Duration
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod ascii;
mod closing;
mod compression;
mod config;
mod connection;
mod ending;
mod error;
mod event;
pub mod extension;
pub mod frame;
pub mod handshake;
mod intake;
mod keepalive;
mod limits;
mod message;
#[cfg(feature = "serde")]
#[doc(hidden)]
pub mod named;
mod nanos;
mod output;
mod random;
mod role;
mod snapshot;
mod state;
mod token_list;

pub use closing::ClosingHandshake;
pub use compression::CompressionSnapshot;
pub use config::{Config, KeepaliveConfig};
pub use connection::{CloseRequest, Connection, LocalCause};
pub use ending::{
    CallSite, Cause, CauseKind, Detail, DetailKind, Ending, Finish, Initiator, InputEnd, TlsFault,
};
pub use error::{ProtocolError, SNAPSHOT_VERSION, SnapshotError, UsageError};
pub use event::Event;
pub use frame::FrameSnapshot;
pub use intake::DecoderSnapshot;
pub use keepalive::{Liveness, LivenessSnapshot, PingSnapshot};
pub use limits::Limits;
pub use message::{
    BinaryPayload, Message, MessageKind, MessageSnapshot, NotUtf8, TextPayload, Utf8Bytes,
};
pub use output::OutputSnapshot;
pub use random::Random;
/// Close codes as data, the types of which some methods here return.
pub use revoir_codes as codes;
pub use revoir_codes::{
    CloseCode, CodeRange, InvalidSlot, NotSendable, Reason, ReasonTooLong, SendCode, Slot,
};
pub use role::Role;
pub use snapshot::{ReceiveSnapshot, Snapshot};
pub use state::State;
