//! Who is asked before a request goes to a backend.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::header::HeaderName;
use revoir::server::Origins;
use tokio::net::TcpListener;

use crate::front::{AuthSettings, RouteSettings, Settings};
use crate::rules::Mode;
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Raw, Setup, accepted, ask, asked, dial, field, pass, route, routed, settings, taken,
};
use crate::upstream::NameTimes;
use crate::watch::AuthFailure;

const LIMIT: Duration = Duration::from_secs(5);

fn auth(hook: SocketAddr) -> AuthSettings {
    AuthSettings {
        uri: format!("http://{hook}/ask?a=b").parse().unwrap(),
        fields: vec![HeaderName::from_static("x-user")],
        limit: LIMIT,
        at_once: 1,
        trust: None,
        names: NameTimes::default(),
    }
}

struct Stage {
    hook: TcpListener,
    backend: TcpListener,
    between: Between,
}

async fn staged(setup: Setup) -> Stage {
    let hook = listen_async();
    let backend = listen_async();
    let route = RouteSettings {
        auth: Some(auth(hook.local_addr().unwrap())),
        ..route(backend.local_addr().unwrap(), &setup)
    };
    let between = routed(vec![route], setup.settings).await;
    Stage {
        hook,
        backend,
        between,
    }
}

/// Plain requests on a connection that ends with the answer.
async fn get(address: SocketAddr, head: &str) -> Raw {
    let mut client = dial(address).await;
    client
        .write(format!("{head}\r\nHost: a.example\r\nConnection: close\r\n\r\n").as_bytes())
        .await;
    client
}

async fn no_body(raw: &mut Raw, status: &str, lines: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{lines}\r\n");
    raw.write(answer.as_bytes()).await;
}

