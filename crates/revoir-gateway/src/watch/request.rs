//! [`LoggedRequest`]: who asked for what, as far as a log may know it.

use std::net::SocketAddr;

use hyper::Request;
use hyper::header::{HOST, HeaderName, ORIGIN, USER_AGENT};
use tokio::time::Instant;

/// The longest text from a request that is kept, in bytes.
const KEPT_BYTES: usize = 512;

/// A request without its secrets: no query, because tokens travel in it, and no cookie or other
/// field than these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// When it came.
    pub since: Instant,
    /// The other end of the TCP connection.
    pub peer: SocketAddr,
    /// The method of HTTP.
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
    pub(crate) fn new<B>(request: &Request<B>, peer: SocketAddr) -> Self {
        let field = |name: HeaderName| {
            let value = request.headers().get(name)?;
            Some(kept(&String::from_utf8_lossy(value.as_bytes())))
        };
        Self {
            since: Instant::now(),
            peer,
            method: kept(request.method().as_str()),
            host: field(HOST),
            path: kept(request.uri().path()),
            has_query: request.uri().query().is_some(),
            origin: field(ORIGIN),
            user_agent: field(USER_AGENT),
        }
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
        let asked = LoggedRequest::new(&request, (Ipv4Addr::LOCALHOST, 9).into());
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
