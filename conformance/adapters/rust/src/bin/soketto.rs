//! soketto, both roles. Its close() takes neither code nor reason.

use adapters::{Wish, closed, fault, heard, hello, parts, play, refused, say};
use serde_json::json;
use soketto::extension::deflate::Deflate;
use soketto::handshake::server::Response;
use soketto::handshake::{Client, Server, ServerResponse};
use soketto::{Data, Incoming, Mode, Receiver, Sender};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

type Stream = Compat<TcpStream>;

async fn hold(at: &str, (mut sender, mut receiver): (Sender<Stream>, Receiver<Stream>)) {
    say("opened", Some(at), json!({}));
    loop {
        let mut payload = Vec::new();
        let data = match receiver.receive(&mut payload).await {
            Ok(Incoming::Data(data)) => data,
            Ok(Incoming::Pong(_)) => continue,
            Ok(Incoming::Closed(why)) => {
                let close = (why.code, why.descr.unwrap_or_default());
                return closed(at, "receive() returned Incoming::Closed", Some(close), None);
            }
            Err(error) => return closed(at, "error from receive()", None, Some(fault(&error))),
        };
        let is_text = matches!(data, Data::Text(_));
        let text = String::from_utf8_lossy(&payload).into_owned();
        let command = is_text.then_some(text.as_str());
        let (command, done) = match heard(at, is_text, &payload) {
            Wish::Echo if is_text => (None, sender.send_text(&text).await),
            Wish::Echo => (None, sender.send_binary(&payload).await),
            Wish::Send(length) => (command, sender.send_binary(vec![0; length]).await),
            Wish::Close(None) => (command, sender.close().await),
            Wish::Close(Some(_)) => {
                say("refused", Some(at), json!({ "command": text, "text": "close() takes no code" }));
                continue;
            }
        };
        let flushed = sender.flush().await;
        if let Err(error) = done.and(flushed) {
            refused(at, command, &error);
        }
    }
}

#[tokio::main]
async fn main() {
    hello("soketto", None, "permessage-deflate");
    let has_deflate = std::env::var("CONFORM_DEFLATE").as_deref() != Ok("0");
    let accept = move |stream: TcpStream| async move {
        let mut server = Server::new(stream.compat());
        if has_deflate {
            server.add_extension(Box::new(Deflate::new(Mode::Server)));
        }
        let (key, at) = match server.receive_request().await {
            Ok(request) => (request.key(), request.path().to_owned()),
            Err(_) => return,
        };
        if server.send_response(&Response::Accept { key, protocol: None }).await.is_ok() {
            hold(&at, server.into_builder().finish()).await;
        }
    };
    let connect = move |url: String| async move {
        let (authority, at) = parts(&url);
        let stream = match TcpStream::connect(&authority).await {
            Ok(stream) => stream,
            Err(error) => return closed(&at, "error from TcpStream::connect()", None, Some(fault(&error))),
        };
        let mut client = Client::new(stream.compat(), &authority, &at);
        if has_deflate {
            client.add_extension(Box::new(Deflate::new(Mode::Client)));
        }
        match client.handshake().await {
            Ok(ServerResponse::Accepted { .. }) => {}
            Ok(ServerResponse::Rejected { status_code }) => {
                let told = json!({ "status": status_code });
                return closed(&at, "handshake() returned Rejected", None, Some(told));
            }
            Ok(ServerResponse::Redirect { status_code, .. }) => {
                let told = json!({ "status": status_code });
                return closed(&at, "handshake() returned Redirect", None, Some(told));
            }
            Err(error) => return closed(&at, "error from handshake()", None, Some(fault(&error))),
        }
        hold(&at, client.into_builder().finish()).await;
    };
    play(accept, connect).await;
}
