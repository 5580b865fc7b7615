//! tokio-websockets, both roles. It has no permessage-deflate.

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{ClientBuilder, CloseCode, Message, ServerBuilder, WebSocketStream};

async fn hold<S: AsyncRead + AsyncWrite + Unpin>(at: &str, mut socket: WebSocketStream<S>) {
    say("opened", Some(at), json!({}));
    let mut close = None;
    while let Some(got) = socket.next().await {
        let message = match got {
            Ok(message) => message,
            Err(error) => return closed(at, "error from next()", close, Some(fault(&error))),
        };
        if let Some((code, reason)) = message.as_close() {
            close = Some((code.into(), reason.to_owned()));
        }
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        let text = message.as_text().map(str::to_owned);
        let answer = match heard(at, message.is_text(), message.as_payload()) {
            Wish::Echo => {
                if let Err(error) = socket.send(message).await {
                    refused(at, None, &error);
                }
                continue;
            }
            Wish::Send(length) => Message::binary(vec![0; length]),
            Wish::Close(None) => Message::close(None, ""),
            Wish::Close(Some((code, reason))) => match CloseCode::try_from(code) {
                Ok(code) => Message::close(Some(code), &reason),
                Err(error) => {
                    refused(at, text.as_deref(), &error);
                    continue;
                }
            },
        };
        if let Err(error) = socket.send(answer).await {
            refused(at, text.as_deref(), &error);
        }
    }
    closed(at, "next() returned None", close, None);
}

#[tokio::main]
async fn main() {
    hello("tokio-websockets", None, "");
    let accept = |stream| async move {
        if let Ok((request, socket)) = ServerBuilder::new().accept(stream).await {
            hold(request.uri().path(), socket).await;
        }
    };
    let connect = |url: String| async move {
        let (_, at) = parts(&url);
        let uri = url.parse().expect("the suite's URLs are right");
        match ClientBuilder::from_uri(uri).connect().await {
            Ok((socket, _)) => hold(&at, socket).await,
            Err(error) => closed(&at, "error from connect()", None, Some(fault(&error))),
        }
    };
    play(accept, connect).await;
}
