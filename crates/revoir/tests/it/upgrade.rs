//! Routes of axum and hyper: the same handlers, endings and drain as under `Server`.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use axum::{Extension, Router};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use revoir::client::ConnectError;
use revoir::drain::Drain;
use revoir::ending::{Finish, Slot};
use revoir::http::{self, HeaderValue, StatusCode};
use revoir::server::Origins;
use revoir::{Acceptor, Cause, Client, CloseCode, Ending, Incoming, Reason, SendCode, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::peer::Seen;

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn echo(mut socket: WebSocket) -> Result<(), Failure> {
    loop {
        let message = socket.recv().await?;
        if message.as_bytes() == b"fail" {
            return Err("asked to fail".into());
        }
        socket.send(message).await?;
    }
}

async fn route(mut incoming: Incoming) -> Response<String> {
    if incoming.path() == "/refused" {
        let mut response = incoming.refuse(StatusCode::TOO_MANY_REQUESTS, "slow down");
        let seven = HeaderValue::from_static("7");
        response.headers_mut().insert("retry-after", seven);
        return response;
    }
    assert!(
        incoming
            .peer_addr()
            .is_some_and(|peer| peer.ip().is_loopback())
    );
    let headers = incoming.response_headers_mut();
    headers.insert("set-cookie", HeaderValue::from_static("a=b"));
    incoming.run(echo)
}

/// A connection of which the server hears the first frame only.
fn short<B>(acceptor: &Acceptor, request: &mut http::Request<B>) -> Response<String> {
    let upgraded = hyper::upgrade::on(&mut *request);
    let wrapped = async {
        let stream = upgraded.await.map_err(io::Error::other)?;
        let (reader, writer) = tokio::io::split(TokioIo::new(stream));
        Ok(tokio::io::join(reader.take(2 + 4 + 5), writer))
    };
    match Incoming::from_http(acceptor, request, None, wrapped) {
        Ok(incoming) => incoming.run(echo),
        Err(refused) => refused,
    }
}

async fn forbidden(mut incoming: Incoming) -> Response<String> {
    let headers = incoming.response_headers_mut();
    headers.insert("sec-websocket-accept", HeaderValue::from_static("mine"));
    incoming.run(echo)
}

/// As users of axum refuse: by any other response.
async fn page(incoming: Incoming) -> impl IntoResponse {
    match incoming.path() {
        "/page" => (StatusCode::IM_A_TEAPOT, "a teapot").into_response(),
        _ => incoming.run(echo).into_response(),
    }
}

/// An application of axum, and its address.
async fn axum(acceptor: Acceptor) -> SocketAddr {
    let app = Router::new()
        .route("/", get(|| async { "a page" }))
        .route("/echo", any(route))
        .route("/refused", any(route))
        .route("/forbidden", any(forbidden))
        .route("/page", any(page))
        .route(
            "/short",
            any(
                |State(acceptor): State<Acceptor>, mut request: Request| async move {
                    short(&acceptor, &mut request)
                },
            ),
        )
        .with_state(acceptor)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// The same by hyper alone.
async fn hyper(acceptor: Acceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
                let acceptor = acceptor.clone();
                async move {
                    if request.uri().path() == "/short" {
                        return Ok(short(&acceptor, &mut request));
                    }
                    let incoming = Incoming::from_hyper(&acceptor, &mut request, Some(peer));
                    Ok::<_, Infallible>(match incoming {
                        Ok(incoming) if incoming.path() == "/forbidden" => {
                            forbidden(incoming).await
                        }
                        Ok(incoming) if incoming.path() == "/page" => Response::builder()
                            .status(418)
                            .body("a teapot".to_owned())
                            .unwrap(),
                        Ok(incoming) => route(incoming).await,
                        Err(refused) => refused,
                    })
                }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving.with_upgrades());
        }
    });
    address
}

/// Both servers with the same settings, one after the other.
async fn on_both(
    settings: impl Fn() -> Acceptor,
    play: impl AsyncFn(SocketAddr, &Acceptor, &Seen),
) {
    for with_axum in [true, false] {
        let seen = Arc::new(Seen::default());
        let acceptor = settings().with_observer(Arc::clone(&seen) as _);
        let address = match with_axum {
            true => axum(acceptor.clone()).await,
            false => hyper(acceptor.clone()).await,
        };
        play(address, &acceptor, &seen).await;
    }
}

