//! What an operator sees and can do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use revoir::drain::Drain;
use revoir::session::Store;
use revoir_proto::frame::Opcode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::admin::{Admin, AdminListener, DrainAs, OperatorRequest, OperatorRequests};
use crate::config::AdminAddr;
use crate::front::RouteSettings;
use crate::gateway::Gateway;
use crate::rules::Mode;
use crate::tests::ports::listen_async;
use crate::tests::support::{Raw, ask, asked, dial, field, route, settings, soon, taken};
use crate::watch::{AccessLog, Json, Lines, Logs, Operations};

const AGENT: &str = "User-Agent: Python/3.11 websockets/12.0\r\n";

/// A gateway with everything that an operator has, and the listener of its backend.
pub(super) struct Operated {
    gateway: Arc<Gateway>,
    pub(super) backend: TcpListener,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
    asked_for: OperatorRequests,
    log: AccessLog,
    lines: Lines,
}

impl Operated {
    async fn start() -> Self {
        Self::with(|route| route, None).await
    }

    /// With another route, whose sessions are in this store.
    pub(super) async fn with(
        change: impl FnOnce(RouteSettings) -> RouteSettings,
        store: Option<Arc<dyn Store>>,
    ) -> Self {
        let local = "127.0.0.1:0";
        let backend = listen_async();
        let setup = settings(Mode::Hold);
        let routes = vec![change(route(backend.local_addr().unwrap(), &setup))];
        let (log, lines) = AccessLog::channel();
        let operations = Arc::new(Operations::new(log.clone(), Logs::All));
        let gateway = Gateway::with_store(routes, setup.settings, operations.clone(), store);
        let listener = listen_async();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&gateway);
        tokio::spawn(async move { serving.serve(vec![listener], None).await });
        let hosts = vec!["gateway.internal".to_owned()];
        let (admin, asked_for) = Admin::new(Arc::clone(&gateway), operations, hosts);
        let bound = AdminListener::bind(&local.parse().unwrap()).await.unwrap();
        let AdminAddr::Tcp(admin_address) = bound.address().unwrap() else {
            panic!("not TCP");
        };
        tokio::spawn(admin.serve(bound));
        Self {
            gateway,
            backend,
            address,
            admin: admin_address,
            asked_for,
            log,
            lines,
        }
    }

    /// A client with a User-Agent and a secret, and its backend.
    async fn connected(&self) -> (Raw, Raw) {
        let mut client = ask(self.address, AGENT).await;
        let (backend, _) = taken(&self.backend).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        (client, backend)
    }

    /// Asks the admin interface as an operator does. Status and body.
    async fn operator(&self, request: &str, body: &str) -> (u16, String) {
        self.request(request, "Host: localhost\r\nRevoir-Admin: 1\r\n", body)
            .await
    }

    pub(super) async fn request(&self, request: &str, fields: &str, body: &str) -> (u16, String) {
        let mut raw = dial(self.admin).await;
        let head = format!(
            "{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n{body}",
            body.len()
        );
        raw.write(head.as_bytes()).await;
        let head = raw.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = field(&head, "Content-Length").unwrap().parse().unwrap();
        while raw.input.len() < length {
            assert!(raw.more().await, "the body is cut");
        }
        (status, String::from_utf8(raw.input).unwrap())
    }

    /// Every metric by its name with its labels.
    pub(super) async fn metrics(&self) -> HashMap<String, f64> {
        let (status, text) = self.operator("GET /metrics", "").await;
        assert_eq!(status, 200);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap();
                (name.to_owned(), value.parse().unwrap())
            })
            .collect()
    }

    pub(super) async fn connections(&self) -> Vec<Value> {
        let (status, text) = self.operator("GET /v1/connections", "").await;
        assert_eq!(status, 200);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Waits until no connection is left.
    async fn empty(&self) {
        let plan = Drain::going_away().within(Duration::from_secs(3600));
        let report = soon(self.gateway.drain(plan)).await;
        assert_eq!(report.cut, 0, "{report}");
    }

    /// The lines of the log, once no connection is left.
    async fn logged(self) -> Vec<Value> {
        self.empty().await;
        self.log.end(Duration::from_secs(60));
        let mut out = Vec::new();
        self.lines.write(&Json, &mut out);
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The connection is held, and gets another backend.
async fn restart(operated: &Operated, client: &mut Raw, mut backend: Raw) -> Raw {
    backend.close(1012).await;
    assert_eq!(backend.closed().await.0, 1012);
    drop(backend);
    let (mut backend, _) = taken(&operated.backend).await;
    client.text("again").await;
    assert_eq!(backend.recv().await, "again");
    backend
}

#[tokio::test]
async fn a_connection_is_one_line_with_both_endings_and_its_holds() {
    let operated = Operated::start().await;
    let upstream = operated.backend.local_addr().unwrap().to_string();
    let (mut client, mut backend) = operated.connected().await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    backend.text("two").await;
    assert_eq!(client.recv().await, "two");
    let mut backend = restart(&operated, &mut client, backend).await;
    client.close(4001).await;
    assert_eq!(backend.closed().await.0, 4001);
    backend.close(4001).await;
    assert_eq!(client.closed().await.0, 4001);
    let lines = operated.logged().await;
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(
        !line.to_string().contains("a=b"),
        "a query may hold a token"
    );
    for (name, expected) in [
        ("event", json!("connection")),
        ("host", json!("chat.example")),
        ("path", json!("/chat")),
        ("query", json!(true)),
        ("user_agent", json!("Python/3.11 websockets/12.0")),
        ("upstream", json!(upstream)),
        ("holds", json!(1)),
        ("backends", json!(2)),
        // Two texts and a Close frame, each masked.
        (
            "from_client",
            json!({"messages": 2, "bytes": 6 + 3 + 6 + 5 + 6 + 2}),
        ),
        // A text and two Close frames.
        (
            "from_backend",
            json!({"messages": 1, "bytes": 2 + 3 + 4 + 4}),
        ),
    ] {
        assert_eq!(line[name], expected, "{name} in {line}");
    }
    for (side, initiator) in [("client", "remote"), ("backend", "local")] {
        let ending = &line[side];
        assert_eq!(ending["code"], 4001, "{ending}");
        assert_eq!(ending["finish"], "answered", "{ending}");
        assert_eq!(ending["initiator"], initiator, "{ending}");
    }
    assert_eq!(line["client"]["cause"], "closed-by-peer");
    assert!(line["held_ms"].is_u64() && line["open_ms"].is_u64());
}

#[tokio::test]
async fn a_request_that_becomes_no_connection_is_a_line_too() {
    let operated = Operated::start().await;
    let mut client = dial(operated.address).await;
    let request = "POST /form?token=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    client.write(request.as_bytes()).await;
    let (mut backend, _) = asked(&operated.backend).await;
    backend
        .write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        .await;
    client.head().await;
    drop(backend);
    let mut refused = ask(operated.address, "").await;
    let (mut backend, _) = asked(&operated.backend).await;
    backend
        .write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        .await;
    refused.head().await;
    let metrics = operated.metrics().await;
    assert_eq!(
        metrics["revoir_requests_total{route=\"/\",status=\"201\"}"],
        1.0
    );
    assert_eq!(
        metrics["revoir_refusals_total{route=\"/\",status=\"403\"}"],
        1.0
    );
    let lines = operated.logged().await;
    let [form, chat] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(!form.to_string().contains("secret"), "{form}");
    for (line, name, expected) in [
        (form, "event", json!("request")),
        (form, "method", json!("POST")),
        (form, "path", json!("/form")),
        (form, "websocket", json!(false)),
        (form, "status", json!(201)),
        (form, "request_bytes", json!(5)),
        (form, "response_bytes", json!(2)),
        (form, "complete", json!(true)),
        (chat, "event", json!("request")),
        (chat, "websocket", json!(true)),
        (chat, "status", json!(403)),
    ] {
        assert_eq!(line[name], expected, "{name} in {line}");
    }
}

#[tokio::test]
async fn metrics_say_what_happened() {
    let operated = Operated::start().await;
    let (mut client, mut backend) = operated.connected().await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    let mut backend = restart(&operated, &mut client, backend).await;
    let upstream = operated.backend.local_addr().unwrap();

    let metrics = operated.metrics().await;
    for (name, value) in [
        ("connections{route=\"/\",state=\"attached\"}", 1.0),
        ("connections{route=\"/\",state=\"held\"}", 0.0),
        (
            "connections_opened_total{route=\"/\",mode=\"hold\",by=\"operator\"}",
            1.0,
        ),
        ("waiting_handshakes", 0.0),
        ("holds_total{route=\"/\",why=\"planned\"}", 1.0),
        ("held_seconds_count{route=\"/\",outcome=\"returned\"}", 1.0),
        ("held_bytes", 0.0),
        ("redials_total{route=\"/\",result=\"accepted\"}", 1.0),
        ("handshake_seconds_count{route=\"/\",side=\"client\"}", 1.0),
        ("handshake_seconds_count{route=\"/\",side=\"backend\"}", 2.0),
        ("received_messages_total{side=\"client\"}", 2.0),
        ("received_messages_total{side=\"backend\"}", 0.0),
        ("received_bytes_total{side=\"client\"}", 20.0),
        ("received_bytes_total{side=\"backend\"}", 4.0),
        (
            "endings_total{route=\"/\",side=\"backend\",code=\"1012\",cause=\"closed-by-peer\"}",
            1.0,
        ),
        (&format!("upstream_accepts{{upstream=\"{upstream}\"}}"), 1.0),
        (
            &format!("upstream_connections{{upstream=\"{upstream}\"}}"),
            1.0,
        ),
        ("draining", 0.0),
        ("dropped_lines_total", 0.0),
    ] {
        assert_eq!(
            metrics.get(&format!("revoir_{name}")),
            Some(&value),
            "{name}"
        );
    }

    // Close frames without a code, from both sides.
    client.send(Opcode::Close, b"").await;
    assert_eq!(backend.frame().await, Some((Opcode::Close, vec![])));
    backend.send(Opcode::Close, b"").await;
    assert_eq!(client.frame().await, Some((Opcode::Close, vec![])));
    operated.empty().await;
    let metrics = operated.metrics().await;
    for (name, value) in [
        ("connections{route=\"/\",state=\"attached\"}", 0.0),
        // What came through a connection still counts when it is over.
        ("received_messages_total{side=\"client\"}", 2.0),
        ("received_bytes_total{side=\"client\"}", 26.0),
        (
            "client_empty_closes_total{software=\"python-websockets\"}",
            1.0,
        ),
        (
            &format!("backend_empty_closes_total{{upstream=\"{upstream}\"}}"),
            1.0,
        ),
        (
            "endings_total{route=\"/\",side=\"client\",code=\"1005\",cause=\"closed-by-peer\"}",
            1.0,
        ),
        ("draining", 1.0),
    ] {
        assert_eq!(
            metrics.get(&format!("revoir_{name}")),
            Some(&value),
            "{name}"
        );
    }
}

#[tokio::test]
async fn readiness_ends_with_a_drain_and_not_with_a_backend() {
    let operated = Operated::start().await;
    let status = |path: &'static str| operated.request(path, "Host: 10.0.0.7\r\n", "");
    assert_eq!(status("GET /healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(status("GET /readyz").await, (200, "ready\n".to_owned()));
    operated.empty().await;
    assert_eq!(status("GET /healthz").await.0, 200);
    let (code, text) = status("GET /readyz").await;
    assert_eq!(code, 503);
    assert!(text.starts_with("draining"), "{text}");
}

#[tokio::test]
async fn a_backend_that_is_away_counts_only_for_who_asks() {
    let mut operated = Operated::start().await;
    let (client, backend) = operated.connected().await;
    let unused = listen_async();
    // Nobody listens there any more.
    drop(std::mem::replace(&mut operated.backend, unused));
    drop(backend);
    let unreachable = "revoir_redials_total{route=\"/\",result=\"unreachable\"}";
    while !operated.metrics().await.contains_key(unreachable) {}
    let host = "Host: localhost\r\n";
    let (code, text) = operated.request("GET /readyz", host, "").await;
    assert_eq!(code, 200);
    assert!(
        text.starts_with("ready, though no upstream accepts"),
        "{text}"
    );
    let (code, _) = operated.request("GET /readyz?upstreams", host, "").await;
    assert_eq!(code, 503);
    let held = &operated.connections().await[0];
    assert!(held["held_ms"].is_u64(), "{held}");
    let (_, status) = operated.operator("GET /v1/status", "").await;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        (&status["connections"], &status["held"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(status["upstreams"][0]["accepts"], false, "{status}");
    drop(client);
}

#[tokio::test]
async fn a_page_in_a_browser_gets_no_answer() {
    let operated = Operated::start().await;
    let (_client, _backend) = operated.connected().await;
    let ours = "Host: localhost\r\nRevoir-Admin: 1\r\n";
    for (request, fields, expected) in [
        // A name that was made to lead here.
        ("GET /metrics", "Host: evil.example\r\n", 421),
        (
            "GET /v1/connections",
            "Host: evil.example\r\nRevoir-Admin: 1\r\n",
            421,
        ),
        ("GET /metrics", "", 421),
        // What a page may send to any origin without being asked first.
        (
            "GET /v1/connections",
            "Host: localhost\r\nOrigin: https://evil.example\r\n",
            403,
        ),
        (
            "POST /v1/drain",
            "Host: localhost\r\nContent-Type: text/plain\r\n",
            403,
        ),
        ("POST /v1/connections/1/end", "Host: 127.0.0.1\r\n", 403),
        // The question that comes before what it may not.
        (
            "OPTIONS /v1/drain",
            "Host: localhost\r\nAccess-Control-Request-Headers: revoir-admin\r\n",
            403,
        ),
        ("GET /v1/connections", ours, 200),
        (
            "GET /v1/connections",
            "Host: gateway.internal:9090\r\nRevoir-Admin: 1\r\n",
            200,
        ),
        ("GET /metrics", "Host: localhost\r\n", 200),
        ("GET /nothing", ours, 404),
        ("GET /v1/drain", ours, 405),
    ] {
        let (status, text) = operated.request(request, fields, "{}").await;
        assert_eq!(status, expected, "{request} {fields}: {text}");
    }
    assert!(!operated.gateway.is_draining());
    assert_eq!(operated.connections().await.len(), 1);
}

#[tokio::test]
async fn a_connection_is_listed_and_ended_with_a_code_of_choice() {
    let operated = Operated::start().await;
    let (mut client, mut backend) = operated.connected().await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    let all = operated.connections().await;
    let [listed] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!(listed["path"], "/chat");
    assert_eq!(listed["held_ms"], Value::Null);
    assert_eq!(listed["from_client"], json!({"messages": 1, "bytes": 9}));
    let id = listed["id"].as_str().unwrap();
    let path = format!("POST /v1/connections/{id}/end");
    for (body, expected, part) in [
        ("{\"code\": 1006}", 422, "never sent in a Close frame"),
        ("{\"code\": 999}", 422, "may not stand in a Close frame"),
        ("{\"code\": 1010}", 422, "by clients only"),
        ("{\"code\": \"1000\"}", 400, "invalid type"),
        ("{\"code\": 1000, \"why\": 1}", 400, "unknown field"),
        ("", 400, "EOF"),
    ] {
        let (status, text) = operated.operator(&path, body).await;
        assert_eq!(status, expected, "{body}: {text}");
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert!(problem["error"].as_str().unwrap().contains(part), "{text}");
        assert!(problem["hint"].is_string(), "{text}");
    }
    let long = json!({"code": 4000, "reason": "x".repeat(124)}).to_string();
    assert_eq!(operated.operator(&path, &long).await.0, 422);
    let (status, _) = operated
        .operator("POST /v1/connections/00-7/end", "{\"code\": 4000}")
        .await;
    assert_eq!(status, 404);

    let number = id.rsplit_once('-').unwrap().1;
    let short = format!("POST /v1/connections/{number}/end");
    let body = "{\"code\": 4000, \"reason\": \"enough\"}";
    let (status, text) = operated.operator(&short, body).await;
    assert_eq!(status, 202, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, json!({"id": id, "code": 4000, "reason": "enough"}));
    let expected = (4000, "enough".to_owned());
    assert_eq!(client.closed().await, expected);
    assert_eq!(backend.closed().await, expected);
    client.close(4000).await;
    backend.close(4000).await;
    let line = &operated.logged().await[0];
    assert_eq!(line["client"]["cause"], "closed-locally");
    assert_eq!(
        line["client"]["sent"],
        json!({"code": 4000, "reason": "enough"})
    );
}

#[tokio::test]
async fn a_drain_is_asked_for_once() {
    let mut operated = Operated::start().await;
    let (_client, _backend) = operated.connected().await;
    let (status, text) = operated
        .operator("POST /v1/drain", "{\"restart\": true}")
        .await;
    assert_eq!(status, 202, "{text}");
    assert_eq!(text, "{\"connections\":1}\n");
    assert_eq!(operated.operator("POST /v1/drain", "{}").await.0, 409);
    let Some(OperatorRequest::Drain(how)) = soon(operated.asked_for.next()).await else {
        panic!("no drain");
    };
    let restart = Some(true);
    assert_eq!(how, DrainAs { restart });
}
