//! yawc, both roles, the server on hyper.

use std::convert::Infallible;

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use bytes::Bytes;
use futures::SinkExt;
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use yawc::{Frame, OpCode, Options, WebSocket, WebSocketError};

fn options() -> Options {
    let options = Options::default().with_limits(16 << 20, 32 << 20);
    match std::env::var("CONFORM_DEFLATE").as_deref() {
        Ok("0") => options,
        _ => options.with_balanced_compression(),
    }
}

async fn hold<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(at: &str, mut socket: WebSocket<S>) {
    say("opened", Some(at), json!({}));
    let mut close = None;
    loop {
        let frame = match socket.next_frame().await {
            Ok(frame) => frame,
            Err(error) => return closed(at, "error from next_frame()", close, Some(fault(&error))),
        };
        if frame.opcode() == OpCode::Close {
            let reason = frame.close_reason().ok().flatten().unwrap_or_default().to_owned();
            close = frame.close_code().map(|code| (code.into(), reason));
        }
        let is_text = frame.opcode() == OpCode::Text;
        if !is_text && frame.opcode() != OpCode::Binary {
            continue;
        }
        let text = is_text.then(|| String::from_utf8_lossy(frame.payload()).into_owned());
        let (command, answer) = match heard(at, is_text, frame.payload()) {
            Wish::Echo => (None, frame),
            Wish::Send(length) => (text, Frame::binary(vec![0; length])),
            Wish::Close(Some((code, reason))) => (text, Frame::close(code.into(), reason)),
            Wish::Close(None) => {
                if let Err(error) = socket.close().await {
                    refused(at, text.as_deref(), &error);
                }
                continue;
            }
        };
        if let Err(error) = socket.send(answer).await {
            refused(at, command.as_deref(), &error);
        }
    }
}

async fn answer(mut request: Request<hyper::body::Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let at = request.uri().path().to_owned();
    match WebSocket::upgrade_with_options(&mut request, options()) {
        Ok((response, socket)) => {
            tokio::spawn(async move {
                if let Ok(socket) = socket.await {
                    hold(&at, socket).await;
                }
            });
            Ok(response)
        }
        Err(_) => Ok(Response::builder().status(400).body(Empty::new()).expect("a response")),
    }
}

#[tokio::main]
async fn main() {
    hello("yawc", None, "permessage-deflate, 16 MiB");
    let accept = |stream| async move {
        let io = TokioIo::new(stream);
        let _ = http1::Builder::new().serve_connection(io, service_fn(answer)).with_upgrades().await;
    };
    let connect = |url: String| async move {
        let (_, at) = parts(&url);
        let url = url.parse().expect("the suite's URLs are right");
        match WebSocket::connect(url).with_options(options()).await {
            Ok(socket) => hold(&at, socket).await,
            Err(error) => {
                let mut told = fault(&error);
                if let WebSocketError::InvalidStatusCode(status) = error {
                    told["status"] = status.into();
                }
                closed(&at, "error from connect()", None, Some(told));
            }
        }
    };
    play(accept, connect).await;
}
