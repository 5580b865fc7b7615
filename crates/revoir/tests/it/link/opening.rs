//! What a link asks for, and what it does first on a connection.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use revoir::reconnect::{Class, LinkEvent, LinkRequest, Stop, WhileDown};
use revoir::{Cause, Client, CloseCode, Reason, SendCode};
use tokio::time::Instant;

use super::{Dial, assert_waited, down, gave_up, link, text, up};

const REFUSED_401: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn the_greeting_goes_before_everything_else() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let keep = WhileDown::Keep {
        messages: 100,
        bytes: 1_000,
    };
    let greetings = Arc::new(AtomicU32::new(0));
    let builder = builder
        .with_while_down(keep)
        .with_on_open(move |mut socket| {
            let number = greetings.fetch_add(1, Ordering::Relaxed);
            async move {
                socket.send_text(format!("hello {number}")).await?;
                assert_eq!(socket.recv().await?, text("welcome"));
                Ok(socket)
            }
        });
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    for number in 0..20 {
        link.send(text(&number.to_string())).await.unwrap();
    }
    for connection in 0..3 {
        let mut server = harbour.accept().await;
        assert_eq!(
            server.recv().await.unwrap(),
            text(&format!("hello {connection}"))
        );
        // Nothing else comes before the greeting is over.
        let early = tokio::time::timeout(Duration::from_secs(1), server.recv()).await;
        assert!(early.is_err(), "{early:?}");
        assert!(!link.sender().is_up());
        server.send_text("welcome").await.unwrap();
        up(&mut link).await;
        if connection == 0 {
            for number in 0..20 {
                assert_eq!(server.recv().await.unwrap(), text(&number.to_string()));
            }
        }
        drop(server.close(SendCode::SERVICE_RESTART, Reason::EMPTY));
        down(&mut link).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_in_the_greeting_is_followed_by_another() {
    let (builder, mut harbour) = link();
    let builder = builder.with_on_open(|mut socket| async move {
        let _welcome = socket.recv().await?;
        Ok(socket)
    });
    let mut link = builder.start().unwrap();
    let server = harbour.accept().await;
    drop(server.close(SendCode::SERVICE_RESTART, Reason::EMPTY));
    let (ending, ..) = down(&mut link).await;
    assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
    let mut server = harbour.accept().await;
    server.send_text("welcome").await.unwrap();
    up(&mut link).await;
}

#[tokio::test(start_paused = true)]
async fn a_close_during_the_greeting_drops_it() {
    let (builder, mut harbour) = link();
    let builder = builder.with_on_open(|socket| async move {
        pending::<()>().await;
        Ok(socket)
    });
    let link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let reason = Reason::new("enough").unwrap();
    let closing = tokio::spawn(link.close(SendCode::GOING_AWAY, reason));
    let seen = server.recv().await.unwrap_err();
    assert_eq!(
        (seen.code(), seen.reason()),
        (CloseCode::GOING_AWAY, "enough")
    );
    let end = closing.await.unwrap();
    assert_eq!(end.ending.unwrap().cause, Cause::ClosedLocally);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_a_request_of_its_own() {
    let (builder, mut harbour) = link();
    let builder = builder.with_request(|attempt| async move {
        let last = attempt
            .last
            .map_or(0, |ending| ending.response.as_ref().unwrap().status);
        let url = format!("{}feed?attempt={}&last={last}", attempt.url, attempt.number);
        let client = Client::new().with_subprotocol("chat.v2");
        Some(LinkRequest::new(url).with_client(client))
    });
    let mut link = builder.start().unwrap();
    for expected in ["attempt=0&last=0", "attempt=1&last=503"] {
        let request = harbour
            .answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert!(
            request.starts_with(&format!("GET /feed?{expected} ")),
            "{request}"
        );
        assert!(
            request.contains("Sec-WebSocket-Protocol: chat.v2\r\n"),
            "{request}"
        );
        down(&mut link).await;
    }
}

#[tokio::test(start_paused = true)]
async fn up_names_the_url_that_was_asked_for() {
    let (builder, mut harbour) = link();
    let builder = builder
        .with_request(|attempt| async move { Some(LinkRequest::new(format!("{}x", attempt.url))) });
    let mut link = builder.start().unwrap();
    let _server = harbour.accept().await;
    assert_eq!(&*up(&mut link).await.url, "ws://a.example/x");
}

#[tokio::test(start_paused = true)]
async fn no_first_request_closes_the_link() {
    let (builder, mut harbour) = link();
    let mut link = builder.with_request(|_| async { None }).start().unwrap();
    match link.recv().await {
        Some(LinkEvent::Closed(end)) => assert_eq!(end.ending, None),
        other => panic!("{other:?}"),
    }
    assert!(link.recv().await.is_none() && harbour.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_gives_up_and_says_why() {
    let (builder, _harbour) = link();
    let builder = builder.with_request(|_| async { Some(LinkRequest::new("http://a.example/")) });
    let mut link = builder.start().unwrap();
    let (ending, decision, _) = gave_up(&mut link).await;
    assert_eq!(ending.cause, Cause::HandshakeInvalid);
    assert!(ending.to_string().contains("http"), "{ending}");
    assert_eq!(decision.class, Class::Stop(Stop::Final));
}

/// Credentials that are known to be stale are replaced at once; where nobody knows, many clients
/// may be concerned, and the delay is random.
#[tokio::test(start_paused = true)]
async fn stale_credentials_are_replaced_without_a_random_delay() {
    let (builder, mut harbour) = link();
    let builder = builder.with_request(|attempt| async move {
        let request = LinkRequest::new(attempt.url);
        Some(request.with_validity(Duration::from_secs(60)))
    });
    let mut link = builder.start().unwrap();
    let server = harbour.accept().await;
    up(&mut link).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    let unauthorized = SendCode::try_from(3000).unwrap();
    drop(server.close(unauthorized, Reason::EMPTY));
    let (_, decision, _) = down(&mut link).await;
    let since = Instant::now();
    assert_eq!(decision.class, Class::Fast);
    assert!(decision.refresh);
    // The fresh ones are refused too: the table's delay, and there is none.
    harbour.answer(REFUSED_401).await;
    assert_waited(since, Duration::from_millis(250));
    let (_, decision, _) = down(&mut link).await;
    assert_eq!(decision.class, Class::Normal);
}
