use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rules::Mode;
use crate::tests::support::{Counts, asked, dial, field, pair, pass, settings, soon};
use crate::watch::Limit;

#[tokio::test]
async fn a_request_passes_with_its_body_and_the_client_s_address() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(
            b"POST /form?x=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\
              Connection: keep-alive, X-Drop\r\nX-Drop: 1\r\nUpgrade: h2c\r\n\
              Forwarded: for=6.6.6.6\r\nRevoir-Conn: 1\r\n\r\nhello",
        )
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("POST /form?x=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "Host").as_deref(), Some("a.example"));
    assert_eq!(
        field(&head, "X-Forwarded-For").as_deref(),
        Some("127.0.0.1")
    );
    for gone in ["X-Drop", "Upgrade", "Revoir-Conn"] {
        assert_eq!(field(&head, gone), None, "{head}");
    }
    while backend.input.len() < 5 {
        backend.more().await;
    }
    assert_eq!(backend.input, b"hello");
    backend
        .write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
    assert_eq!(field(&head, "Keep-Alive"), None);
    while client.input.len() < 2 {
        client.more().await;
    }
    assert_eq!(client.input, b"ok");
}

#[tokio::test]
async fn a_chunked_body_streams_both_ways() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert_eq!(
        field(&head, "Transfer-Encoding").as_deref(),
        Some("chunked")
    );
    // The first part is there before the body is complete.
    while !backend.input.ends_with(b"abc\r\n") {
        assert!(backend.more().await);
    }
    backend
        .write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    while !client.input.ends_with(b"de\r\n") {
        assert!(client.more().await);
    }
    client.write(b"0\r\n\r\n").await;
    while !backend.input.ends_with(b"0\r\n\r\n") {
        assert!(backend.more().await);
    }
    backend.write(b"0\r\n\r\n").await;
    while !client.input.ends_with(b"0\r\n\r\n") {
        assert!(client.more().await);
    }
}

#[tokio::test]
async fn one_connection_carries_several_requests() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("HEAD /1 "), "{head}");
    backend
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "Content-Length").as_deref(), Some("1000"));
    client.write(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = backend.head().await;
    assert!(head.starts_with("GET /2 "), "{head}");
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn without_a_backend_a_request_gets_503() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    drop(listener);
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(field(&head, "Retry-After").is_some());
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert_eq!(field(&head, "Content-Length").as_deref(), Some("5"));
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.write(b"hello").await;
    while backend.input.len() < 5 {
        assert!(backend.more().await);
    }
    assert_eq!(backend.input, b"hello");
    backend
        .write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_a_plain_body_and_the_end() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET /old HTTP/1.0\r\nHost: a\r\n\r\n").await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("GET /old HTTP/1.1\r\n"), "{head}");
    backend
        .write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        )
        .await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.0 200 ") || head.starts_with("HTTP/1.1 200 "),
        "{head}"
    );
    assert_eq!(field(&head, "Transfer-Encoding"), None, "{head}");
    assert_eq!(client.rest().await, b"abcde");
}

#[tokio::test]
async fn trailers_are_dropped_and_the_next_request_follows() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    for _ in 0..2 {
        client
            .write(
                b"POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\n\
                  Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
            )
            .await;
    }
    let (mut backend, mut head) = asked(&listener).await;
    for is_last in [false, true] {
        assert_eq!((field(&head, "Trailer"), field(&head, "TE")), (None, None));
        while !backend.input.ends_with(b"0\r\n\r\n") {
            assert!(backend.more().await);
        }
        assert_eq!(backend.input, b"2\r\nhi\r\n0\r\n\r\n");
        backend.input.clear();
        backend
            .write(
                b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n",
            )
            .await;
        let answer = client.head().await;
        assert_eq!(field(&answer, "Trailer"), None, "{answer}");
        while !client.input.ends_with(b"0\r\n\r\n") {
            assert!(client.more().await);
        }
        assert_eq!(client.input, b"2\r\nok\r\n0\r\n\r\n");
        client.input.clear();
        if !is_last {
            head = backend.head().await;
        }
    }
}

