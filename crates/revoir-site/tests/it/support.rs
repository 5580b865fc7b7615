//! The router without a server.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use revoir_site::{Lab, RawStream, router};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// The router, and what runs it.
#[derive(Debug)]
pub(crate) struct Reference {
    runtime: Runtime,
    router: axum::Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reference {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let lab = runtime.block_on(Lab::start(RawStream::of_tcp)).unwrap();
        let router = router(&lab, None);
        Self { runtime, router }
    }

    /// Asks for a path, with more fields, each a line with its end.
    pub(crate) fn get(&self, path: &str, fields: &str) -> Response {
        self.ask("GET", path, fields)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, fields: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for field in fields.lines() {
            let (name, value) = field.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Body::empty()).unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().call(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            Response {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await.unwrap().to_bytes().into(),
            }
        })
    }
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.field("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }
}