fn refused(result: Result<WebSocket, ConnectError>) -> (u16, String, Option<String>) {
    let error = result.unwrap_err();
    let response = error.ending().unwrap().response.clone().unwrap();
    let body = String::from_utf8(response.body.clone()).unwrap();
    (
        response.status,
        body,
        response.retry_after().map(str::to_owned),
    )
}

/// What comes back for a raw request with `fields`.
async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request}Host: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn messages_subprotocol_extensions_and_the_close_come_through() {
    let settings = || {
        Acceptor::new()
            .with_subprotocols(["v2", "v1"])
            .with_extensions(revoir::handshake::Extensions::client_default())
    };
    on_both(settings, async |address, acceptor, seen| {
        let client = Client::new().with_subprotocol("v1").with_subprotocol("v2");
        let mut socket = client
            .connect(&format!("ws://{address}/echo"))
            .await
            .unwrap();
        assert_eq!(socket.subprotocol(), Some("v2"));
        assert_eq!(socket.extensions().to_string(), "permessage-deflate");
        for length in [0, 1, 126, 65_536, 1024 * 1024] {
            socket.send_binary(vec![9; length]).await.unwrap();
            assert_eq!(socket.recv().await.unwrap().as_bytes(), vec![9; length]);
        }
        assert_eq!(acceptor.tracker().open(), 1);
        let ending = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
        assert!(ending.is_clean());
        let ending = seen.ending().await;
        assert_eq!(
            (ending.cause, ending.finish),
            (Cause::ClosedByPeer, Finish::Answered)
        );
        assert_eq!((seen.opened(), seen.count()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_handler_may_run_over_another_stream_than_the_one_of_the_server() {
    on_both(Acceptor::new, async |address, _, seen| {
        let mut socket = revoir::connect(&format!("ws://{address}/short"))
            .await
            .unwrap();
        socket.send_text("heard").await.unwrap();
        // The echo is a race with the end.
        let ending = loop {
            if let Err(ending) = socket.recv().await {
                break ending;
            }
        };
        assert_eq!(ending.cause, Cause::Eof);
        let ending = seen.ending().await;
        assert_eq!(ending.cause, Cause::Eof);
    })
    .await;
}

/// A layer that lets through who is known, and tells the route who it is.
async fn known(mut request: Request, next: Next) -> Response {
    let Some(user) = request.headers().get("authorization").cloned() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(user);
    next.run(request).await
}

#[tokio::test]
async fn a_route_with_layers_is_a_tower_service_that_needs_no_router() {
    async fn greet(
        Extension(user): Extension<HeaderValue>,
        incoming: Incoming,
    ) -> impl IntoResponse {
        incoming.run(|mut socket| async move {
            socket.send(user.to_str().unwrap()).await?;
            socket.recv().await.map(drop)
        })
    }
    let acceptor = Acceptor::new();
    let tracker = acceptor.tracker().clone();
    let route: MethodRouter = any(greet).layer(from_fn(known)).with_state(acceptor);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(route.clone());
            let server = hyper::server::conn::http1::Builder::new();
            let serving = server.serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving.with_upgrades());
        }
    });
    let url = format!("ws://{address}/");
    let error = revoir::connect(&url).await.unwrap_err();
    let refused = error.ending().unwrap().response.clone().unwrap();
    assert_eq!(refused.status, 401);
    let client = Client::new().with_header("authorization", "me");
    let mut socket = client.connect(&url).await.unwrap();
    assert_eq!(socket.recv().await.unwrap().as_text(), Some("me"));
    tracker.drain(Drain::restart()).await;
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
}

#[tokio::test]
async fn a_handler_that_fails_has_its_connection_closed_with_1011() {
    on_both(Acceptor::new, async |address, _, seen| {
        let mut socket = revoir::connect(&format!("ws://{address}/echo"))
            .await
            .unwrap();
        socket.send_text("fail").await.unwrap();
        let ending = socket.recv().await.unwrap_err();
        assert_eq!(ending.code(), CloseCode::INTERNAL_ERROR);
        let ending = seen.ending().await;
        assert_eq!(ending.cause, Cause::HandlerFailed);
        assert_eq!(ending.detail.to_string(), "asked to fail");
    })
    .await;
}

#[tokio::test]
async fn a_drain_reaches_connections_that_the_http_server_forgot() {
    on_both(Acceptor::new, async |address, acceptor, seen| {
        let url = format!("ws://{address}/echo");
        let mut sockets = Vec::new();
        for _ in 0..5 {
            let mut socket = revoir::connect(&url).await.unwrap();
            socket.send_text("here").await.unwrap();
            socket.recv().await.unwrap();
            sockets.push(socket);
        }
        let plan = Drain::restart().return_over(Duration::from_secs(30));
        let report = acceptor.tracker().drain(plan).await;
        assert_eq!((report.answered, report.connections()), (5, 5));
        for mut socket in sockets {
            let ending = socket.recv().await.unwrap_err();
            assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
            assert!(Slot::read(ending.code(), ending.reason()).is_some());
        }
        assert_eq!(seen.ending().await.cause, Cause::Drained);
        let (status, body, retry_after) = refused(revoir::connect(&url).await);
        assert_eq!((status, &*body), (503, "this server is going away\n"));
        assert!(retry_after.is_some());
    })
    .await;
}

#[tokio::test]
async fn requests_are_refused_by_the_application_the_limits_and_the_origin() {
    let settings = || {
        Acceptor::new()
            .with_max_connections_per_ip(1)
            .with_origins(Origins::only(["https://friend.example"]))
    };
    on_both(settings, async |address, _, seen| {
        let url = format!("ws://{address}");
        let by_application = refused(revoir::connect(&format!("{url}/refused")).await);
        assert_eq!(
            by_application,
            (429, "slow down".to_owned(), Some("7".to_owned()))
        );
        assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);
        let (status, ..) = refused(revoir::connect(&format!("{url}/forbidden")).await);
        assert_eq!(status, 500);

        let from = |origin: &str| Client::new().with_origin(origin);
        let enemy = from("https://enemy.example")
            .connect(&format!("{url}/echo"))
            .await;
        assert_eq!(refused(enemy).0, 403);
        let friend = from("https://friend.example")
            .connect(&format!("{url}/echo"))
            .await;
        let _friend = friend.unwrap();
        let (status, body, retry_after) = refused(revoir::connect(&format!("{url}/echo")).await);
        assert_eq!(status, 429);
        assert_eq!(body, "too many connections from this address\n");
        assert!(retry_after.is_some());
        let cause = |ending: &Ending| ending.cause == Cause::HandshakeRejected;
        assert!(seen.all().iter().all(cause));
        assert_eq!((seen.opened(), seen.count()), (1, 4));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_gets_another_response_is_told_to_the_observer() {
    on_both(Acceptor::new, async |address, acceptor, seen| {
        let answer = refused(revoir::connect(&format!("ws://{address}/page")).await);
        assert_eq!((answer.0, &*answer.1), (418, "a teapot"));
        let ending = seen.ending().await;
        assert_eq!(ending.cause, Cause::HandshakeRejected);
        assert_eq!((seen.opened(), seen.count()), (0, 1));
        let report = acceptor.tracker().drain(Drain::restart()).await;
        assert_eq!(report.connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_the_rule() {
    on_both(Acceptor::new, async |address, _, seen| {
        let answer = ask(address, "GET /echo HTTP/1.1\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        let lower = answer.to_lowercase();
        assert!(lower.contains("\r\nupgrade: websocket\r\n"), "{answer}");
        assert!(
            lower.contains("\r\nsec-websocket-version: 13\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("(RFC 6455 section 4.2.1 item 3)\n"),
            "{answer}"
        );
        assert_eq!(seen.ending().await.cause, Cause::HandshakeInvalid);
        let answer = ask(address, "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\nallow: get\r\n"),
            "{answer}"
        );
    })
    .await;
}
