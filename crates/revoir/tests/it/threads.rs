//! Many threads: what is shared between them stays whole.

use std::sync::Arc;
use std::time::Duration;

use revoir::{Ending, Message, Reason, SendCode, Server, WebSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

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
