//! [`Incoming`] from requests of hyper.

use std::io;
use std::net::SocketAddr;

use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::server::acceptor::Acceptor;
use crate::server::from_http::erase;
use crate::server::incoming::{Incoming, Upgraded};

impl Incoming {
    /// [`from_http`](Self::from_http), for hyper: `request` has to come from a connection that is
    /// served `with_upgrades`.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use std::convert::Infallible;
    /// use std::sync::Arc;
    ///
    /// use hyper::service::service_fn;
    /// use hyper_util::rt::TokioIo;
    /// use revoir::{Acceptor, Ending, Incoming, WebSocket};
    ///
    /// async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    ///     loop {
    ///         let message = socket.recv().await?;
    ///         socket.send(message).await?;
    ///     }
    /// }
    ///
    /// let acceptor = Acceptor::new();
    /// let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
    ///     let response = match Incoming::from_hyper(&acceptor, &mut request, None) {
    ///         Ok(incoming) => incoming.run(echo),
    ///         Err(refused) => refused,
    ///     };
    ///     async { Ok::<_, Infallible>(response) }
    /// });
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # if false {
    /// let (stream, _) = listener.accept().await?;
    /// let server = hyper::server::conn::http1::Builder::new();
    /// let serving = server.serve_connection(TokioIo::new(stream), service);
    /// tokio::spawn(serving.with_upgrades());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_http`](Self::from_http).
    #[expect(
        clippy::result_large_err,
        reason = "both are given to the HTTP server at once"
    )]
    pub fn from_hyper<B>(
        acceptor: &Acceptor,
        request: &mut Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<Self, Response<String>> {
        let upgraded = request.extensions_mut().remove().map(handed_over);
        Self::check(acceptor, &(&*request).into(), upgraded, peer)
    }
}

/// The stream, once hyper has written the answer.
pub(super) fn handed_over(upgraded: OnUpgrade) -> Upgraded {
    erase(async { upgraded.await.map(TokioIo::new).map_err(io::Error::other) })
}
