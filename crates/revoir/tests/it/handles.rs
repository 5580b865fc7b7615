//! The handles of a connection: halves, closers, `Stream` and `Sink`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use revoir::drain::Drain;
use revoir::websocket::{State, UsageError};
use revoir::{
    Acceptor, Cause, Client, CloseCode, ConnectionInfo, Ending, Message, Observer, Reason, Role,
    SendCode,
};

use crate::support::{Frame, Side, Sort, Wire, memory, open, open_with};

/// Panics at every opening and every ending.
#[derive(Debug)]
struct Panicking;

impl Observer for Panicking {
    fn opened(&self, conn: &ConnectionInfo<'_>) {
        panic!("{conn:?} opened");
    }

    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        panic!("{ending}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_keeps_nobody_waiting() {
    let acceptor = Acceptor::new().with_observer(Arc::new(Panicking));
    let (near, far) = memory::pair(4096);
    let client = Client::new().with_observer(Arc::new(Panicking));
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let drained = tokio::spawn(acceptor.tracker().drain(Drain::restart()));
    let waits = [client.closed(), server.closed()];
    let (at_client, at_server) = tokio::join!(client.recv(), server.recv());
    for (wait, ending) in waits.into_iter().zip([at_client, at_server]) {
        assert_eq!(wait.await, ending.unwrap_err());
    }
    assert_eq!(drained.await.unwrap().answered, 1);
    assert_eq!(acceptor.tracker().open(), 0);
}

#[tokio::test]
async fn every_waiter_gets_the_same_ending() {
    let (mut socket, mut peer) = open(Side::Server, Wire::Memory).await;
    let closer = socket.closer();
    let waiting: Vec<_> = (0..10).map(|_| tokio::spawn(closer.closed())).collect();
    let receiving = tokio::spawn(async move { socket.recv().await.unwrap_err() });
    tokio::task::yield_now().await;
    let line = line!() + 1;
    let one = closer.close(SendCode::TRY_AGAIN_LATER, Reason::EMPTY);
    let two = closer
        .clone()
        .close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    assert_eq!(closer.state(), State::Closing);
    assert_eq!(peer.next().await, Some(Frame::close(1013, "")));
    peer.send(&Frame::close(1013, "")).await;
    assert_eq!(peer.rest().await.0, [], "one Close frame is sent");
    let ending = one.await;
    assert!(Arc::ptr_eq(&ending, &two.await));
    assert!(Arc::ptr_eq(&ending, &receiving.await.unwrap()));
    for waiter in waiting {
        assert!(Arc::ptr_eq(&ending, &waiter.await.unwrap()));
    }
    assert_eq!(ending.closed_at.as_ref().unwrap().line, line);
}

#[tokio::test]
async fn a_close_takes_effect_at_the_call() {
    let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
    drop(socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    assert_eq!(socket.state(), State::Closing);
    assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
}

#[tokio::test]
async fn a_server_sends_1011_in_place_of_1010() {
    let (socket, mut peer) = open(Side::Server, Wire::Memory).await;
    drop(socket.close(SendCode::MANDATORY_EXT, Reason::EMPTY));
    assert_eq!(peer.next().await, Some(Frame::close(1011, "")));
    let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
    drop(socket.close(SendCode::MANDATORY_EXT, Reason::EMPTY));
    assert_eq!(peer.next().await, Some(Frame::close(1010, "")));
}

#[tokio::test]
async fn a_dropped_reader_discards_and_counts() {
    let (socket, mut peer) = open(Side::Server, Wire::Memory).await;
    let (reader, mut writer) = socket.split();
    peer.send(&Frame::text("before")).await;
    tokio::task::yield_now().await;
    drop(reader);
    for _ in 0..200 {
        peer.send(&Frame::new(Sort::Binary, vec![1; 1000])).await;
    }
    writer.send_text("still here").await.unwrap();
    assert_eq!(peer.next().await, Some(Frame::text("still here")));
    peer.send(&Frame::close(1000, "")).await;
    peer.rest().await;
    let ending = writer.closer().closed().await;
    assert_eq!((ending.cause, ending.discarded), (Cause::ClosedByPeer, 201));
    assert_eq!(writer.send_text("late").await, Err(ending));
}

#[tokio::test]
async fn a_dropped_writer_changes_nothing() {
    let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
    let (mut reader, mut writer) = socket.split();
    writer.feed(Message::Text("last".into())).await.unwrap();
    drop(writer);
    assert_eq!(peer.next().await, Some(Frame::text("last")));
    peer.send(&Frame::text("hello")).await;
    assert_eq!(reader.recv().await.unwrap().as_bytes(), b"hello");
    let closer = reader.closer();
    drop(reader);
    assert_eq!(peer.rest().await.0, [Frame::close(1000, "")]);
    assert_eq!(closer.closed().await.cause, Cause::Dropped);
}

#[tokio::test]
async fn a_stream_ends_with_its_ending_and_a_sink_closes_with_1000() {
    let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
    let (mut sink, mut stream) = StreamExt::split(socket);
    let messages = ["a", "b", "c"].map(|text| Ok(Message::Text(text.into())));
    sink.send_all(&mut futures_util::stream::iter(messages))
        .await
        .unwrap();
    for text in ["a", "b", "c"] {
        assert_eq!(peer.next().await, Some(Frame::text(text)));
    }
    peer.send(&Frame::text("d")).await;
    assert_eq!(stream.next().await.unwrap().unwrap().as_bytes(), b"d");
    let (closed, ()) = tokio::join!(sink.close(), async {
        assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        peer.send(&Frame::close(1000, "")).await;
        peer.fin().await;
    });
    assert_eq!(closed, Ok(()));
    assert!(stream.next().await.unwrap().unwrap_err().is_clean());
    assert!(stream.next().await.is_none());
    assert!(sink.send(Message::Text("e".into())).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_send_on_a_closing_connection_waits_for_its_end() {
    let (mut socket, mut peer) = open(Side::Server, Wire::Memory).await;
    drop(socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    let ending = socket.send_text("late").await.unwrap_err();
    assert_eq!(ending.open_for, Duration::from_secs(5));
    assert_eq!(peer.rest().await.0, [Frame::close(1000, "")]);
}

#[tokio::test]
async fn a_ping_goes_out_and_mistakes_are_told() {
    let (mut socket, mut peer) = open(Side::Client, Wire::Memory).await;
    socket.ping(b"are you there?").unwrap();
    assert_eq!(
        peer.next().await,
        Some(Frame::new(Sort::Ping, "are you there?"))
    );
    let length = 126;
    assert_eq!(
        socket.ping(&[0; 126]),
        Err(UsageError::PingTooLong { length })
    );
    drop(socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    let state = State::Closing;
    assert_eq!(socket.ping(b""), Err(UsageError::NotOpen { state }));
}

#[tokio::test]
async fn a_flush_waits_until_everything_has_left() {
    let mut config = Side::Server.config();
    config.limits.queue = 100;
    let (mut socket, mut peer) = open_with(Side::Server, Wire::Memory, config).await;
    let reading = tokio::spawn(async move {
        let mut count = 0;
        while let Some(frame) = peer.next().await {
            assert!(matches!(frame.sort, Sort::Binary | Sort::Close));
            count += usize::from(frame.sort == Sort::Binary);
            if frame.sort == Sort::Close {
                peer.send(&Frame::close(1000, "")).await;
                peer.fin().await;
            }
        }
        count
    });
    for _ in 0..100 {
        socket
            .feed(Message::Binary(vec![0; 10_000].into()))
            .await
            .unwrap();
    }
    socket.flush().await.unwrap();
    let ending = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    assert_eq!((ending.unsent, ending.is_clean()), (0, true));
    assert_eq!(reading.await.unwrap(), 100);
    assert_eq!(socket.flush().await, Err(ending));
}

#[tokio::test]
async fn handles_cross_threads_and_endings_are_errors() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<revoir::WebSocket>();
    crosses::<revoir::Closer>();
    crosses::<revoir::websocket::Closed>();
    let (mut socket, mut peer) = open(Side::Client, Wire::Memory).await;
    assert_eq!((socket.role(), socket.subprotocol()), (Role::Client, None));
    peer.fin().await;
    let mut fails = async || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        socket.recv().await?;
        Ok(())
    };
    let error = fails().await.unwrap_err();
    let ending = error.downcast::<Arc<Ending>>().unwrap();
    assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
    assert!(
        ending
            .to_string()
            .contains("the peer's TCP stream ended without a Close frame")
    );
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compressed_messages_come_through_where_both_sides_agree() {
    use revoir::handshake::DeflateConfig;
    use revoir::handshake::Extensions;

    let (near, far) = memory::pair(64 * 1024);
    let extensions = Extensions::with_deflate(DeflateConfig::default());
    let acceptor = Acceptor::new().with_extensions(extensions);
    let client = Client::new();
    let connecting = client.connect_over("ws://localhost/", far);
    let (server, client) = tokio::join!(acceptor.accept(near), connecting);
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    assert_eq!(server.extensions().to_string(), "permessage-deflate");
    assert_eq!(server.extensions(), client.extensions());
    // More than the stream holds, unless it is compressed.
    let text = "the same again and again ".repeat(20_000);
    for _ in 0..3 {
        client.send_text(&*text).await.unwrap();
        client.flush().await.unwrap();
        let message = server.recv().await.unwrap();
        assert_eq!(message, Message::Text(text.as_str().into()));
        server.send(message).await.unwrap();
        assert_eq!(client.recv().await.unwrap().as_bytes(), text.as_bytes());
    }
    assert!(
        client
            .close(SendCode::NORMAL_CLOSURE, Reason::EMPTY)
            .await
            .is_clean()
    );
}
