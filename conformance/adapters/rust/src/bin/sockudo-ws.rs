//! sockudo-ws, both roles. Its server and client of this kind take no permessage-deflate.

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use sockudo_ws::client::WebSocketClient;
use sockudo_ws::server::WebSocketServer;
use sockudo_ws::{Config, Http1, Message, WebSocketStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

async fn hold<S: AsyncRead + AsyncWrite + Unpin>(at: &str, mut socket: WebSocketStream<S>) {
    say("opened", Some(at), json!({}));
    let mut close = None;
    while let Some(got) = socket.next().await {
        let message = match got {
            Ok(Message::Close(reason)) => {
                close = reason.map(|reason| (reason.code, reason.reason));
                continue;
            }
            Ok(message) => message,
            Err(error) => return closed(at, "error from next()", close, Some(fault(&error))),
        };
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        let text = message.as_text().map(str::to_owned);
        let (command, done) = match heard(at, message.is_text(), message.as_bytes()) {
            Wish::Echo => (None, socket.send(message).await),
            Wish::Send(length) => (text, socket.send(Message::binary(vec![0; length])).await),
            Wish::Close(None) => (text, socket.send(Message::Close(None)).await),
            Wish::Close(Some((code, reason))) => (text, socket.close(code, &reason).await),
        };
        if let Err(error) = done {
            refused(at, command.as_deref(), &error);
        }
    }
    closed(at, "next() returned None", close, None);
}

#[tokio::main]
async fn main() {
    hello("sockudo-ws", None, "");
    let accept = |stream: TcpStream| async move {
        let server = WebSocketServer::<Http1>::new(Config::default());
        if let Ok((socket, handshake)) = server.accept(stream).await {
            hold(&handshake.path, socket).await;
        }
    };
    let connect = |url: String| async move {
        let (authority, at) = parts(&url);
        let stream = match TcpStream::connect(&authority).await {
            Ok(stream) => stream,
            Err(error) => return closed(&at, "error from TcpStream::connect()", None, Some(fault(&error))),
        };
        let client = WebSocketClient::<Http1>::new(Config::default());
        match client.connect(stream, &authority, &at, None).await {
            Ok((socket, _)) => hold(&at, socket).await,
            Err(error) => closed(&at, "error from connect()", None, Some(fault(&error))),
        }
    };
    play(accept, connect).await;
}
