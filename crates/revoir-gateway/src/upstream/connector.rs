//! [`Connector`]: where an HTTP client of hyper gets its connections from.

use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::target::Target;

type Connected = Pin<Box<dyn Future<Output = io::Result<TokioIo<MaybeTls>>> + Send>>;

/// Connects an HTTP client, as a function does.
#[derive(Clone)]
pub(crate) struct Connector(Arc<dyn Fn(Target) -> Connected + Send + Sync>);

impl Connector {
    pub(crate) fn new<F, R>(connect: F) -> Self
    where
        F: Fn(Target) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<MaybeTls>> + Send + 'static,
    {
        Self(Arc::new(move |target| {
            let connecting = connect(target);
            Box::pin(async move { connecting.await.map(TokioIo::new) })
        }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<MaybeTls>;
    type Error = io::Error;
    type Future = Connected;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match Target::of(&uri) {
            Ok(target) => (self.0)(target),
            Err(error) => Box::pin(ready(Err(io::Error::other(error)))),
        }
    }
}
