//! fastwebsockets on hyper, both roles. It has no permessage-deflate.

use std::convert::Infallible;

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket, handshake, upgrade};
use http_body_util::Empty;
use hyper::header::{CONNECTION, HOST, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

async fn hold(at: &str, socket: WebSocket<TokioIo<Upgraded>>) {
    say("opened", Some(at), json!({}));
    let mut socket = FragmentCollector::new(socket);
    loop {
        let frame = match socket.read_frame().await {
            Ok(frame) => frame,
            Err(error) => return closed(at, "error from read_frame()", None, Some(fault(&error))),
        };
        let payload = frame.payload.to_vec();
        if frame.opcode == OpCode::Close {
            let close = match payload[..] {
                [high, low, ref reason @ ..] => {
                    Some((u16::from_be_bytes([high, low]), String::from_utf8_lossy(reason).into_owned()))
                }
                _ => None,
            };
            return closed(at, "read_frame() returned a Close frame", close, None);
        }
        let is_text = frame.opcode == OpCode::Text;
        if !is_text && frame.opcode != OpCode::Binary {
            continue;
        }
        let text = is_text.then(|| String::from_utf8_lossy(&payload).into_owned());
        let (command, answer) = match heard(at, is_text, &payload) {
            Wish::Echo if is_text => (None, Frame::text(Payload::Owned(payload))),
            Wish::Echo => (None, Frame::binary(Payload::Owned(payload))),
            Wish::Send(length) => (text, Frame::binary(Payload::Owned(vec![0; length]))),
            Wish::Close(None) => (text, Frame::close_raw(Payload::Owned(Vec::new()))),
            Wish::Close(Some((code, reason))) => (text, Frame::close(code, reason.as_bytes())),
        };
        if let Err(error) = socket.write_frame(answer).await {
            refused(at, command.as_deref(), &error);
        }
    }
}

async fn answer(mut request: Request<hyper::body::Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let at = request.uri().path().to_owned();
    match upgrade::upgrade(&mut request) {
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
    hello("fastwebsockets", None, "on hyper");
    let accept = |stream| async move {
        let io = TokioIo::new(stream);
        let _ = http1::Builder::new().serve_connection(io, service_fn(answer)).with_upgrades().await;
    };
    let connect = |url: String| async move {
        let (authority, at) = parts(&url);
        let stream = match TcpStream::connect(&authority).await {
            Ok(stream) => stream,
            Err(error) => return closed(&at, "error from TcpStream::connect()", None, Some(fault(&error))),
        };
        let request = Request::builder()
            .uri(url.replacen("ws:", "http:", 1))
            .header(HOST, authority)
            .header(UPGRADE, "websocket")
            .header(CONNECTION, "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13")
            .body(Empty::<Bytes>::new())
            .expect("a request");
        match handshake::client(&TokioExecutor::new(), request, stream).await {
            Ok((socket, _)) => hold(&at, socket).await,
            Err(error) => closed(&at, "error from handshake::client()", None, Some(fault(&error))),
        }
    };
    play(accept, connect).await;
}
