//! [`Observer`]: endings and openings, for counters and logs.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::Extensions;
use revoir_proto::{Ending, Role};
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::below::Shown;

/// Sees every connection open and every connection end, also those whose handle was dropped.
///
/// Set one with [`Client::with_observer`](crate::Client::with_observer) or
/// [`Acceptor::with_observer`](crate::Acceptor::with_observer). The calls come from whichever task
/// drives the connection, so they should return soon; they may use any handle of the connection.
/// A call that panics changes nothing for the connection; there is a warning in the log.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use revoir::{ConnectionInfo, Ending, Observer};
///
/// #[derive(Default)]
/// struct Abnormal(AtomicU64);
///
/// impl Observer for Abnormal {
///     fn ended(&self, conn: &ConnectionInfo<'_>, ending: &Ending) {
///         if !ending.is_clean() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///             println!("{} {:?}: {ending}", conn.id(), conn.peer_addr());
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A connection was opened.
    fn opened(&self, conn: &ConnectionInfo<'_>) {
        let _ = conn;
    }

    /// A connection has ended, or never opened. Called exactly once for each.
    ///
    /// [`Cause::id`](crate::Cause::id) and [`Ending::code`] are made to be labels of a counter.
    fn ended(&self, conn: &ConnectionInfo<'_>, ending: &Ending);
}

/// Which connection it is that an [`Observer`] hears of.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo<'a> {
    pub(crate) id: u32,
    pub(crate) role: Role,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) path: Option<&'a str>,
    pub(crate) subprotocol: Option<&'a str>,
    #[cfg_attr(
        not(feature = "rustls"),
        expect(dead_code, reason = "without TLS nobody shows anything")
    )]
    pub(crate) shown: Option<&'a Shown>,
    pub(crate) user: Option<&'a Extensions>,
}

impl ConnectionInfo<'static> {
    /// One of which nothing else is known, for tests of an observer.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            id: 0,
            role,
            peer: None,
            path: None,
            subprotocol: None,
            shown: None,
            user: None,
        }
    }
}

impl ConnectionInfo<'_> {
    /// A number within this process, from 1: the `id` of the connection's span in the log. It is the
    /// same at the opening and at the end, and starts over after four billion.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id.into()
    }

    /// Which side this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The address of the other side, if it is known: over TCP, or told by an HTTP server.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The path that was asked for, without the query. `None` if there is no request yet.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path
    }

    /// The subprotocol that was agreed on.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol
    }

    /// The certificates that the other side has shown in TLS, its own first. Over TCP only; see
    /// [`Incoming::peer_certificates`](crate::Incoming::peer_certificates).
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.shown?.certificates.as_deref()
    }

    /// The name that a client has asked for in TLS (SNI). Over TCP only.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.shown?.server_name.as_deref()
    }

    /// What the application has noted of the connection, by
    /// [`Incoming::insert`](crate::Incoming::insert) or
    /// [`Client::with_extension`](crate::Client::with_extension).
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.user?.get()
    }
}

/// The one event of an ending, and the call of the observer.
pub(crate) fn announce(
    conn: &ConnectionInfo<'_>,
    ending: &Ending,
    observer: Option<&dyn Observer>,
) {
    let role_name = match conn.role {
        Role::Client => "client",
        Role::Server => "server",
    };
    tracing::info!(
        target: "revoir",
        role = role_name,
        code = ending.code().get(),
        cause = ending.cause.id(),
        finish = ending.finish.id(),
        clean = ending.is_clean(),
        open_for = ?ending.open_for,
        "{ending}"
    );
    if let Some(observer) = observer {
        contain(|| observer.ended(conn, ending));
    }
}

/// Tells the observer of an opening.
pub(crate) fn announce_opening(conn: &ConnectionInfo<'_>, observer: &dyn Observer) {
    contain(|| observer.opened(conn));
}

/// Calls the application's code. A panic in it stays there: everybody else who waits for the
/// connection is still to be told.
fn contain(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::warn!(target: "revoir", "an observer panicked");
    }
}
