//! Routes with more than one upstream.

use std::sync::Arc;
use std::time::Duration;

use revoir_codes::SendCode;
use revoir_proto::Role;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::front::{Destination, RouteSettings, Settings};
use crate::rules::{Mode, Rules};
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Counts, Raw, accepted, ask, dial, field, held_at, pass, routed, soon, taken, target,
};
use crate::upstream::{Balance, Check, Connecting, PoolSettings, Thresholds};

/// A gateway with one route, to both.
async fn before(first: &TcpListener, second: &TcpListener, check: Option<Check>) -> Between {
    let at = |listener: &TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: vec![at(second)],
        check,
        ..held_at(at(first))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    routed(vec![route], Settings::default()).await
}

/// A client, and its backend behind `listener`.
async fn connected(between: &Between, listener: &TcpListener) -> (Raw, Raw) {
    let mut client = ask(between.address, "").await;
    let (backend, _) = taken(listener).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    (client, backend)
}

#[tokio::test]
async fn a_client_goes_where_the_fewest_are() {
    let (first, second) = (listen_async(), listen_async());
    let between = before(&first, &second, None).await;
    let one = connected(&between, &first).await;
    let _two = connected(&between, &second).await;
    let _three = connected(&between, &first).await;
    let _four = connected(&between, &second).await;
    // ClientLimits at the second.
    let (mut client, mut backend) = connected(&between, &first).await;
    let _six = connected(&between, &second).await;
    client.close(1000).await;
    assert_eq!(backend.closed().await.0, 1000);
    backend.close(1000).await;
    assert_eq!(client.closed().await.0, 1000);
    let ended = |counts: &Counts| counts.ended.lock().unwrap().len();
    between.counts.at_least(ended, 2).await;
    let _seven = connected(&between, &first).await;
    drop(one);
}

#[tokio::test]
async fn one_that_is_away_is_passed_over_by_clients_and_by_requests() {
    let (first, second) = (listen_async(), listen_async());
    let between = before(&first, &second, None).await;
    drop(first);
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (stream, _) = soon(second.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    backend.head().await;
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(connected(&between, &second).await);
    }
}

#[tokio::test]
async fn a_held_client_returns_to_whoever_is_there() {
    let (first, second) = (listen_async(), listen_async());
    let between = before(&first, &second, None).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    backend.close(SendCode::SERVICE_RESTART.get()).await;
    // The first goes on listening, and is left alone: it said that it restarts.
    let (mut backend, head) = taken(&second).await;
    let resume = field(&head, "Revoir-Resume").expect("Revoir-Resume");
    assert!(resume.contains("written=1, received=0"), "{resume}");
    client.text("two").await;
    assert_eq!(backend.recv().await, "two");
}

/// Refuses everything, and tells what was asked for.
fn refusing(listener: TcpListener) -> mpsc::UnboundedReceiver<String> {
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut asking = Raw::new(stream, Role::Server);
            let head = asking.head().await;
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            asking.write(answer).await;
            let _ = told.send(head.lines().next().unwrap_or_default().to_owned());
        }
    });
    asked
}

/// Answers each check with 200, and closes behind it.
fn closing(listener: TcpListener) -> mpsc::UnboundedReceiver<()> {
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut asking = Raw::new(stream, Role::Server);
            asking.head().await;
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n";
            asking.write(answer).await;
            drop(asking);
            let _ = told.send(());
        }
    });
    asked
}

/// python websockets and `http.server` close behind each answer.
#[tokio::test]
async fn a_check_that_is_answered_with_the_end_is_a_success() {
    let (first, second) = (listen_async(), listen_async());
    let check = Check {
        path: Some("/healthz".to_owned()),
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        thresholds: Thresholds {
            failures: 1,
            successes: 1,
        },
    };
    let between = before(&first, &second, Some(check)).await;
    let (mut first, mut second) = (closing(first), closing(second));
    // A check is answered after the one before it was taken note of.
    for _ in 0..4 {
        soon(first.recv()).await.unwrap();
        soon(second.recv()).await.unwrap();
    }
    let upstreams = between.gateway.overview().upstreams;
    assert!(upstreams.iter().all(|one| one.accepts), "{upstreams:?}");
}

#[tokio::test]
async fn one_whose_checks_fail_is_left_out() {
    let (sick, well) = (listen_async(), listen_async());
    let check = Check {
        path: Some("/healthz".to_owned()),
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        thresholds: Thresholds {
            failures: 3,
            successes: 2,
        },
    };
    let between = before(&sick, &well, Some(check)).await;
    let mut asked = refusing(sick);
    // A check is answered after the one before it was taken note of.
    for _ in 0..4 {
        soon(asked.recv()).await.unwrap();
    }
    let address = between.address;
    let asking = tokio::spawn(async move { ask(address, "").await.head().await });
    loop {
        let (stream, _) = soon(well.accept()).await.unwrap();
        let mut backend = Raw::new(stream, Role::Server);
        let head = backend.head().await;
        if head.starts_with("GET /chat") {
            accepted(&mut backend, &head, "").await;
            break;
        }
        backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    }
    assert!(soon(asking).await.unwrap().starts_with("HTTP/1.1 101 "));
    while let Ok(line) = asked.try_recv() {
        assert_eq!(line, "GET /healthz HTTP/1.1");
    }
}

