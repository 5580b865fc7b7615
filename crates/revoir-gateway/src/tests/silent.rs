//! Backends that show no sign of life.

use std::time::Duration;

use revoir_proto::frame::Opcode;
use tokio::net::TcpListener;

use crate::front::{Destination, RouteSettings, Settings};
use crate::rules::Mode;
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Raw, accepted, ask, asked, connected, dial, field, held_at, pair, pass, routed,
    settings, soon, taken, target,
};
use crate::upstream::PoolSettings;

/// Has the backend fall silent, whose client goes on.
async fn fall_silent(client: &mut Raw, backend: &mut Raw) {
    pass(Duration::from_secs(22)).await;
    let (opcode, payload) = client.frame().await.unwrap();
    assert_eq!(opcode, Opcode::Ping);
    client.send(Opcode::Pong, &payload).await;
    assert_eq!(backend.frame().await.unwrap().0, Opcode::Ping);
    is_there(client).await;
    pass(Duration::from_secs(20)).await;
}

/// The next text, whatever else comes.
async fn said(peer: &mut Raw) -> Vec<u8> {
    loop {
        if let (Opcode::Text, payload) = peer.frame().await.unwrap() {
            return payload;
        }
    }
}

/// The gateway has read what this client has sent.
async fn is_there(client: &mut Raw) {
    client.send(Opcode::Ping, b"here").await;
    while client.frame().await.unwrap().0 != Opcode::Pong {}
}

fn is_harmless(question: &str) {
    assert!(question.starts_with("GET /chat HTTP/1.1\r\n"), "{question}");
    assert_eq!(field(question, "Host").as_deref(), Some("chat.example"));
    for name in ["Upgrade", "Revoir-Conn", "Revoir-Resume", "Cookie"] {
        assert_eq!(field(question, name), None);
    }
}

async fn silent_pair() -> (TcpListener, Between, Raw, Raw) {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = ask(between.address, "Cookie: a=b\r\n").await;
    let (backend, _) = taken(&listener).await;
    client.head().await;
    (listener, between, client, backend)
}

/// A process that was frozen finds what was written to it. A handshake for a connection that goes on would
/// have it take that for another one.
#[tokio::test]
async fn a_backend_that_was_frozen_finds_no_handshake_of_a_client_that_it_has() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    fall_silent(&mut client, &mut backend).await;
    let (question, head) = asked(&listener).await;
    is_harmless(&head);
    // It wakes.
    backend.text("late").await;
    assert_eq!(said(&mut client).await, b"late");
    drop(question);
    // The next one that comes is somebody else's.
    let (_other, head) = {
        let _client = ask(between.address, "").await;
        asked(&listener).await
    };
    assert!(head.contains("Upgrade") && field(&head, "Revoir-Resume").is_none());
    client.text("still here").await;
    assert_eq!(said(&mut backend).await, b"still here");
}

#[tokio::test]
async fn a_backend_whose_upstream_answers_somebody_else_is_left_and_then_dialled() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    fall_silent(&mut client, &mut backend).await;
    let (mut question, head) = asked(&listener).await;
    is_harmless(&head);
    question
        .write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
        .await;
    // It has a second for those whose connections go on.
    assert!(!question.more().await);
    pass(Duration::from_secs(1)).await;
    between.counts.held(1).await;
    let (mut backend, head) = taken(&listener).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    client.text("again").await;
    assert_eq!(backend.recv().await, "again");
}

#[tokio::test]
async fn a_backend_whose_upstream_is_gone_is_left() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    // Its sockets are left, and nobody listens any more.
    drop(listener);
    fall_silent(&mut client, &mut backend).await;
    between.away().await;
    pass(Duration::from_secs(1)).await;
    between.counts.held(1).await;
}

/// A process that is killed while it is frozen ends what it was asked, too.
#[tokio::test]
async fn a_question_that_breaks_off_because_its_backend_is_gone_says_so() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    fall_silent(&mut client, &mut backend).await;
    let (question, _) = asked(&listener).await;
    drop((listener, question));
    between.away().await;
    pass(Duration::from_secs(1)).await;
    between.counts.held(1).await;
}

