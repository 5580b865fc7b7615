//! Many threads: what is shared between them stays whole.

use std::sync::Arc;
use std::time::Duration;

use revoir::handshake::Extensions;
use revoir::{Acceptor, Client, Ending, Message, Reason, SendCode, Server, WebSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::Wire;
use crate::support::random::SplitMix;
use crate::support::wire::pair;

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

/// Halves in tasks of their own, with a closer in a third.
async fn split_echo(socket: WebSocket) -> Result<(), Arc<Ending>> {
    let (mut reader, mut writer) = socket.split();
    let (queue, mut queued) = tokio::sync::mpsc::channel(4);
    let writing = tokio::spawn(async move {
        while let Some(message) = queued.recv().await {
            writer.send(message).await?;
        }
        writer.flush().await
    });
    let ending = loop {
        match reader.recv().await {
            Ok(message) => queue.send(message).await.unwrap(),
            Err(ending) => break ending,
        }
    };
    drop(queue);
    match writing.await.unwrap() {
        Ok(()) => Err(ending),
        Err(same) => {
            assert!(Arc::ptr_eq(&ending, &same));
            Err(same)
        }
    }
}

async fn talk(url: Arc<str>, number: u32) {
    let (mut reader, mut writer) = revoir::connect(&*url).await.unwrap().split();
    let length = (number as usize * 7919) % 40_000;
    let writing = tokio::spawn(async move {
        for count in 0..100_u32 {
            let payload = [&count.to_be_bytes()[..], &vec![1; length]].concat();
            writer.send_binary(payload).await.unwrap();
        }
        writer
    });
    for count in 0..100_u32 {
        let message = reader.recv().await.unwrap();
        let Message::Binary(payload) = message else {
            panic!("text")
        };
        assert_eq!(
            (payload[..4].to_vec(), payload.len()),
            (count.to_be_bytes().to_vec(), length + 4)
        );
    }
    let closer = writing.await.unwrap().closer();
    let ending = closer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    assert!(ending.is_clean(), "{ending}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pipelined_echoes_on_four_threads_lose_nothing_and_stop() {
    for split in [false, true] {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let url: Arc<str> = format!("ws://{}/", server.local_addr().unwrap()).into();
        match split {
            false => tokio::spawn(async { server.serve(echo).await }),
            true => tokio::spawn(async { server.serve(split_echo).await }),
        };
        let mut talking = JoinSet::new();
        for number in 0..40 {
            talking.spawn(talk(Arc::clone(&url), number));
        }
        // A lost wake-up would be a hang: this only bounds it.
        let all = timeout(Duration::from_secs(60), talking.join_all());
        assert_eq!(all.await.unwrap().len(), 40);
    }
}

/// With and without compression.
fn extensions() -> Vec<Extensions> {
    let mut all = vec![Extensions::default()];
    #[cfg(feature = "deflate")]
    all.push(Extensions::with_deflate(
        revoir::handshake::DeflateConfig::default(),
    ));
    all
}

/// Bytes that cannot be compressed, which half fill the buffers that they are read to, or not.
fn noise(random: &mut SplitMix) -> Vec<u8> {
    let words = 1_000 + random.next_u32() % 17_000;
    let words = (0..words).flat_map(|_| random.next_u32().to_ne_bytes());
    words.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_in_pieces_arrive_over_tcp_and_tls_with_and_without_compression() {
    for wire in [Wire::Tcp, Wire::Tls] {
        for extensions in extensions() {
            let (near, far) = pair(wire).await;
            // So that messages are cut anywhere.
            near.shrink_buffers();
            far.shrink_buffers();
            let acceptor = Acceptor::new().with_extensions(extensions.clone());
            let client = Client::new();
            let connecting = client.connect_over("ws://localhost/", far);
            let (server, client) = tokio::join!(acceptor.accept(near), connecting);
            let server = server.unwrap();
            let is_compressed = server.extensions().deflate.is_some();
            assert_eq!(is_compressed, extensions != Extensions::default());
            let echoing = tokio::spawn(split_echo(server));
            let (mut reader, mut writer) = client.unwrap().split();
            let writing = tokio::spawn(async move {
                let mut random = SplitMix::new(14);
                for _ in 0..60 {
                    writer.send_binary(noise(&mut random)).await.unwrap();
                }
                writer
            });
            let mut random = SplitMix::new(14);
            for number in 0..60 {
                let received = reader.recv().await.unwrap();
                let sent = noise(&mut random);
                assert!(received.as_bytes() == sent, "{wire:?} {number}");
            }
            let closer = writing.await.unwrap().closer();
            let ending = closer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
            assert!(ending.is_clean(), "{ending}");
            assert!(echoing.await.unwrap().unwrap_err().is_clean());
        }
    }
}