#[tokio::test]
async fn bodies_of_many_pieces_pass_byte_for_byte() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    let body: Vec<u8> = (0..8_000_000).map(|at| (at % 251) as u8).collect();
    let head = format!(
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let sent = body.clone();
    let sending = tokio::spawn(async move {
        client.write(head.as_bytes()).await;
        client.write(&sent).await;
        client
    });
    let (mut backend, head) = asked(&listener).await;
    assert_eq!(field(&head, "Content-Length"), Some(body.len().to_string()));
    while backend.input.len() < body.len() {
        assert!(backend.more().await);
    }
    assert!(backend.input == body);
    let mut client = sending.await.unwrap();
    let answering = tokio::spawn(async move {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        backend.write(head.as_bytes()).await;
        backend.write(&body).await;
        body
    });
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    while client.input.len() < 8_000_000 {
        assert!(client.more().await);
    }
    assert!(client.input == answering.await.unwrap());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_while_the_gateway_drains() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    // Somebody who has asked for nothing is not waited for.
    let _idle = dial(between.address).await;
    let gateway = std::sync::Arc::clone(&between.gateway);
    let plan = revoir::drain::Drain::restart().within(Duration::from_secs(3600));
    let mut drain = tokio::spawn(async move { gateway.drain(plan).await });
    soon(async {
        while !between.gateway.is_draining() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!drain.is_finished(), "the drain did not wait");
    backend
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(client.rest().await, b"ok");
    soon(&mut drain).await.unwrap();
}

#[tokio::test]
async fn a_get_on_a_connection_that_was_just_closed_is_tried_once_more() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    let ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write(ask).await;
    let (mut backend, _) = asked(&listener).await;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    backend.write(answer).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.write(ask).await;
    backend.head().await;
    drop(backend);
    let (mut backend, _) = asked(&listener).await;
    backend.write(answer).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    // But only once.
    client.write(ask).await;
    backend.head().await;
    drop(backend);
    let (backend, _) = asked(&listener).await;
    drop(backend);
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn a_get_on_a_new_connection_that_breaks_is_not_repeated() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (backend, _) = asked(&listener).await;
    drop(backend);
    // If it were asked again, nobody would answer.
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn an_answer_that_stops_is_cut_after_its_idle_time() {
    let mut setup = settings(Mode::Hold);
    let limit = Duration::from_secs(5);
    setup.settings.http.response_idle = limit;
    let (listener, between) = pair(setup).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    backend.write(answer).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    pass(limit).await;
    assert_eq!(client.rest().await, b"hello");
    // Nobody waits for the rest here either.
    assert!(backend.rest().await.is_empty());
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_of_an_answer_is_left() {
    let mut setup = settings(Mode::Hold);
    setup.settings.http.write = Duration::from_millis(100);
    let (listener, between) = pair(setup).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
    backend.write(head).await;
    // It never reads, so that this goes on until the gateway ends it.
    let part = vec![b'x'; 64 * 1024];
    while soon(backend.stream.write_all(&part)).await.is_ok() {}
    let answered = |counts: &Counts| counts.answered.lock().unwrap().len();
    between.counts.at_least(answered, 1).await;
    assert_eq!(*between.counts.answered.lock().unwrap(), [200]);
    drop(client);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_logged() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (_backend, _) = asked(&listener).await;
    drop(client);
    let answered = |counts: &Counts| counts.answered.lock().unwrap().len();
    between.counts.at_least(answered, 1).await;
    assert_eq!(*between.counts.answered.lock().unwrap(), [499]);
}

#[tokio::test]
async fn a_kept_connection_has_its_time_and_so_has_each_of_its_requests() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    backend.write(ANSWER).await;
    for number in 2..=3 {
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        while client.input != b"ok" {
            assert!(client.more().await);
        }
        client.input.clear();
        pass(Duration::from_secs(70)).await;
        let request = format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write(request.as_bytes()).await;
        assert!(backend.head().await.starts_with(&format!("GET /{number} ")));
        backend.write(ANSWER).await;
    }
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.write(b"GET /4 HTTP/1.1\r\nHost: a\r\n").await;
    // It has come, or it will not have begun in time either.
    soon(async {
        while between.gateway.overview().held_bytes == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    pass(Duration::from_secs(11)).await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert!(rest.starts_with("okHTTP/1.1 408 "), "{rest}");
    assert_eq!(between.counts.limited(Limit::Time), 1);
    // Nobody is told who has nothing to ask.
    let mut client = dial(between.address).await;
    client.write(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.head().await;
    let length = field(&head, "Content-Length").unwrap().parse().unwrap();
    while client.input.len() < length {
        assert!(client.more().await);
    }
    let passing = async {
        loop {
            pass(Duration::from_secs(76)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        read = client.stream.read_to_end(&mut client.input) => assert_eq!(read.unwrap(), 0),
        () = passing => unreachable!("it has no end"),
    }
    assert_eq!(client.input.len(), length);
    assert_eq!(between.counts.limited(Limit::Time), 1);
}