/// A client that is held since its backend was silent for too long, and the question that its upstream was asked.
async fn frozen_for_long() -> (TcpListener, Between, Raw, Raw) {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    fall_silent(&mut client, &mut backend).await;
    let (question, head) = asked(&listener).await;
    is_harmless(&head);
    for _ in 0..6 {
        is_there(&mut client).await;
        pass(Duration::from_secs(10)).await;
    }
    between.counts.held(1).await;
    (listener, between, client, question)
}

async fn returns(listener: &TcpListener, client: &mut Raw) {
    let (mut backend, head) = taken(listener).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    client.text("again").await;
    assert_eq!(said(&mut backend).await, b"again");
}

/// After its time, too: what is frozen is asked before anybody is to return to it.
#[tokio::test]
async fn nobody_returns_to_a_frozen_backend_before_it_answers_a_question() {
    let (listener, _between, mut client, mut question) = frozen_for_long().await;
    question
        .write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        .await;
    returns(&listener, &mut client).await;
}

/// One that never answers a plain GET answers somebody's handshake.
#[tokio::test]
async fn a_frozen_backend_that_accepts_somebody_else_has_its_clients_back() {
    let (listener, between, mut client, _question) = frozen_for_long().await;
    let _other = ask(between.address, "").await;
    let (mut others, head) = asked(&listener).await;
    assert_eq!(field(&head, "Revoir-Resume"), None);
    accepted(&mut others, &head, "").await;
    returns(&listener, &mut client).await;
}

/// Many questions would fill the queue of a frozen process.
#[tokio::test]
async fn one_question_is_enough_for_all_and_outlives_who_began_it() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    let (mut other, mut others) = connected(&listener, &between).await;
    pass(Duration::from_secs(22)).await;
    for (client, backend) in [(&mut client, &mut backend), (&mut other, &mut others)] {
        client.send(Opcode::Pong, b"").await;
        is_there(client).await;
        assert_eq!(backend.frame().await.unwrap().0, Opcode::Ping);
    }
    pass(Duration::from_secs(20)).await;
    let (mut question, head) = asked(&listener).await;
    is_harmless(&head);
    drop((client, backend));
    between.left(1).await;
    let _newcomer = ask(between.address, "").await;
    let (_newcomers, head) = asked(&listener).await;
    assert!(head.contains("Upgrade"), "{head}");
    question
        .write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(!question.more().await);
    pass(Duration::from_secs(1)).await;
    between.counts.held(1).await;
    returns(&listener, &mut other).await;
}

/// A client of an upstream that was frozen for so long that the client is held, and the question at that upstream.
async fn held_beside_a_frozen_one() -> (TcpListener, TcpListener, Between, Raw, Raw) {
    let (frozen, well, between) = beside_a_frozen_one().await;
    let (mut client, mut backend) = connected(&frozen, &between).await;
    fall_silent(&mut client, &mut backend).await;
    let (question, head) = asked(&frozen).await;
    is_harmless(&head);
    for _ in 0..6 {
        is_there(&mut client).await;
        pass(Duration::from_secs(10)).await;
    }
    (frozen, well, between, client, question)
}

#[tokio::test]
async fn a_client_of_a_frozen_upstream_is_not_kept_from_another_one() {
    let (_frozen, well, _between, mut client, _question) = held_beside_a_frozen_one().await;
    returns(&well, &mut client).await;
}

/// After a minute, one newcomer finds out whether a silent upstream answers. Who had a backend is not sent there, and has
/// found out nothing.
#[tokio::test]
async fn a_client_that_returns_does_not_take_the_turn_of_a_newcomer() {
    let (frozen, well, between, mut client, _question) = held_beside_a_frozen_one().await;
    // It is back, and its backend is lost at once.
    returns(&well, &mut client).await;
    // Nobody is connected to the silent one, which would be the next.
    let (mut backend, _) = taken(&well).await;
    client.text("again").await;
    assert_eq!(said(&mut backend).await, b"again");
    let _newcomer = ask(between.address, "X-New: 1\r\n").await;
    let (_turn, head) = asked(&frozen).await;
    assert!(field(&head, "X-New").is_some(), "{head}");
    // It has had the turn, and the next one goes where somebody answers.
    connected(&well, &between).await;
}

