//! tungstenite below tokio-tungstenite, both roles. It has no permessage-deflate.

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, connect_async};

async fn hold<S: AsyncRead + AsyncWrite + Unpin>(at: &str, mut socket: WebSocketStream<S>) {
    say("opened", Some(at), json!({}));
    let mut close = None;
    while let Some(got) = socket.next().await {
        let message = match got {
            Ok(Message::Close(frame)) => {
                close = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                continue;
            }
            Ok(message) => message,
            Err(error) => return closed(at, "error from next()", close, Some(fault(&error))),
        };
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        let text = message.is_text().then(|| message.to_string());
        let done = match heard(at, message.is_text(), &message.clone().into_data()) {
            Wish::Echo => socket.send(message).await.map_err(|error| refused(at, None, &error)),
            Wish::Send(length) => {
                let sent = socket.send(Message::binary(vec![0; length])).await;
                sent.map_err(|error| refused(at, text.as_deref(), &error))
            }
            Wish::Close(how) => {
                let frame = how.map(|(code, reason)| CloseFrame { code: code.into(), reason: reason.into() });
                socket.close(frame).await.map_err(|error| refused(at, text.as_deref(), &error))
            }
        };
        let _ = done;
    }
    closed(at, "next() returned None", close, None);
}

#[tokio::main]
async fn main() {
    hello("tungstenite", None, "on tokio-tungstenite");
    let accept = |stream| async move {
        let mut at = String::new();
        #[expect(clippy::result_large_err, reason = "the signature of tungstenite")]
        let callback = |request: &Request, response: Response| {
            at = request.uri().path().to_owned();
            Ok(response)
        };
        if let Ok(socket) = accept_hdr_async(stream, callback).await {
            hold(&at, socket).await;
        }
    };
    let connect = |url: String| async move {
        let (_, at) = parts(&url);
        match connect_async(&url).await {
            Ok((socket, _)) => hold(&at, socket).await,
            Err(error) => {
                let mut told = fault(&error);
                if let Error::Http(response) = &error {
                    told["status"] = response.status().as_u16().into();
                }
                closed(&at, "error from connect_async()", None, Some(told));
            }
        }
    };
    play(accept, connect).await;
}
