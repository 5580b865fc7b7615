//! [`Connector`]: where an HTTP client of hyper gets its connections from.

use std::error::Error;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use crate::proxy_protocol::Header;
use crate::upstream::connecting::Connecting;
use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::names::{NameTimes, Names};
use crate::upstream::settings::UpstreamTls;
use crate::upstream::target::{Place, Target};

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

    /// A client of what is no backend, which connects within `limit` each time, and keeps so many connections.
    pub(crate) fn client_of_service(
        limit: Duration,
        times: NameTimes,
        trust: Option<&UpstreamTls>,
        kept: usize,
    ) -> Client<Self, Body> {
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(kept)
            .build(Self::to_service(limit, times, trust))
    }

    fn to_service(limit: Duration, times: NameTimes, trust: Option<&UpstreamTls>) -> Self {
        let tls = trust.map(|trust| trust.tls().clone());
        let connecting = Connecting {
            limit,
            names: times,
            announce: None,
        };
        let names = Arc::new(Names::of_system());
        Self::new(move |target| {
            let (tls, names) = (tls.clone(), Arc::clone(&names));
            async move {
                if let Place::Host { host, .. } = &target.place {
                    names.refresh_if_old(host, connecting.names.refresh);
                }
                let to = (&target, &*names);
                connecting.connect(to, tls.as_ref(), Header::Own).await
            }
        })
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

/// An error with those that caused it: hyper's own says only that something failed.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    text
}
