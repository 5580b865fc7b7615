//! [`Connector`]: where an HTTP client of hyper gets its connections from.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::target::Target;

type Connected = Pin<Box<dyn Future<Output = io::Result<MaybeTls>> + Send>>;

/// Connects an HTTP client, as a function does.
#[derive(Clone)]
pub(crate) struct Connector(Arc<dyn Fn(Target) -> Connected + Send + Sync>);

impl Connector {
    pub(crate) fn new<F, R>(connect: F) -> Self
    where
        F: Fn(Target) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<MaybeTls>> + Send + 'static,
    {
        Self(Arc::new(move |target| Box::pin(connect(target))))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<MaybeTls>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<MaybeTls>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = Target::of(&uri).map(|target| (self.0)(target));
        Box::pin(async move {
            connecting
                .map_err(io::Error::other)?
                .await
                .map(TokioIo::new)
        })
    }
}
