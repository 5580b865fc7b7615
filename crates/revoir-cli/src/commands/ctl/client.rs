//! [`Client`]: asks the admin interface of a `serve`.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime;
use tokio::time::timeout;

use crate::commands::network::unavailable;
use crate::exit::Failure;
use revoir_gateway::{ADMIN_HEADER, AdminAddr, Problem};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Asks the admin interface of a `serve`.
pub(super) struct Client {
    place: AdminAddr,
}

/// Why there is no answer.
enum Unanswered {
    /// Nobody listens, or nobody may connect.
    NotReached(io::Error),
    /// Something else went wrong after that.
    Broken(String),
}

impl Client {
    /// Asks at `place`, or where `serve` is without `--admin`.
    pub(super) fn new(place: Option<&AdminAddr>) -> Self {
        let place = place.cloned().unwrap_or_else(AdminAddr::of_environment);
        Self { place }
    }

    /// The text of a good answer.
    pub(super) fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<String, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| unavailable("the network", &error))?;
        let body = match body.map(serde_json::to_vec) {
            // Plain structs with string keys always become JSON.
            Some(Ok(json)) => Bytes::from(json),
            Some(Err(_)) | None => Bytes::new(),
        };
        let place = &self.place;
        let asking = at(place, method, path, body);
        match runtime.block_on(async { timeout(LIMIT, asking).await }) {
            Ok(Ok((status, text))) => judge(status, text),
            Ok(Err(Unanswered::NotReached(error))) => Err(not_reached(place, &error)),
            Ok(Err(Unanswered::Broken(error))) => Err(broken(place, &error)),
            Err(_) => Err(broken(place, "it took too long")),
        }
    }
}

async fn at(
    place: &AdminAddr,
    method: &Method,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, String), Unanswered> {
    match place {
        AdminAddr::Tcp(address) => {
            let stream = TcpStream::connect(address).await;
            let stream = stream.map_err(Unanswered::NotReached)?;
            exchange(stream, &address.to_string(), method, path, body).await
        }
        #[cfg(unix)]
        AdminAddr::Unix(socket) => {
            let stream = UnixStream::connect(socket).await;
            let stream = stream.map_err(Unanswered::NotReached)?;
            exchange(stream, "localhost", method, path, body).await
        }
        #[cfg(not(unix))]
        AdminAddr::Unix(_) => {
            let error = io::Error::from(io::ErrorKind::Unsupported);
            Err(Unanswered::NotReached(error))
        }
    }
}

async fn exchange<S>(
    stream: S,
    host: &str,
    method: &Method,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, String), Unanswered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Unanswered::Broken(error.to_string());
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method.clone();
    let wrong = |error: &dyn std::error::Error| Unanswered::Broken(error.to_string());
    *request.uri_mut() = path.parse().map_err(|error| wrong(&error))?;
    let host = HeaderValue::from_str(host).map_err(|error| wrong(&error))?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(ADMIN_HEADER, HeaderValue::from_static("1"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(broken)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(broken)?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok((status, text))
}

fn judge(status: StatusCode, text: String) -> Result<String, Failure> {
    if status.is_success() {
        return Ok(text);
    }
    let problem = match serde_json::from_str(&text) {
        Ok(problem) => problem,
        Err(_) => Problem {
            error: format!("the answer is {status}"),
            hint: "this is not the admin interface of a `revoir serve` of this version".to_owned(),
        },
    };
    Err(Failure::Impossible {
        problem: problem.error,
        hint: problem.hint,
    })
}

fn broken(place: &AdminAddr, error: &str) -> Failure {
    Failure::Impossible {
        problem: format!("no answer from {place}: {error}"),
        hint: "is that the admin interface of a `revoir serve`?".to_owned(),
    }
}

fn not_reached(place: &AdminAddr, error: &io::Error) -> Failure {
    let service = AdminAddr::of_service();
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "the socket is for the user who runs `revoir serve`; become that user".to_owned()
        }
        // The environment may name the place of a user where that of a service was meant.
        _ if *place == AdminAddr::of_environment() && *place != service && is_there(&service) => {
            format!("there is another one; to ask that: --admin {service}")
        }
        _ => "start `revoir serve`, or say with --admin where it has its admin interface: it says so \
              when it starts"
            .to_owned(),
    };
    Failure::Impossible {
        problem: format!("no gateway listens at {place} ({error})"),
        hint,
    }
}

fn is_there(place: &AdminAddr) -> bool {
    match place {
        AdminAddr::Unix(socket) => socket.exists(),
        AdminAddr::Tcp(_) => false,
    }
}