#[tokio::test]
async fn a_body_goes_to_the_next_upstream_while_nothing_was_sent() {
    let (first, second) = (listen_async(), listen_async());
    let between = before(&first, &second, None).await;
    // Nobody listens there any more.
    drop(first);
    let mut client = dial(between.address).await;
    client
        .write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let (stream, _) = soon(second.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    backend.head().await;
    while backend.input.len() < 5 {
        assert!(backend.more().await);
    }
    assert_eq!(backend.input, b"hello");
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
}

/// A gateway that leads each room to its own upstream.
async fn by_room(first: &TcpListener, second: &TcpListener) -> Between {
    let at = |listener: &TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: vec![at(second)],
        balance: "header:X-Room".parse::<Balance>().unwrap(),
        rules: Arc::new(Rules {
            mode: Mode::Hold,
            ..Rules::default()
        }),
        ..PoolSettings::new(at(first))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    routed(vec![route], Settings::default()).await
}

/// Takes a connection at either, and tells at which one.
async fn either(first: &TcpListener, second: &TcpListener) -> (Raw, String, usize) {
    let (stream, place) = soon(async {
        tokio::select! {
            taken = first.accept() => (taken.unwrap().0, 0),
            taken = second.accept() => (taken.unwrap().0, 1),
        }
    })
    .await;
    let mut backend = Raw::new(stream, Role::Server);
    let head = backend.head().await;
    (backend, head, place)
}

#[tokio::test]
async fn clients_with_the_same_key_meet_at_one_upstream() {
    let (first, second) = (listen_async(), listen_async());
    let between = by_room(&first, &second).await;
    let mut places = Vec::new();
    let mut open = Vec::new();
    for turn in 0..24 {
        let room = format!("X-Room: {}\r\n", turn % 8);
        let mut client = ask(between.address, &room).await;
        let (mut backend, head, place) = either(&first, &second).await;
        accepted(&mut backend, &head, "").await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        places.push(place);
        open.push((client, backend));
    }
    assert_eq!(places[..8], places[8..16]);
    assert_eq!(places[..8], places[16..]);
    // Plain requests go there too.
    for (room, place) in places[..8].iter().enumerate() {
        let mut client = dial(between.address).await;
        let asking = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Room: {room}\r\n\r\n");
        client.write(asking.as_bytes()).await;
        // A connection may be kept for another room, so each answer ends its own.
        let (mut backend, _, taken) = either(&first, &second).await;
        assert_eq!(taken, *place);
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        backend.write(answer).await;
        assert!(client.head().await.starts_with("HTTP/1.1 204 "));
    }
}

#[tokio::test]
async fn a_held_client_goes_on_where_its_key_leads_next() {
    let (first, second) = (listen_async(), listen_async());
    let between = by_room(&first, &second).await;
    let mut client = ask(between.address, "X-Room: 1\r\n").await;
    let (mut backend, head, place) = either(&first, &second).await;
    accepted(&mut backend, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    // It is gone, and nobody listens there any more.
    let (left, gone) = match place {
        0 => (second, first),
        _ => (first, second),
    };
    drop(gone);
    drop(backend);
    let (mut backend, head) = taken(&left).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
}

#[tokio::test]
async fn a_body_is_not_spent_on_finding_out_whether_an_upstream_is_back() {
    let (first, second) = (listen_async(), listen_async());
    let between = before(&first, &second, None).await;
    let address = first.local_addr().unwrap();
    drop(first);
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for is_due in [false, true] {
        // By the second time it takes connections again, and nobody has found out.
        let silent = match is_due {
            true => {
                pass(Duration::from_secs(2)).await;
                Some(TcpListener::bind(address).await.unwrap())
            }
            false => None,
        };
        let mut client = dial(between.address).await;
        client.write(post).await;
        let (stream, _) = soon(second.accept()).await.unwrap();
        let mut backend = Raw::new(stream, Role::Server);
        backend.head().await;
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        backend.write(answer).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
        if let Some(silent) = silent {
            // A connection finds out, and carries nothing.
            let (stream, _) = soon(silent.accept()).await.unwrap();
            assert!(Raw::new(stream, Role::Server).rest().await.is_empty());
            while !between.gateway.overview().upstreams[0].accepts {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_upstream_that_takes_too_long_to_connect_leaves_it_to_the_next() {
    use socket2::{Domain, Socket, Type};

    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&any.into()).unwrap();
    full.listen(1).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    // Its queue is full, and the system passes over whoever comes.
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let one = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            one.set_nonblocking(true).unwrap();
            let _ = one.connect(&address.into());
            one
        })
        .collect();
    let second = listen_async();
    let limit = Duration::from_secs(5);
    let pool = PoolSettings {
        more: vec![target(second.local_addr().unwrap())],
        connecting: Connecting {
            limit,
            ..Connecting::default()
        },
        ..held_at(target(address))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    let between = routed(vec![route], Settings::default()).await;
    let mut client = ask(between.address, "").await;
    let dialled = async {
        while between.gateway.overview().upstreams[0].connections == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(dialled).await;
    pass(limit).await;
    let _backend = taken(&second).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    assert!(!between.gateway.overview().upstreams[0].accepts);
    drop(waiting);
}