/// A backend that is too slow for one handshake of a client finds no second one of it beside the first.
#[tokio::test]
async fn a_return_that_was_not_answered_in_time_is_followed_by_a_question() {
    let limit = Duration::from_secs(5);
    let mut setup = settings(Mode::Hold);
    setup.settings.handshake_limit = limit;
    let (listener, between) = pair(setup).await;
    let (mut client, backend) = connected(&listener, &between).await;
    drop(backend);
    let (_first, head) = asked(&listener).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    pass(limit).await;
    let (mut question, head) = asked(&listener).await;
    is_harmless(&head);
    question
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    let (mut backend, head) = taken(&listener).await;
    assert!(field(&head, "Revoir-Resume").is_some());
    client.text("again").await;
    assert_eq!(backend.recv().await, "again");
}

/// A gateway in front of two upstreams; the first one is frozen.
async fn beside_a_frozen_one() -> (TcpListener, TcpListener, Between) {
    let (frozen, well) = (listen_async(), listen_async());
    let at = |listener: &TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: vec![at(&well)],
        ..held_at(at(&frozen))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    let between = routed(vec![route], Settings::default()).await;
    (frozen, well, between)
}

/// A client that asks for something, and its request at the upstream.
async fn asks_plainly(between: &Between, upstream: &TcpListener) -> (Raw, Raw) {
    let mut client = dial(between.address).await;
    client
        .write(b"GET /chat HTTP/1.1\r\nHost: chat.example\r\nCookie: a=b\r\n\r\n")
        .await;
    let (backend, head) = asked(upstream).await;
    assert!(head.starts_with("GET /chat ") && field(&head, "Cookie").is_some());
    (client, backend)
}

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn plain_requests_go_past_an_upstream_that_leaves_one_waiting_until_it_answers() {
    let (frozen, well, between) = beside_a_frozen_one().await;
    let (client, _waiting) = asks_plainly(&between, &frozen).await;
    pass(Duration::from_secs(5)).await;
    let (mut question, head) = asked(&frozen).await;
    is_harmless(&head);
    // Its client leaves, and the other one has more to do.
    drop(client);
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(asks_plainly(&between, &well).await);
    }
    let upstreams = between.gateway.overview().upstreams;
    assert!(
        upstreams[0].accepts && !upstreams[0].silent,
        "it may be slow"
    );
    question.write(NOT_FOUND).await;
    assert!(!question.more().await);
    asks_plainly(&between, &frozen).await;
}

#[tokio::test]
async fn a_plain_request_that_waits_in_vain_is_504_and_the_next_one_goes_elsewhere() {
    let (frozen, well, between) = beside_a_frozen_one().await;
    let (mut client, _waiting) = asks_plainly(&between, &frozen).await;
    pass(Duration::from_secs(5)).await;
    let (_question, _) = asked(&frozen).await;
    pass(Duration::from_secs(55)).await;
    assert!(client.head().await.starts_with("HTTP/1.1 504 "));
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(asks_plainly(&between, &well).await);
    }
}

/// A client that asks for a WebSocket, whose first upstream says nothing for half of its time.
async fn asks_two(
    frozen: &TcpListener,
    well: &TcpListener,
    between: &Between,
) -> (Raw, (Raw, String), (Raw, String)) {
    let client = ask(between.address, "Cookie: a=b\r\n").await;
    let first = asked(frozen).await;
    pass(Duration::from_secs(5)).await;
    let second = asked(well).await;
    for name in ["Revoir-Conn", "Sec-WebSocket-Key", "Cookie"] {
        assert_eq!(field(&first.1, name), field(&second.1, name));
    }
    (client, first, second)
}

