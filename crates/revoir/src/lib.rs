//! WebSocket client and server on tokio, where every connection says why it ended.
//!
//! A client:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut socket = revoir::connect("wss://example.com/feed").await?;
//! socket.send_text("hello").await?;
//! let ending = loop {
//!     match socket.recv().await {
//!         Ok(message) => println!("{message:?}"),
//!         Err(ending) => break ending,
//!     }
//! };
//! // For example: 1006 Abnormal Closure: the peer's TCP stream ended without a Close frame,
//! // 60.0 s after its last byte
//! println!("{ending}");
//! # Ok(())
//! # }
//! ```
//!
//! A server is a [`Server`] with a handler, or with a decision on every request
//! ([`Server::serve_incoming`]); [`accept`] takes a connection over any stream.
//!
//! The tasks, each with a page of its own:
//!
//! | page | what it is about |
//! |---|---|
//! | [a client](guide::client) | connecting, sending, limits, TLS, proxies |
//! | [a server](guide::server) | handlers, deciding on requests, limits, client certificates |
//! | [in axum](guide::axum) | the extractor, layers, refusing, `tower` |
//! | [coming back](guide::coming_back) | [`Link`], policies, credentials, what becomes of messages |
//! | [draining](guide::draining) | restarting a server without a storm |
//! | [endings](guide::endings) | reading an [`Ending`], logs and counters |
//! | [testing](guide::testing) | connections in memory, with time that is not waited for |
//!
//! # Endings
//!
//! Every connection yields exactly one [`Ending`]: which side began, by which [`Cause`], with which
//! Close frames, and how it finished. [`recv`](WebSocket::recv) returns it as its error when no
//! message is left, a clean one too; [`closed`](WebSocket::closed) waits for it in any task; an
//! [`Observer`] and one `tracing` event (target `revoir`, level info) see it even when nobody
//! holds the connection any more.
//!
//! # Coming back
//!
//! A [`Link`] is a connection that comes back: it reports every ending with the [`Decision`](reconnect::Decision) that
//! follows from it, and knows of every message whether it was written. When to come back is the
//! affair of a [`Policy`], which can be used without a link too. The defaults after an ending, in
//! short; `testdata/policy/` has the whole table:
//!
//! | ended by | comes back |
//! |---|---|
//! | 1000 and 3003, and what would only happen again | no |
//! | 1001, 1006, 1014 | after a random 0.25-5 s, then in delays that grow up to 30 s |
//! | 1012, HTTP 503 | after a random 1-5 s, then the same |
//! | 1013, HTTP 429 | after 5-20 s, then in delays that grow up to 300 s |
//! | 3008, a pong that did not come | after 0.25-1 s |
//! | 1008, 3000, HTTP 401 and 403 | once, with fresh credentials, if there is a hook that gets them |
//! | 1005, 1011, private codes | three times without a stable connection between them |
//! | `Retry-After`, or a [`Slot`](ending::Slot) in the reason of 1001, 1012 or 1013 | when the server said |
//!
//! # What drives a connection
//!
//! A connection is the protocol core and its transport behind one lock. Whoever has something to
//! do for it does it on the spot:
//!
//! - `recv`, `send`, `flush`, `ping` and `close` read and write in the task that calls them, while
//!   they are polled; a message does not pass from task to task;
//! - the *driver* does everything else: it answers pings, sends pings of its own, notices dead
//!   peers, writes what is left, reads ahead, and closes. It is a small task that
//!   [`connect`] and [`accept`] spawn; under [`Server::serve`] it shares the task of the handler.
//!
//! So an application may sit in its own work, in `send`, or hold only one half: pongs, keepalive
//! and closing never wait for it. A `recv` that was polled and lies unpolled since, in a `select!`
//! for example, delays them by 100 ms at most. One that blocks its thread blocks the driver too, if
//! they share that thread.
//!
//! The driver reads ahead until 32 messages or 64 KiB wait. Then it stops reading, and TCP holds
//! the peer back. While it does not read, the peer cannot be heard: pongs and the peer's Close
//! frame are found when the application takes messages again, the deadlines of keepalive are
//! suspended, and only the progress of writing counts. If a write then finds the transport broken,
//! the connection ends at once, and what was received can still be taken.
//!
//! Reads go into a buffer of the thread. What fills at least half of it stays there, and the thread
//! gets another; what is shorter is copied to memory of its own length. The rest of a long message
//! is read to where its start lies. Output is collected in another buffer of the thread, and what a
//! burst of messages causes is written by one vectored write. So an idle connection owns no buffer: on the heap it takes 1 KiB
//! or less, its task and handles included, beside what the transport takes (256 bytes for tokio's
//! TCP) and the handler keeps.
//!
//! # Logs
//!
//! With the target `revoir`, `tracing` gets one event for every ending (level info), another where
//! a drain begins, and warnings about what nobody else is told of. All of it, and what a handler
//! logs, stands in the span `connection` (level info) with the fields `id`, a number within this
//! process, `role`, and `peer`: the address of a client, or the host and port that a client connects
//! to. URLs are not logged, since tokens may stand in them. Without a subscriber that wants it, the
//! span is not made, and takes no memory.
//!
//! A handler is inside the span because its task is; so is an [`Observer`]. A task that the
//! application spawns, or in which it calls [`accept`] or [`connect`], is not.
//!
//! # Limits
//!
//! | what | default | where |
//! |---|---|---|
//! | name and TCP, over all addresses | 10 s | [`Client::with_connect_timeout`] |
//! | TLS and opening handshake | 15 s at a client, 10 s at a server | [`Client::with_handshake_timeout`], [`Acceptor::with_handshake_timeout`] |
//! | head of a request or an answer | 16 KiB, 100 fields | [`Client::with_head_limits`], [`Acceptor::with_head_limits`] |
//! | message, after inflating | 16 MiB at a client, 1 MiB at a server | [`Limits::message`](websocket::Limits::message) |
//! | queued output | 1 MiB, then `send` waits | [`Limits::queue`](websocket::Limits::queue) |
//! | read ahead | 32 messages, 64 KiB and one message | fixed |
//! | connections | none | [`Acceptor::with_max_connections`], [`Acceptor::with_max_connections_per_ip`] |
//! | requests per second | none | [`Acceptor::with_admission`] |
//! | age of a connection | none | [`Acceptor::with_max_age`] |
//! | keepalive: ping, then silence | 20 s and 20 s | [`Config::keepalive`] |
//! | writing without progress | 20 s | [`Config::write_timeout`] |
//! | no message either way | none | [`Config::idle_timeout`] |
//! | closing | 5 s, of which a client waits 2 s for the server's FIN; 10 ms if a ping was not answered | [`Config::close_budget`], [`Config::fin_wait`] |
//!
//! A declared length reserves nothing: memory follows the bytes that were received.
//!
//! # Features
//!
//! - `rustls` (default): TLS with the `ring` provider; others through
//!   [`ClientTls::from_config`](tls::ClientTls::from_config) and [`ServerTls::from_config`](tls::ServerTls::from_config).
//! - `deflate` (default): permessage-deflate (RFC 7692). A client offers it, a server accepts it
//!   only if [told so](Acceptor::with_extensions).
//! - `simd` (default): AVX2 for masking and for checking text, where the processor has it.
//! - `serde`: [`Ending`], [`Decision`](reconnect::Decision) and [`Policy`] are written and read.
//! - `session`: conversations that outlive their connections, in the module [`session`]; `disk` and `redis`: their servers as well.
//! - `hyper`: connections on a route of a hyper server, as [`Incoming`].
//! - `axum`: the same as an extractor. The acceptor is the state of the router, or a part of it
//!   (`FromRef`):
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! # use std::sync::Arc;
//! # use axum::{Router, response::IntoResponse, routing::any};
//! # use revoir::{Acceptor, Ending, Incoming, WebSocket};
//! # async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
//! #     let message = socket.recv().await?;
//! #     socket.send(message).await
//! # }
//! async fn feed(incoming: Incoming) -> impl IntoResponse {
//!     incoming.run(echo)
//! }
//!
//! let acceptor = Acceptor::new();
//! let tracker = acceptor.tracker().clone();
//! let app: Router = Router::new().route("/feed", any(feed)).with_state(acceptor);
//! # }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod below;
pub mod client;
mod deadline;
pub mod drain;
mod driver;
pub mod ending;
mod entropy;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod handshake;
mod handshake_io;
mod observer;
pub mod reconnect;
pub mod server;
#[cfg(feature = "session")]
pub mod session;
mod span;
#[cfg(feature = "rustls")]
pub mod tls;
pub mod websocket;

pub use http;

pub use client::builder::{Client, connect};
pub use observer::{ConnectionInfo, Observer};
pub use reconnect::link::handle::Link;
pub use reconnect::policy::Policy;
pub use revoir_proto::{
    Cause, CloseCode, Config, Ending, Message, Reason, Role, SendCode, Utf8Bytes,
};
pub use server::acceptor::{Acceptor, accept};
pub use server::incoming::Incoming;
pub use server::listen::Server;
pub use websocket::closer::Closer;
pub use websocket::handle::WebSocket;
pub use websocket::reader::Reader;
pub use websocket::writer::Writer;

/// The examples of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
