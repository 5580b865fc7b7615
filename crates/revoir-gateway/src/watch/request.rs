//! [`LoggedRequest`]: who asked for what, as far as a log may know it.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::Request;
use hyper::header::{HOST, HeaderName, ORIGIN, USER_AGENT};
use tokio::time::Instant;

use crate::net::Peer;

/// The longest text from a request that is kept, in bytes.
const KEPT_BYTES: usize = 512;

/// A request without its secrets: no query, because tokens travel in it, and no cookie or other
/// field than these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// When it came.
    pub since: Instant,
    /// The other end of the connection, or whom its PROXY header names.
    pub peer: Peer,
    /// Who asks: where trusted proxies stand before the gateway, whom they name. `None`: it came
    /// through a Unix socket, and nobody says for whom.
    pub client: Option<IpAddr>,
    /// As in X-Request-Id, which the backend gets.
    pub id: Box<str>,
    /// Its route: host and path. `None`: no route leads there.
    pub route: Option<Arc<str>>,
    /// The method of HTTP. Empty, as the path is: the request could not be read.
    pub method: Box<str>,
    /// The field Host.
    pub host: Option<Box<str>>,
    /// Without the query.
    pub path: Box<str>,
    /// Whether there was a query.
    pub has_query: bool,
    /// The field Origin.
    pub origin: Option<Box<str>>,
    /// The field User-Agent.
    pub user_agent: Option<Box<str>>,
}

impl LoggedRequest {
    /// `peer` and `client`, the name and the route of a request.
    pub(crate) fn new<B>(
        request: &Request<B>,
        (peer, client): (Peer, Option<IpAddr>),
        id: Box<str>,
        route: Option<Arc<str>>,
    ) -> Self {
        let field = |name: HeaderName| {
            let value = request.headers().get(name)?;
            Some(kept(&String::from_utf8_lossy(value.as_bytes())))
        };
        Self {
            since: Instant::now(),
            peer,
            client,
            id,
            route,
            method: kept(request.method().as_str()),
            host: field(HOST),
            path: kept(request.uri().path()),
            has_query: request.uri().query().is_some(),
            origin: field(ORIGIN),
            user_agent: field(USER_AGENT),
        }
    }

    /// One that could not be read, of a connection that was taken at `since`.
    pub(crate) fn unread(peer: Peer, since: Instant) -> Self {
        Self {
            since,
            peer,
            client: peer.ip(),
            id: Box::default(),
            route: None,
            method: Box::default(),
            host: None,
            path: Box::default(),
            has_query: false,
            origin: None,
            user_agent: None,
        }
    }

    /// The route as a label, which is empty where there is none.
    pub(crate) fn route_label(&self) -> Arc<str> {
        self.route.clone().unwrap_or_default()
    }
}

/// The start of a text.
fn kept(text: &str) -> Box<str> {
    let mut end = text.len().min(KEPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_request_is_kept_without_its_secrets() {
        let request = Request::get("/chat?token=secret")
            .header("host", "chat.example")
            .header("cookie", "session=secret")
            .header("authorization", "Bearer secret")
            .header("origin", "https://a.example")
            .header("user-agent", "Mozilla/5.0")
            .body(())
            .unwrap();
        let local = Ipv4Addr::LOCALHOST;
        let who = (Peer::Tcp((local, 9).into()), Some(local.into()));
        let asked = LoggedRequest::new(&request, who, "1".into(), None);
        assert!(!format!("{asked:?}").contains("secret"), "{asked:?}");
        assert_eq!((&*asked.path, asked.has_query), ("/chat", true));
        assert_eq!(asked.host.as_deref(), Some("chat.example"));
        assert_eq!(asked.origin.as_deref(), Some("https://a.example"));
        assert_eq!(asked.user_agent.as_deref(), Some("Mozilla/5.0"));
    }

    #[test]
    fn what_is_kept_is_short_and_still_text() {
        let text = format!("{}é", "a".repeat(KEPT_BYTES - 1));
        assert_eq!(&*kept(&text), &text[..KEPT_BYTES - 1]);
        assert_eq!(&*kept("short"), "short");
    }
}