#[tokio::test]
async fn a_handshake_that_is_not_answered_is_taken_to_another_upstream_in_time() {
    let (frozen, well, between) = beside_a_frozen_one().await;
    let (mut client, (mut first, _), (mut second, head)) = asks_two(&frozen, &well, &between).await;
    accepted(&mut second, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("well").await;
    assert_eq!(second.recv().await, "well");
    assert!(!first.more().await, "it finds that nobody waits any more");
    let (_question, head) = asked(&frozen).await;
    is_harmless(&head);
    let upstreams = between.gateway.overview().upstreams;
    assert!(upstreams[0].silent && !upstreams[0].accepts && upstreams[1].accepts);
    // Nobody else waits for it.
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(connected(&well, &between).await);
    }
}

#[tokio::test]
async fn a_slow_upstream_can_answer_although_another_one_was_asked() {
    let (slow, well, between) = beside_a_frozen_one().await;
    let (mut client, (mut first, head), (mut second, _)) = asks_two(&slow, &well, &between).await;
    accepted(&mut first, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("slow").await;
    assert_eq!(first.recv().await, "slow");
    assert!(!second.more().await);
    let upstreams = between.gateway.overview().upstreams;
    assert!(upstreams.iter().all(|one| one.accepts && !one.silent));
}

/// The second one has had a little less than half of the time, since it was asked a little after the first half.
#[tokio::test]
async fn of_two_frozen_upstreams_both_are_known_to_be_silent_at_the_deadline() {
    const LATE: Duration = Duration::from_millis(20);
    let (one, other, between) = beside_a_frozen_one().await;
    let mut client = ask(between.address, "").await;
    let _first = asked(&one).await;
    pass(Duration::from_secs(5) + LATE).await;
    let _second = asked(&other).await;
    pass(Duration::from_secs(5) - LATE).await;
    assert!(client.head().await.starts_with("HTTP/1.1 504 "));
    for upstream in [&one, &other] {
        let (_, question) = asked(upstream).await;
        assert!(!question.contains("Upgrade"), "{question}");
    }
    let upstreams = between.gateway.overview().upstreams;
    assert!(upstreams.iter().all(|one| one.silent && !one.accepts));
}

#[tokio::test]
async fn a_bad_answer_of_the_other_upstream_is_not_the_last_word() {
    let (slow, well, between) = beside_a_frozen_one().await;
    let (mut client, (mut first, head), (mut second, _)) = asks_two(&slow, &well, &between).await;
    second
        .write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        .await;
    soon(async {
        while between.gateway.overview().upstreams[1].accepts {
            tokio::task::yield_now().await;
        }
    })
    .await;
    accepted(&mut first, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_handshake_is_for_one_upstream_while_that_answers_others() {
    let (slow, well, between) = beside_a_frozen_one().await;
    let mut client = ask(between.address, "").await;
    let (mut backend, head) = asked(&slow).await;
    // The next one is for the other, and the one behind it for the first again.
    let _busy = connected(&well, &between).await;
    let (mut other, mut answering) = asks_plainly(&between, &slow).await;
    answering.write(NOT_FOUND).await;
    assert!(other.head().await.starts_with("HTTP/1.1 404 "));
    pass(Duration::from_secs(9)).await;
    accepted(&mut backend, &head, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    // What comes at the other next is no second handshake of the first client.
    let _third = connected(&slow, &between).await;
    let _fourth = ask(between.address, "X-Fourth: 1\r\n").await;
    let (_, head) = asked(&well).await;
    assert!(field(&head, "X-Fourth").is_some(), "{head}");
}

/// The operator sees which backends are silent.
#[tokio::test]
async fn a_silent_backend_is_told() {
    let (listener, between, mut client, mut backend) = silent_pair().await;
    let silent = || {
        let upstream = &between.gateway.overview().upstreams[0];
        assert_ne!(upstream.accepts, upstream.silent);
        let mut all = between.gateway.handles();
        let since = all.pop().unwrap().traffic.silent_since();
        assert_eq!(since.is_some(), upstream.silent);
        upstream.silent
    };
    assert!(!silent());
    fall_silent(&mut client, &mut backend).await;
    let _question = asked(&listener).await;
    assert!(silent());
    backend.text("late").await;
    assert_eq!(said(&mut client).await, b"late");
    assert!(!silent());
}
