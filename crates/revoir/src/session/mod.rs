//! Sessions: the connection ends, the conversation does not.
//!
//! A [`Session`] has the interface of a [`WebSocket`](crate::WebSocket), and outlives its connections: both ends keep
//! what the other has not acknowledged, and go on with the next connection where they stopped. It is spoken as the
//! subprotocol `revoir.v1`; the specification, `docs/session.md`, says what is promised, and lets others implement it.
//!
//! A server:
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use std::sync::Arc;
//!
//! use revoir::session::{self, Principal, Session, SessionEnding};
//! use revoir::{Incoming, Server};
//!
//! async fn echo(mut session: Session) -> Result<(), Arc<SessionEnding>> {
//!     loop {
//!         let message = session.recv().await?;
//!         session.send(message).await?;
//!     }
//! }
//!
//! // A token is good for whoever has it. Better: `Principal::of` a user, a cookie, an `Authorization`.
//! let sessions = session::Server::new(|_: &Incoming| Principal::NONE);
//! let server = Server::bind("127.0.0.1:0").await?;
//! # if false {
//! server
//!     .serve_incoming(move |incoming| {
//!         let response = sessions.run(incoming, echo);
//!         async move { response }
//!     })
//!     .await;
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! A client is a [`Link`](crate::Link) with a session: it comes back by the same policy, with the same hooks.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use revoir::{Link, session};
//!
//! let mut session = session::Client::new().start(Link::to("wss://example.com/feed"))?;
//! session.send("hello").await?;
//! println!("{:?}", session.recv().await?);
//! # Ok(())
//! # }
//! ```
//!
//! # What is noticed, and what is not
//!
//! [`recv`](Session::recv) and [`send`](Session::send) know nothing of connections. Who wants to know takes
//! [`event`](Session::event)s: [attached](Event::Attached) and [detached](Event::Detached), messages that
//! [will not come](Event::Gap) or [come back](Event::Returned).
//!
//! `send` waits while the window is full: 1,024 messages or 256 KiB that the peer has not acknowledged. A message is
//! acknowledged when the application at the other end has taken it. So two ends that both only send, and take nothing,
//! wait for each other.
//!
//! A session is over when one end closes it, when nobody has come back in time (120 s unless told otherwise), or when the
//! peer breaks the rules. [`SessionEnding`] says which.
//!
//! # One process, or several
//!
//! [`Server`] keeps sessions in memory: they end with the process, and a drain says so to clients (GOAWAY, not
//! resumable). What a client has in doubt then is [returned](Event::Returned) to it.
//!
//! With a [`Store`] they [outlive it](Server::with_store): in a file with the feature `disk`, in Redis with the feature `redis`, in
//! memory for several servers of one process. Another server goes on with a session where the store has it, with a handler of
//! its own; acknowledgements wait for the store, so what is lost is told, as numbers of messages at most.

// Two designs were sketched for the client. In one, a `Link` owns the end of a session in place of its outbox: its queue,
// receipts and events get a second meaning each. In the other, which this is, a session owns a `Link`: the link's
// hook for new connections is `talk`, the same that a server runs on a connection, and ends with it. So one function
// drives a connection at either end, and everything about coming back is the link's alone.

mod answering;
mod attached;
mod attending;
mod bell;
mod between;
mod client;
mod end;
mod ending;
mod event;
mod failures;
mod goodbye;
mod handle;
mod keys;
mod leaving;
mod ledger;
mod opening;
mod place;
mod running;
mod server;
mod sessions;
mod state;
mod succession;
mod talk;
mod writing;

pub use attached::Attached;
pub use between::{Status, Watcher};
pub use client::Client;
pub use ending::SessionEnding;
pub use event::Event;
pub use handle::{Reader, Session, Writer};
pub use keys::read_keys;
pub use opening::{Accepted, Opening};
pub use revoir_session::{
    BackendChanged, Bye, Close, Ended, Fate, GapReason, GoAway, InDoubt, Key, Keys, Loss, Origin,
    Overflow, Principal, SUBPROTOCOL, SendError, SessionId, Verdict, Violation, Window,
};
#[cfg(feature = "disk")]
pub use revoir_store::Disk;
#[cfg(feature = "redis")]
pub use revoir_store::Redis;
pub use revoir_store::{Durable, Memory, Store, StoreError};
pub use server::Server;
pub use sessions::Counts;
