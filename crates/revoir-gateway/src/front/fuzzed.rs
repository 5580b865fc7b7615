//! The way of a request's head through the front, as the fuzz targets see it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{join, sink};

use crate::front::auth_hook::{AuthHook, AuthSettings};
use crate::front::granted::Granted;
use crate::front::head::{has_a_path, has_one_host, head_bytes, host, normalise};
use crate::front::headers::rewrite_request;
use crate::front::path::normal_form;
use crate::front::request_id;
use crate::front::settings::Settings;
use crate::front::source::Source;
use crate::net::{Peer, Peers};
use crate::upstream::NameTimes;

/// A field that a hook may set.
pub const GRANTED: &str = "x-user";

/// A field of a request.
pub type Field = (String, Vec<u8>);

/// One request that passed the front's own checks.
#[derive(Debug)]
pub struct Passed {
    /// The target, as the backend gets it.
    pub target: String,
    /// By which its route is found.
    pub host: String,
    /// The same.
    pub path: Vec<u8>,
    /// For whom limits count.
    pub client: Option<IpAddr>,
    /// The fields as they came.
    pub came: Vec<Field>,
    /// The fields that the backend gets.
    pub went: Vec<Field>,
    /// The fields that an auth hook gets.
    pub asked: Vec<Field>,
}

/// The normal form of a path, if it has one.
pub fn normal(path: &str) -> Option<Vec<u8>> {
    normal_form(path).ok().map(|path| path.into_owned())
}

/// What passes of the bytes that `peer` sends. To be called in a runtime.
pub async fn passed(bytes: &[u8], peer: Peer, trusted: &Peers) -> Vec<Passed> {
    let settings = Settings::default();
    let source = Source::new(peer, false, trusted);
    let seen = RefCell::new(Vec::new());
    let service = service_fn(|request: Request<Incoming>| {
        seen.borrow_mut().extend(pass(request, &source, trusted));
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_buf_size(settings.head_bytes)
        .max_headers(settings.head_fields);
    let stream = TokioIo::new(join(bytes, sink()));
    drop(http.serve_connection(stream, service).await);
    seen.into_inner()
}

fn pass(mut request: Request<Incoming>, source: &Source, trusted: &Peers) -> Option<Passed> {
    normalise(&mut request);
    if !has_a_path(&request) {
        return None;
    }
    if head_bytes(&request) > Settings::default().head_bytes || !has_one_host(&request) {
        return None;
    }
    let path = normal(request.uri().path())?;
    let id = request_id::of(request.headers(), source.is_trusted);
    let client = source.client(request.headers(), trusted);
    let came = fields(request.headers());
    request_id::write(request.headers_mut(), &id);
    let name = HeaderName::from_static(GRANTED);
    let settings = AuthSettings {
        uri: Uri::from_static("http://hook.example/"),
        fields: vec![name.clone()],
        limit: Duration::from_secs(1),
        at_once: 1,
        trust: None,
        names: NameTimes::default(),
    };
    let hook = AuthHook::new(&settings, &"/".into());
    let mut went = request.headers().clone();
    rewrite_request(&mut went, source);
    let granted = Granted {
        fields: HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("ann"))]),
        names: vec![name],
    };
    granted.write(&mut went);
    Some(Passed {
        target: request.uri().to_string(),
        host: host(&request).to_owned(),
        path,
        client,
        came,
        asked: fields(&hook.asked(&request, source)),
        went: fields(&went),
    })
}

fn fields(headers: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_owned())
    };
    headers.iter().map(field).collect()
}