#[tokio::test]
async fn a_2xx_passes_with_its_fields_which_a_client_cannot_set() {
    let stage = staged(settings(Mode::Hold)).await;
    let claims = "X-User: root\r\nX_User: root\r\nCookie: session=1\r\nAuthorization: Basic x\r\n\
                  X-Original-URI: /public\r\nConnection: X-User\r\n";
    let mut client = ask(stage.between.address, claims).await;
    let (mut hook, question) = asked(&stage.hook).await;
    assert!(
        question.starts_with("GET /ask?a=b HTTP/1.1\r\n"),
        "{question}"
    );
    for (name, expected) in [
        ("X-Original-URI", Some("/chat?a=b")),
        ("X-Original-Method", Some("GET")),
        ("X-Forwarded-For", Some("127.0.0.1")),
        ("X-Forwarded-Host", Some("chat.example")),
        ("Cookie", Some("session=1")),
        ("Authorization", Some("Basic x")),
        ("Upgrade", None),
        ("Sec-WebSocket-Key", None),
    ] {
        assert_eq!(field(&question, name).as_deref(), expected, "{question}");
    }
    assert!(field(&question, "Host").is_some_and(|host| host.starts_with("127.0.0.1:")));
    no_body(&mut hook, "204 No Content", "X-User: ann\r\nX-Other: 1\r\n").await;
    let (mut backend, head) = taken(&stage.backend).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    let said = head.to_ascii_lowercase();
    assert_eq!(said.matches("x-user: ann\r\n").count(), 1, "{head}");
    assert!(
        !said.contains("root") && !said.contains("x-other"),
        "{head}"
    );

    // A client that is held was asked about; the fields stay the same.
    backend.close(1012).await;
    backend.closed().await;
    let (mut backend, head) = taken(&stage.backend).await;
    assert_eq!(field(&head, "X-User").as_deref(), Some("ann"));
    backend.text("again").await;
    assert_eq!(client.recv().await, "again");

    // The connection to the hook was kept.
    let mut client = get(stage.between.address, "GET /x HTTP/1.1").await;
    let question = hook.head().await;
    assert_eq!(field(&question, "X-Original-URI").as_deref(), Some("/x"));
    no_body(&mut hook, "200 OK", "X-User: bob\r\nX-User: bib\r\n").await;
    let (mut backend, head) = asked(&stage.backend).await;
    assert!(head.contains("bob") && head.contains("bib"), "{head}");
    no_body(&mut backend, "200 OK", "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn any_other_answer_is_the_answer_to_the_client() {
    for handshake in [true, false] {
        let stage = staged(settings(Mode::Hold)).await;
        let (address, plain) = (stage.between.address, "POST /x HTTP/1.1");
        for (status, fields) in [
            (
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=x\r\nSet-Cookie: a=b\r\n",
            ),
            ("403 Forbidden", "X-Why: no\r\n"),
            ("302 Found", "Location: /login\r\n"),
            ("503 Service Unavailable", "Retry-After: 7\r\n"),
        ] {
            let mut client = match handshake {
                true => ask(address, "").await,
                false => get(address, plain).await,
            };
            let (mut hook, _) = asked(&stage.hook).await;
            let answer = format!(
                "HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n{fields}\r\n\
                 5\r\nsorry\r\n0\r\n\r\n"
            );
            hook.write(answer.as_bytes()).await;
            let head = client.head().await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{head}"
            );
            let lower = head.to_ascii_lowercase();
            assert!(lower.contains(&fields.to_ascii_lowercase()), "{head}");
            assert_eq!(field(&head, "Content-Length").as_deref(), Some("5"));
            while client.input.len() < 5 && client.more().await {}
            assert_eq!(client.input, b"sorry");
        }
        assert_eq!(stage.between.gateway.connections(), 0);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_left_out() {
    let stage = staged(settings(Mode::Hold)).await;
    let mut client = get(stage.between.address, "GET / HTTP/1.1").await;
    let (mut hook, _) = asked(&stage.hook).await;
    let long = "x".repeat(64 * 1024 + 1);
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{long}",
        long.len()
    );
    hook.write(answer.as_bytes()).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn without_an_answer_in_time_nobody_passes() {
    let stage = staged(settings(Mode::Hold)).await;
    let mut silent = ask(stage.between.address, "").await;
    let (_hook, _) = asked(&stage.hook).await;
    pass(LIMIT).await;
    let head = silent.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(field(&head, "Retry-After").as_deref(), Some("5"));
    drop(stage.hook);
    let mut away = ask(stage.between.address, "").await;
    let head = away.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(field(&head, "Retry-After").is_some(), "{head}");
    let why = stage.between.counts.auth_failed.lock().unwrap().clone();
    assert_eq!(why, [AuthFailure::Late, AuthFailure::Broken]);
}

#[tokio::test]
async fn a_hook_that_speaks_nonsense_lets_nobody_pass() {
    for answer in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-User: a",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let stage = staged(settings(Mode::Hold)).await;
        let mut client = ask(stage.between.address, "").await;
        // A connection that ends before an answer may be one that was kept.
        let hooked = tokio::spawn(async move {
            loop {
                let (mut hook, _) = asked(&stage.hook).await;
                hook.write(answer.as_bytes()).await;
            }
        });
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{answer}: {head}");
        hooked.abort();
    }
}

#[tokio::test]
async fn a_hook_that_closed_a_kept_connection_is_asked_again() {
    let stage = staged(settings(Mode::Hold)).await;
    let mut first = get(stage.between.address, "GET / HTTP/1.1").await;
    let (mut hook, _) = asked(&stage.hook).await;
    no_body(&mut hook, "401 Unauthorized", "").await;
    first.head().await;
    let mut second = get(stage.between.address, "GET / HTTP/1.1").await;
    hook.head().await;
    drop(hook);
    let (mut hook, _) = asked(&stage.hook).await;
    no_body(&mut hook, "403 Forbidden", "").await;
    assert!(second.head().await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn no_more_are_asked_about_at_a_time_than_may_be() {
    let stage = staged(settings(Mode::Hold)).await;
    let mut first = get(stage.between.address, "GET /1 HTTP/1.1").await;
    let (mut hook, _) = asked(&stage.hook).await;
    let mut second = get(stage.between.address, "GET /2 HTTP/1.1").await;
    no_body(&mut hook, "401 Unauthorized", "").await;
    assert!(first.head().await.starts_with("HTTP/1.1 401 "));
    // The second has waited for this connection, and has not opened another.
    let question = hook.head().await;
    assert_eq!(field(&question, "X-Original-URI").as_deref(), Some("/2"));
    no_body(&mut hook, "403 Forbidden", "").await;
    assert!(second.head().await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn who_waits_for_its_turn_in_vain_is_told_from_who_gets_no_answer() {
    let stage = staged(settings(Mode::Hold)).await;
    let mut first = ask(stage.between.address, "").await;
    let (_silent, _) = asked(&stage.hook).await;
    let mut second = ask(stage.between.address, "").await;
    // It waits for its turn once the gateway has its request, which a third one shows.
    let mut forbidden = dial(stage.between.address).await;
    forbidden
        .write(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    forbidden.head().await;
    pass(LIMIT).await;
    for client in [&mut first, &mut second] {
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    }
    let mut why = stage.between.counts.auth_failed.lock().unwrap().clone();
    why.sort_by_key(|why| *why == AuthFailure::Busy);
    assert_eq!(why, [AuthFailure::Late, AuthFailure::Busy]);
}

#[tokio::test]
async fn origins_and_limits_come_first() {
    let setup = Setup {
        origins: Origins::only(["https://a.example"]),
        settings: Settings::default(),
        ..settings(Mode::Hold)
    };
    let stage = staged(setup).await;
    let mut other = ask(stage.between.address, "Origin: https://evil.example\r\n").await;
    assert!(other.head().await.starts_with("HTTP/1.1 403 "));
    // The first that the hook hears of is the next one.
    let mut client = ask(stage.between.address, "Origin: https://a.example\r\n").await;
    let (mut hook, question) = asked(&stage.hook).await;
    assert_eq!(
        field(&question, "Origin").as_deref(),
        Some("https://a.example")
    );
    no_body(&mut hook, "200 OK", "").await;
    let (mut backend, head) = asked(&stage.backend).await;
    accepted(&mut backend, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
}
