//! Clients and backends at Unix sockets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use revoir_proto::Role;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use crate::front::{Destination, ProxyProtocol, RouteSettings, Settings};
use crate::gateway::Gateway;
use crate::net::{ListenAddr, Listener, Peers};
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Counts, Raw, accepted, asked, dial, field, held_at, request, routed, soon, target,
};
use crate::upstream::{Check, PoolSettings, Target, Thresholds};

/// A gateway at a Unix socket.
struct At {
    folder: TempDir,
    counts: Arc<Counts>,
}

impl At {
    async fn start(to: Target, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = ListenAddr::Unix(folder.path().join("http.sock"));
        let listener = Listener::bind(&address, 0o600).await.unwrap();
        let route = RouteSettings::new("/", Destination::Upstreams(held_at(to)));
        let counts = Arc::new(Counts::default());
        let gateway = Gateway::new(vec![route], settings, counts.clone());
        tokio::spawn(async move { gateway.serve(vec![listener], None).await });
        Self { folder, counts }
    }

    async fn dial(&self) -> Raw<UnixStream> {
        let path = self.folder.path().join("http.sock");
        let stream = soon(UnixStream::connect(path)).await.unwrap();
        Raw::new(stream, Role::Client)
    }
}

fn unix() -> Peers {
    Peers {
        unix: true,
        ..Peers::default()
    }
}

#[tokio::test]
async fn a_client_at_a_unix_socket_has_no_address() {
    let backend = listen_async();
    let at = At::start(target(backend.local_addr().unwrap()), Settings::default()).await;
    let mut client = at.dial().await;
    client
        .write(request("X-Forwarded-For: 6.6.6.6\r\n").as_bytes())
        .await;
    let (mut serving, head) = asked(&backend).await;
    assert_eq!(field(&head, "X-Forwarded-For"), None);
    let forwarded = field(&head, "Forwarded").unwrap();
    assert!(forwarded.starts_with("for=unknown;"), "{forwarded}");
    assert_eq!(field(&head, "Host").unwrap(), "chat.example");
    accepted(&mut serving, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("one").await;
    assert_eq!(serving.recv().await, "one");
    serving.text("two").await;
    assert_eq!(client.recv().await, "two");
    // A request that is no handshake has a line in the log.
    let mut plain = at.dial().await;
    plain.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut serving, _) = asked(&backend).await;
    serving.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(plain.head().await.starts_with("HTTP/1.1 204 "));
    let told = |counts: &Counts| counts.asked.lock().unwrap().len();
    at.counts.at_least(told, 1).await;
    assert_eq!(*at.counts.asked.lock().unwrap(), ["unix:"]);
}

#[tokio::test]
async fn who_is_trusted_at_a_unix_socket_says_for_whom_it_connects() {
    let backend = listen_async();
    let to = target(backend.local_addr().unwrap());
    let settings = Settings {
        trusted: unix(),
        ..Settings::default()
    };
    let at = At::start(to.clone(), settings).await;
    let mut client = at.dial().await;
    client
        .write(request("X-Forwarded-For: 192.0.2.1\r\n").as_bytes())
        .await;
    let (_, head) = asked(&backend).await;
    assert_eq!(field(&head, "X-Forwarded-For").unwrap(), "192.0.2.1");

    let proxy_protocol = ProxyProtocol {
        from: unix(),
        ..ProxyProtocol::default()
    };
    let settings = Settings {
        proxy_protocol,
        ..Settings::default()
    };
    let at = At::start(to, settings).await;
    for header in [
        &b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\x30\x39\x01\xbb",
    ] {
        let mut client = at.dial().await;
        client
            .write(&[header, request("").as_bytes()].concat())
            .await;
        let (_, head) = asked(&backend).await;
        assert_eq!(field(&head, "X-Forwarded-For").unwrap(), "192.0.2.1");
    }
}

async fn before(path: &Path, check: Option<Check>) -> Between {
    let target = Target::parse(&format!("unix:{}", path.display())).unwrap();
    let pool = PoolSettings {
        check,
        ..held_at(target)
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    routed(vec![route], Settings::default()).await
}

async fn asked_at(listener: &UnixListener) -> (Raw<UnixStream>, String) {
    let (stream, _) = soon(listener.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    let head = backend.head().await;
    (backend, head)
}

#[tokio::test]
async fn a_backend_at_a_unix_socket_is_one_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b%.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let between = before(&path, None).await;
    let mut client = dial(between.address).await;
    client.write(request("").as_bytes()).await;
    let (mut backend, head) = asked_at(&listener).await;
    assert!(head.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "Host").unwrap(), "chat.example");
    accepted(&mut backend, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    // Plain requests, with a Host and without.
    for (version, line, host) in [
        ("1.1", "Host: chat.example\r\n", "chat.example"),
        ("1.0", "", "localhost"),
    ] {
        let mut plain = dial(between.address).await;
        let asking = format!("GET /x?y HTTP/{version}\r\n{line}\r\n");
        plain.write(asking.as_bytes()).await;
        let (mut backend, head) = asked_at(&listener).await;
        assert!(head.starts_with("GET /x?y HTTP/1.1\r\n"), "{head}");
        assert_eq!(field(&head, "Host").unwrap(), host);
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        backend.write(answer).await;
        assert!(plain.head().await.contains(" 204 "));
    }
    // The client is held while it is away, and then there is another socket of the name.
    drop((backend, listener));
    std::fs::remove_file(&path).unwrap();
    between.counts.held(1).await;
    let listener = UnixListener::bind(&path).unwrap();
    let (mut backend, head) = asked_at(&listener).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    accepted(&mut backend, &head, "").await;
    client.text("two").await;
    assert_eq!(backend.recv().await, "two");
    let states = between.gateway.overview().upstreams;
    assert_eq!(states[0].upstream, format!("unix:{}", path.display()));
}

#[tokio::test]
async fn a_check_at_a_unix_socket_asks_localhost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let check = Check {
        path: Some("/healthz".to_owned()),
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        thresholds: Thresholds {
            failures: 1,
            successes: 1,
        },
    };
    let between = before(&path, Some(check)).await;
    let (mut checked, head) = asked_at(&listener).await;
    assert!(head.starts_with("GET /healthz HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "Host").unwrap(), "localhost");
    checked
        .write(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
        .await;
    between.away().await;
}
