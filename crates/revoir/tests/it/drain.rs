//! Draining: slots, order, stuck peers, deadlines, refusals, and the report.

use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, DrainReport, Tracker};
use revoir::ending::{Finish, Slot};
use revoir::http::StatusCode;
use revoir::server::Admission;
use revoir::{
    Acceptor, Cause, Client, CloseCode, Ending, Incoming, Message, Reason, SendCode, Server,
    WebSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::ports::listen_async;
use crate::support::wire::Stream;
use crate::support::{Frame, Peer, Side, assert_ending, close_frame, expected, memory};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A connection in memory that `acceptor` has accepted, and its client.
async fn connect(acceptor: &Acceptor) -> (WebSocket, WebSocket) {
    let (near, far) = memory::pair(64 * 1024);
    let client = Client::new();
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    (client.unwrap(), server.unwrap())
}

/// The same, with a raw client.
async fn connect_raw(acceptor: &Acceptor, capacity: usize) -> (Peer, WebSocket) {
    let (near, far) = memory::pair(capacity);
    let mut peer = Peer::new(Stream::Memory(far), Side::Server);
    let (server, ()) = tokio::join!(acceptor.accept(near), peer.request());
    (peer, server.unwrap())
}

/// Receives to the end, as a handler does; when it came, and what it was.
fn watch(mut socket: WebSocket) -> JoinHandle<(Instant, Arc<Ending>)> {
    tokio::spawn(async move {
        loop {
            if let Err(ending) = socket.recv().await {
                return (Instant::now(), ending);
            }
        }
    })
}

fn report(change: impl FnOnce(&mut DrainReport)) -> DrainReport {
    let mut report = DrainReport::default();
    change(&mut report);
    report
}

#[tokio::test(start_paused = true)]
async fn every_client_gets_1012_and_a_slot_of_its_own() {
    const CLIENTS: usize = 600;
    let acceptor = Acceptor::new();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (client, server) = connect(&acceptor).await;
        watch(server);
        clients.push(watch(client));
    }
    assert_eq!(acceptor.tracker().open(), CLIENTS);
    let start = Instant::now();
    let plan = Drain::restart().within(secs(10)).return_over(secs(30));
    let report = acceptor.tracker().drain(plan).await;
    assert_eq!((report.answered, report.connections()), (CLIENTS, CLIENTS));
    assert!(report.is_complete() && report.took < ms(1100), "{report}");

    let mut ticks = [0; 60];
    let mut seconds = [0; 36];
    for client in clients {
        let (ended, ending) = client.await.unwrap();
        assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
        assert!(ending.reason().starts_with("service restart [after="));
        let slot = Slot::read(ending.code(), ending.reason()).unwrap();
        ticks[(ended - start).as_millis() as usize / 20] += 1;
        // To the millisecond below.
        let back = ended + slot.after() - start;
        assert!((ms(4999)..secs(35)).contains(&back), "{back:?}");
        seconds[back.as_secs() as usize] += 1;
    }
    // 600 in 50 ticks, and 600 in 30 seconds.
    assert!(ticks.iter().all(|closed| *closed <= 12), "{ticks:?}");
    assert!(seconds[4..35].iter().all(|back| *back <= 22), "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn stuck_peers_do_not_delay_the_others() {
    let acceptor = Acceptor::new();
    let mut stuck = Vec::new();
    let mut others = Vec::new();
    for index in 0..200 {
        if index % 10 == 0 {
            // It does not read, and never answers.
            let (peer, server) = connect_raw(&acceptor, 200).await;
            stuck.push((peer, watch(server)));
        } else {
            let (client, server) = connect(&acceptor).await;
            watch(client);
            others.push(watch(server));
        }
    }
    let start = Instant::now();
    let report = acceptor.tracker().drain(Drain::restart()).await;
    for other in others {
        let (ended, ending) = other.await.unwrap();
        assert_eq!(ending.finish, Finish::Answered);
        assert!(ended - start <= secs(1), "{:?}", ended - start);
    }
    for (_peer, server) in stuck {
        let (ended, ending) = server.await.unwrap();
        assert_eq!(
            (ending.cause, ending.finish),
            (Cause::Drained, Finish::Timeout)
        );
        assert!(ended - start <= secs(6), "{:?}", ended - start);
    }
    let took = report.took;
    assert!((secs(5)..=secs(6)).contains(&took), "{took:?}");
    let expected = self::report(|report| {
        (report.answered, report.timeout, report.took) = (180, 20, took);
    });
    assert_eq!(report, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_at_the_deadline_is_cut_and_counted() {
    let acceptor = Acceptor::new();
    let (_silent, silent) = connect_raw(&acceptor, 4096).await;
    let (_full, mut full) = connect_raw(&acceptor, 200).await;
    full.send_binary(vec![1; 1000]).await.unwrap();
    let (silent, full) = (watch(silent), watch(full));
    let start = Instant::now();
    let report = acceptor
        .tracker()
        .drain(Drain::restart().within(secs(2)))
        .await;
    assert_eq!(start.elapsed(), secs(2));
    let expected = self::report(|report| {
        (report.cut, report.unsent, report.took) = (2, 1, secs(2));
    });
    assert_eq!(report, expected);
    assert!(!report.is_complete());
    for (socket, was_sent) in [(silent, true), (full, false)] {
        let (ended, ending) = socket.await.unwrap();
        assert_eq!(ended - start, secs(2));
        assert_eq!(
            (ending.cause, ending.finish),
            (Cause::Drained, Finish::Reset)
        );
        assert_eq!(ending.sent.is_some(), was_sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_drain_shortens_the_first() {
    let acceptor = Acceptor::new();
    let mut clients = Vec::new();
    for _ in 0..100 {
        let (client, server) = connect(&acceptor).await;
        watch(server);
        clients.push(watch(client));
    }
    let (_silent, silent) = connect_raw(&acceptor, 4096).await;
    watch(silent);
    let plan = Drain::restart().within(secs(120)).closing_over(secs(60));
    let first = acceptor.tracker().drain(plan);
    tokio::time::sleep(secs(6)).await;
    assert!((89..=91).contains(&acceptor.tracker().open()));
    let hurry = Drain::going_away().within(secs(3));
    let report = acceptor.tracker().drain(hurry).await;
    assert_eq!(first.await, report);
    assert!(report.took <= secs(9), "{report}");
    // The silent one may have had its turn, and its budget, before.
    assert_eq!((report.answered, report.cut + report.timeout), (100, 1));
    for client in clients {
        let (_, ending) = client.await.unwrap();
        assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_awaits_the_drain_has_the_last_word() {
    let acceptor = Acceptor::new();
    let (mut client, mut server) = connect(&acceptor).await;
    let handler = tokio::spawn(async move {
        server.draining().await;
        server.send_text("see you").await.unwrap();
        // Dropped here: the Close frame goes at once, and it is the drain's.
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    let drained = acceptor.tracker().drain(Drain::going_away());
    assert_eq!(client.recv().await, Ok(Message::Text("see you".into())));
    let ending = client.recv().await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::GOING_AWAY);
    assert!(ending.reason().starts_with("going away [after="));
    handler.await.unwrap();
    let report = drained.await;
    assert_eq!(report.answered, 1);
    assert!(start.elapsed() < ms(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_goes_on_is_closed_after_the_notice() {
    let acceptor = Acceptor::new();
    let (client, server) = connect(&acceptor).await;
    let client = watch(client);
    let handler = tokio::spawn(async move {
        server.draining().await;
        let told = Instant::now();
        // What came next in the handler is of no interest to the drain.
        let ending = server.closed().await;
        (told, Instant::now(), ending, server)
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    let plan = Drain::restart().notice(secs(3)).return_over(secs(1));
    let report = acceptor.tracker().drain(plan).await;
    assert_eq!(report.answered, 1);
    let (told, ended, ending, _server) = handler.await.unwrap();
    assert!(told - start <= ms(20));
    assert!((secs(3)..=ms(3040)).contains(&(ended - start)));
    assert_eq!(ending.cause, Cause::Drained);
    // The time of the slot does not move with the notice.
    let (_, ending) = client.await.unwrap();
    let slot = Slot::read(ending.code(), ending.reason()).unwrap();
    let back = ended + slot.after() - start;
    assert!((ms(4999)..=secs(6)).contains(&back), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn draining_returns_for_a_connection_that_has_ended() {
    let acceptor = Acceptor::new();
    let (client, server) = connect(&acceptor).await;
    let draining = server.closer().draining();
    client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    draining.await;
    assert_eq!(acceptor.tracker().open(), 0);
    // Nobody is left: the drain is over at once.
    let report = acceptor.tracker().drain(Drain::restart()).await;
    assert_eq!(report, self::report(|_| {}));
}

#[tokio::test(start_paused = true)]
async fn connections_that_end_by_themselves_are_counted_apart() {
    let acceptor = Acceptor::new();
    let (client, server) = connect(&acceptor).await;
    let (_other, other) = connect(&acceptor).await;
    watch(other);
    let closing = server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let drained = acceptor.tracker().drain(Drain::restart());
    watch(client);
    assert_eq!(closing.await.cause, Cause::ClosedLocally);
    let report = drained.await;
    assert_eq!((report.answered, report.otherwise), (1, 1));
}

#[tokio::test]
async fn the_ending_of_a_drain_is_whole_over_tcp_and_tls() {
    for wire in crate::support::Wire::ALL {
        let (near, far) = crate::support::wire::pair(wire).await;
        let acceptor = Acceptor::new();
        let mut peer = Peer::new(far, Side::Server);
        let (server, ()) = tokio::join!(acceptor.accept(near), peer.request());
        let server = watch(server.unwrap());
        let plan = Drain::restart()
            .return_over(Duration::ZERO)
            .reason("deploy 7");
        let drained = acceptor.tracker().drain(plan.ready_in(secs(600)));
        let frame = peer.next().await.unwrap();
        let text = std::str::from_utf8(&frame.payload[2..]).unwrap();
        assert_eq!(frame, Frame::close(1012, text));
        let slot = Slot::read(CloseCode::SERVICE_RESTART, text).unwrap();
        assert_eq!(&*slot.write("deploy 7"), text);
        assert!((secs(590)..secs(600)).contains(&slot.after()), "{slot}");
        peer.send(&Frame::close(1012, "")).await;
        assert_eq!(
            peer.rest().await,
            (vec![], crate::support::peer::After::Fin)
        );
        let initiator = Some(revoir::ending::Initiator::Local);
        let mut ending = expected(Cause::Drained, Finish::Answered, initiator);
        ending.sent = Some(close_frame(1012, text));
        ending.received = Some(close_frame(1012, ""));
        let (_, actual) = server.await.unwrap();
        assert_ending(&actual, ending);
        assert!(
            actual
                .to_string()
                .contains("the server's drain closed with 1012")
        );
        assert_eq!(drained.await.answered, 1);
    }
}

/// Serves echoes on a port of its own.
async fn serve() -> (String, Tracker, JoinHandle<DrainReport>) {
    let server = Server::from_listener(listen_async());
    let address = server.local_addr().unwrap().to_string();
    let tracker = server.tracker().clone();
    let serving = tokio::spawn(server.serve(|mut socket: WebSocket| async move {
        loop {
            let message = socket.recv().await?;
            socket.send(message).await?;
        }
        #[expect(unreachable_code, reason = "the type of the result")]
        Ok::<(), Arc<Ending>>(())
    }));
    (address, tracker, serving)
}

#[tokio::test]
async fn a_server_refuses_with_503_while_it_drains_and_then_returns() {
    let (address, tracker, serving) = serve().await;
    // It does not answer its Close frame at first, so that the drain goes on.
    let stream = TcpStream::connect(&address).await.unwrap();
    let mut silent = Peer::new(Stream::Tcp(stream), Side::Server);
    silent.request().await;
    // A handshake that has begun before the drain.
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    let probe = revoir::connect(&format!("ws://{address}/")).await.unwrap();
    let drained = tracker.drain(Drain::restart().return_over(secs(30)));
    assert_eq!(probe.closed().await.code(), CloseCode::SERVICE_RESTART);

    let refused = revoir::connect(&format!("ws://{address}/")).await;
    let ending = refused.unwrap_err();
    let response = ending.ending().unwrap().response.clone().unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(response.body, b"this server is going away\n");
    let seconds: u64 = response.retry_after().unwrap().parse().unwrap();
    assert!((1..=35).contains(&seconds), "{seconds}");

    half.write_all(
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    .await
    .unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    drop(half);

    let close = silent.next().await.unwrap();
    silent.send(&Frame::close(1012, "")).await;
    assert_eq!(&close.payload[..2], 1012_u16.to_be_bytes());
    silent.rest().await;
    let report = drained.await;
    assert_eq!((report.answered, report.refused), (2, 2));
    assert_eq!(serving.await.unwrap(), report);
    assert!(TcpStream::connect(&address).await.is_err(), "it is gone");
}

#[tokio::test]
async fn a_successor_can_have_the_port_at_once() {
    let (address, tracker, serving) = serve().await;
    let stream = TcpStream::connect(&address).await.unwrap();
    let mut silent = Peer::new(Stream::Tcp(stream), Side::Server);
    silent.request().await;
    let drained = tracker.drain(Drain::restart().releasing_port());
    assert!(silent.next().await.is_some(), "a Close frame");
    // The old server is still there, and its port is not.
    let successor = loop {
        match Server::bind(&address).await {
            Ok(successor) => break successor,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    tokio::spawn(successor.serve(|mut socket: WebSocket| async move {
        Err::<(), _>(socket.recv().await.unwrap_err())
    }));
    let url = format!("ws://{address}/");
    assert!(revoir::connect(&url).await.is_ok());
    assert!(tracker.is_draining() && !serving.is_finished());
    silent.send(&Frame::close(1012, "")).await;
    silent.rest().await;
    assert_eq!(drained.await.answered, 1);
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_flat_out_all_see_1012_and_no_reset() {
    const CLIENTS: usize = 40;
    // Time is not what this is about.
    let mut config = revoir::Config::server();
    config.close_budget = secs(300);
    let acceptor = Acceptor::new().with_config(config);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.with_acceptor(acceptor.clone());
    let url = format!("ws://{}/", server.local_addr().unwrap());
    tokio::spawn(server.serve(|mut socket: WebSocket| async move {
        loop {
            let message = socket.recv().await?;
            socket.send(message).await?;
        }
        #[expect(unreachable_code, reason = "the type of the result")]
        Ok::<(), Arc<Ending>>(())
    }));
    let mut config = revoir::Config::client();
    config.close_budget = secs(300);
    let client = Client::new().with_config(config);
    let mut sockets = Vec::new();
    for _ in 0..CLIENTS {
        sockets.push(client.connect(&url).await.unwrap());
    }
    let mut clients = Vec::new();
    for socket in sockets {
        let (mut reader, mut writer) = socket.split();
        tokio::spawn(async move { while writer.send_binary(vec![5; 1024]).await.is_ok() {} });
        clients.push(tokio::spawn(async move {
            loop {
                if let Err(ending) = reader.recv().await {
                    return ending;
                }
            }
        }));
    }
    let report = acceptor
        .tracker()
        .drain(Drain::restart().within(secs(600)))
        .await;
    for client in clients {
        let ending = client.await.unwrap();
        let what = (ending.cause, ending.code(), ending.finish);
        let expected = (
            Cause::ClosedByPeer,
            CloseCode::SERVICE_RESTART,
            Finish::Answered,
        );
        assert_eq!(what, expected, "{ending}");
    }
    assert_eq!((report.answered, report.connections()), (CLIENTS, CLIENTS));
}

#[tokio::test(start_paused = true)]
async fn requests_over_the_rate_get_slots_and_are_let_in_then() {
    let rate = std::num::NonZeroU32::new(2).unwrap();
    let acceptor = Acceptor::new().with_admission(Admission::per_second(rate));
    let mut waits = Vec::new();
    let mut open = Vec::new();
    for _ in 0..6 {
        let (near, far) = memory::pair(64 * 1024);
        let client = Client::new();
        let connecting = client.connect_over("ws://localhost/", near);
        match tokio::join!(connecting, acceptor.accept(far)) {
            (Ok(client), server) => open.push((client, server.unwrap())),
            (Err(error), refused) => {
                assert_eq!(refused.unwrap_err().cause, Cause::HandshakeRejected);
                let response = error.ending().unwrap().response.clone().unwrap();
                assert_eq!(response.status, 503);
                waits.push(response.retry_after().unwrap().parse::<u64>().unwrap());
            }
        }
    }
    // A burst of two; then one in every half second, in whole seconds.
    assert_eq!(open.len(), 2);
    assert!(waits.is_sorted() && waits[0] == 1, "{waits:?}");
    assert!((2..=3).contains(&waits[3]), "{waits:?}");
    assert_eq!(acceptor.tracker().open(), 2);
    tokio::time::sleep(secs(1)).await;
    connect(&acceptor).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_reaches_its_age_returns_soon() {
    let acceptor = Acceptor::new().with_max_age(secs(1000));
    let start = Instant::now();
    let mut ages = Vec::new();
    for _ in 0..50 {
        let (client, server) = connect(&acceptor).await;
        let server = watch(server);
        ages.push(tokio::spawn(async move {
            let (ended, ending) = watch(client).await.unwrap();
            let (_, of_server) = server.await.unwrap();
            (ended, ending, of_server.cause)
        }));
    }
    let mut earliest = secs(2000);
    let mut latest = secs(0);
    for age in ages {
        let (ended, ending, cause) = age.await.unwrap();
        assert_eq!(
            (cause, ending.code()),
            (Cause::Drained, CloseCode::SERVICE_RESTART)
        );
        let slot = Slot::read(ending.code(), ending.reason()).unwrap();
        assert_eq!(ending.reason(), format!("maximum age {slot}"));
        assert!((ms(249)..ms(1250)).contains(&slot.after()), "{slot}");
        earliest = earliest.min(ended - start);
        latest = latest.max(ended - start);
    }
    assert!(
        earliest >= secs(800) && latest <= secs(1201),
        "{earliest:?} {latest:?}"
    );
    assert!(latest - earliest > secs(100), "{earliest:?} {latest:?}");
    assert!(!acceptor.tracker().is_draining());
}

/// A raw client that has sent half of its request.
async fn half_a_request(acceptor: &Acceptor) -> (Peer, JoinHandle<Option<Arc<Ending>>>) {
    let (near, far) = memory::pair(4096);
    let mut peer = Peer::new(Stream::Memory(far), Side::Server);
    peer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await;
    let acceptor = acceptor.clone();
    let accepting = tokio::spawn(async move { acceptor.accept(near).await.err() });
    tokio::task::yield_now().await;
    (peer, accepting)
}

const OTHER_HALF: &[u8] = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

async fn answer(peer: &mut Peer) -> String {
    let mut answer = String::new();
    peer.stream.read_to_string(&mut answer).await.unwrap();
    peer.fin().await;
    answer
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_half_read_is_still_answered_when_a_drain_begins() {
    let acceptor = Acceptor::new();
    let (mut peer, accepting) = half_a_request(&acceptor).await;
    let draining = tokio::spawn(acceptor.tracker().drain(Drain::restart()));
    tokio::time::sleep(ms(300)).await;
    assert!(!draining.is_finished());
    peer.write(OTHER_HALF).await;
    let answer = answer(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("Retry-After: "), "{answer}");
    let ending = accepting.await.unwrap().unwrap();
    assert_eq!(ending.cause, Cause::HandshakeRejected);
    let report = draining.await.unwrap();
    assert_eq!((report.connections(), report.refused), (0, 1));
    assert_eq!(report.took, ms(300));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_never_whole_is_refused_once_the_others_were_told() {
    let acceptor = Acceptor::new();
    let (mut peer, accepting) = half_a_request(&acceptor).await;
    let (client, server) = connect(&acceptor).await;
    watch(client);
    watch(server);
    let draining = acceptor
        .tracker()
        .drain(Drain::restart().closing_over(ms(200)));
    let (report, answer) = tokio::join!(draining, answer(&mut peer));
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(accepting.await.unwrap().is_some());
    assert_eq!((report.answered, report.refused), (1, 1));
    assert!((ms(200)..ms(300)).contains(&report.took), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_request_nobody_decides_on_holds_a_drain_up_to_its_deadline() {
    let acceptor = Acceptor::new();
    let (near, far) = memory::pair(4096);
    let mut peer = Peer::new(Stream::Memory(far), Side::Server);
    peer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await;
    peer.write(OTHER_HALF).await;
    let own = acceptor.clone();
    let undecided = tokio::spawn(async move {
        let never = |incoming: Incoming| async move {
            std::future::pending::<()>().await;
            incoming.refuse(StatusCode::NOT_FOUND, "")
        };
        own.accept_incoming(near, never).await
    });
    tokio::task::yield_now().await;
    let report = acceptor
        .tracker()
        .drain(Drain::restart().within(secs(3)))
        .await;
    assert_eq!((report.connections(), report.took), (0, secs(3)));
    undecided.abort();
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_drain_hears_that_the_connection_closes() {
    for by_peer in [true, false] {
        let acceptor = Acceptor::new();
        let (mut peer, server) = connect_raw(&acceptor, 4096).await;
        let closer = server.closer();
        let draining = tokio::spawn(async move {
            closer.draining().await;
            closer.state()
        });
        tokio::task::yield_now().await;
        if by_peer {
            peer.send(&Frame::close(1000, "")).await;
        } else {
            drop(server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
        }
        // The end is seconds away: this peer does not hang up.
        assert_eq!(draining.await.unwrap(), revoir::websocket::State::Closing);
    }
}
