//! When a link comes back, and when it gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use revoir::client::{ConnectError, InvalidUrl};
use revoir::ending::Slot;
use revoir::reconnect::{Class, History, LinkEvent, LinkRequest, Rule, Stop};
use revoir::{Cause, Client, CloseCode, Config, Link, Policy, Reason, SendCode};
use tokio::time::{Instant, advance};

use super::{Dial, assert_waited, down, gave_up, link, link_with, up};

const REFUSED_401: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_done_does_not_come_back() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let server = harbour.accept().await;
    assert_eq!(up(&mut link).await.attempt, 0);
    let _ending = server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    let (ending, decision, _) = gave_up(&mut link).await;
    assert_eq!(ending.code(), CloseCode::NORMAL_CLOSURE);
    assert_eq!(
        (&*decision.rule, decision.class),
        ("code-1000", Class::Stop(Stop::Final))
    );
    assert!(harbour.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_kept_to_the_millisecond() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let server = harbour.accept().await;
    up(&mut link).await;
    let slot = Slot::new(Duration::from_millis(3_217));
    drop(server.close(SendCode::SERVICE_RESTART, slot.write("restart")));
    let (ending, decision, _) = down(&mut link).await;
    let since = Instant::now();
    assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
    assert!(decision.is_advised());
    let _server = harbour.accept().await;
    assert_eq!(up(&mut link).await.attempt, 1);
    assert_waited(since, Duration::from_millis(3_217));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_comes_back_in_growing_delays() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    drop(harbour.accept().await);
    up(&mut link).await;
    let (ending, decision, _) = down(&mut link).await;
    // The server's handle was dropped without a close.
    assert_eq!(ending.code(), CloseCode::GOING_AWAY);
    assert_eq!((decision.attempt, decision.class), (1, Class::Normal));
    harbour.then([Dial::Refused; 3]);
    for attempt in 2..=4 {
        let (ending, decision, _) = down(&mut link).await;
        assert_eq!((ending.cause, decision.attempt), (Cause::Refused, attempt));
    }
    let since = Instant::now();
    let _server = harbour.accept().await;
    assert_eq!(up(&mut link).await.attempt, 4);
    assert!(since.elapsed() >= Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_a_close_frame_is_1006_and_comes_back() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let peer = harbour.peer().await;
    up(&mut link).await;
    drop(peer);
    let (ending, decision, _) = down(&mut link).await;
    assert_eq!((ending.cause, &*decision.rule), (Cause::Eof, "code-1006"));
    let _server = harbour.accept().await;
    up(&mut link).await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_refused_handshake_is_kept() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    harbour.answer(BUSY).await;
    let (ending, decision, _) = down(&mut link).await;
    assert_eq!(ending.response.as_ref().unwrap().status, 503);
    let delay = decision.delay.unwrap().as_millis();
    assert!((7_000..=8_750).contains(&delay), "{delay}");
    let since = Instant::now();
    let _server = harbour.accept().await;
    up(&mut link).await;
    assert_waited(since, decision.delay.unwrap());
}

#[tokio::test(start_paused = true)]
async fn credentials_are_refreshed_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let (builder, mut harbour) = link();
    let builder = builder.with_request(move |attempt| {
        assert_eq!(attempt.refresh, attempt.last.is_some());
        if let Some(ending) = &attempt.last {
            assert_eq!(ending.response.as_ref().unwrap().status, 401);
        }
        let call = counted.fetch_add(1, Ordering::Relaxed);
        assert_eq!(attempt.number, call);
        let client = Client::new().with_header("Authorization", format!("Bearer {call}"));
        async move { Some(LinkRequest::new(attempt.url).with_client(client)) }
    });
    let mut link = builder.start().unwrap();
    let request = harbour.answer(REFUSED_401).await;
    assert!(request.contains("Authorization: Bearer 0\r\n"), "{request}");
    assert!(down(&mut link).await.1.refresh);
    let request = harbour.answer(REFUSED_401).await;
    assert!(request.contains("Authorization: Bearer 1\r\n"), "{request}");
    let (_, decision, _) = gave_up(&mut link).await;
    assert_eq!(decision.class, Class::Stop(Stop::Exhausted));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn without_fresh_credentials_it_gives_up() {
    let (builder, mut harbour) = link();
    let builder = builder.with_request(|attempt| async move {
        (!attempt.refresh).then(|| LinkRequest::new(attempt.url))
    });
    let mut link = builder.start().unwrap();
    harbour.answer(REFUSED_401).await;
    assert!(down(&mut link).await.1.refresh);
    let (ending, decision, _) = gave_up(&mut link).await;
    assert_eq!(ending.cause, Cause::HandshakeRejected);
    assert_eq!(decision.class, Class::Stop(Stop::NoCredentials));

    let (builder, mut harbour) = super::link();
    let mut link = builder.start().unwrap();
    harbour.answer(REFUSED_401).await;
    let (_, decision, _) = gave_up(&mut link).await;
    assert_eq!(decision.class, Class::Stop(Stop::NoCredentials));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_closes_is_left_after_a_few_attempts() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let serving = async {
        for _ in 0..4 {
            let server = harbour.accept().await;
            let code = SendCode::try_from(4001).unwrap();
            server.close(code, Reason::EMPTY).await;
        }
    };
    let watching = async {
        for attempt in 1..=3 {
            up(&mut link).await;
            assert_eq!(down(&mut link).await.1.attempt, attempt);
        }
        up(&mut link).await;
        gave_up(&mut link).await
    };
    let (_, (ending, decision, _)) = tokio::join!(serving, watching);
    assert_eq!(ending.code().get(), 4001);
    assert_eq!(decision.class, Class::Stop(Stop::Exhausted));
}

#[tokio::test(start_paused = true)]
async fn a_stable_connection_starts_the_count_again() {
    let (builder, mut harbour) = link();
    let history = History::after(6, Duration::from_secs(30));
    let mut link = builder.with_history(history).start().unwrap();
    for (open_for, attempt) in [(29, 7), (31, 1)] {
        let server = harbour.accept().await;
        up(&mut link).await;
        // Long before the keepalive's first ping.
        tokio::time::sleep(Duration::from_secs(open_for)).await;
        drop(server.close(SendCode::GOING_AWAY, Reason::EMPTY));
        let (_, decision, _) = down(&mut link).await;
        assert_eq!(decision.attempt, attempt);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_not_waited_for_once_it_is_known_to_be() {
    let second = Duration::from_secs(1);
    let config = Config::client().keepalive(second, second);
    let (builder, mut harbour) = link();
    let builder = builder.with_client(Client::new().with_config(config));
    let mut link = builder.start().unwrap();
    let _silent = harbour.peer().await;
    up(&mut link).await;
    let since = Instant::now();
    let (ending, decision, _) = down(&mut link).await;
    assert_eq!(ending.cause, Cause::PongTimeout);
    // A second to the ping, 10 % more or less; a second of silence; and no 5 s for the closing handshake.
    let took = since.elapsed().as_secs_f64();
    assert!((1.9..=2.12).contains(&took), "{took}");
    harbour.accept().await;
    assert!(since.elapsed() <= 3 * second + decision.delay.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_network_cuts_one_delay_short() {
    let rule = Rule::cause(Cause::Refused);
    let second = Duration::from_secs(1);
    let policy = Policy::new().with_rule(rule.with_delay(8 * second..=8 * second));
    let (builder, harbour) = link();
    harbour.then([Dial::Refused; 4]);
    let mut link = builder.with_policy(policy).start().unwrap();
    down(&mut link).await;
    let since = Instant::now();
    // Let the link start to wait.
    advance(second).await;
    link.network_changed();
    down(&mut link).await;
    assert_waited(since, second);
    // A second one within 10 s changes nothing.
    let since = Instant::now();
    advance(second).await;
    link.network_changed();
    down(&mut link).await;
    assert_waited(since, 8 * second);
    let since = Instant::now();
    advance(second).await;
    link.network_changed();
    // By now more than 10 s have passed.
    advance(second).await;
    link.network_changed();
    down(&mut link).await;
    assert_waited(since, 2 * second);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_network_does_not_cut_the_servers_delay() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    harbour.answer(BUSY).await;
    let (_, decision, _) = down(&mut link).await;
    let since = Instant::now();
    advance(Duration::from_secs(1)).await;
    link.network_changed();
    let _server = harbour.accept().await;
    up(&mut link).await;
    assert_waited(since, decision.delay.unwrap());
}

#[tokio::test(start_paused = true)]
async fn several_addresses_take_turns_when_attempts_fail() {
    let (builder, mut harbour) = link_with("ws://a.example/", 4096);
    harbour.then([Dial::Refused]);
    let mut link = builder.or_to("ws://b.example/").start().unwrap();
    down(&mut link).await;
    let server = harbour.accept().await;
    assert_eq!(&*up(&mut link).await.url, "ws://b.example/");
    // It was there, so it comes first again.
    drop(server.close(SendCode::SERVICE_RESTART, Reason::EMPTY));
    down(&mut link).await;
    let server = harbour.accept().await;
    assert_eq!(&*up(&mut link).await.url, "ws://b.example/");
    // 1013 asks to go elsewhere.
    drop(server.close(SendCode::TRY_AGAIN_LATER, Reason::EMPTY));
    down(&mut link).await;
    let _server = harbour.accept().await;
    assert_eq!(&*up(&mut link).await.url, "ws://a.example/");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_a_connect_timeout() {
    let (builder, harbour) = link();
    harbour.then([Dial::Hangs]);
    let mut link = builder.start().unwrap();
    let since = Instant::now();
    let (ending, ..) = down(&mut link).await;
    assert_eq!(ending.cause, Cause::ConnectTimeout);
    assert_waited(since, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_attempts_gives_up() {
    let (builder, harbour) = link();
    harbour.then([Dial::Refused; 3]);
    let policy = Policy::new().with_max_attempts(2);
    let mut link = builder.with_policy(policy).start().unwrap();
    down(&mut link).await;
    down(&mut link).await;
    let (_, decision, _) = gave_up(&mut link).await;
    assert_eq!(decision.class, Class::Stop(Stop::MaxAttempts));
}

#[tokio::test(start_paused = true)]
async fn a_link_is_a_stream_of_its_events() {
    let (builder, mut harbour) = link();
    let link = builder.start().unwrap();
    let serving = async {
        let mut server = harbour.accept().await;
        server.send_text("hello").await.unwrap();
        server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    };
    let (events, ()) = tokio::join!(link.collect::<Vec<_>>(), serving);
    assert!(matches!(
        &events[..],
        [
            LinkEvent::Up(_),
            LinkEvent::Message(_),
            LinkEvent::GaveUp { .. }
        ]
    ));
}

#[tokio::test]
async fn mistakes_are_found_before_it_starts() {
    let refused = |builder: revoir::reconnect::LinkBuilder| builder.start().unwrap_err();
    assert_eq!(
        refused(Link::to("http://a.example/")),
        ConnectError::Url(InvalidUrl::Scheme {
            got: "http".to_owned()
        })
    );
    let second = Link::to("ws://a.example/").or_to("nonsense");
    assert!(matches!(refused(second), ConnectError::Url(_)));
    let client = Client::new().with_header("Upgrade", "h2c");
    let header = Link::to("ws://a.example/").with_client(client);
    assert!(matches!(refused(header), ConnectError::Request(_)));
}
