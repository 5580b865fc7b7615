//! actix-web with actix-ws: a server. The protocol is in actix-http.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::{AggregatedMessage, CloseReason};
use adapters::{Wish, closed, fault, heard, hello, refused, say, urls};
use futures::StreamExt;
use serde_json::json;

async fn hold(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let at = request.path().to_owned();
    let (response, session, stream) = actix_ws::handle(&request, body)?;
    let limit = 16 << 20;
    let mut stream = stream.max_frame_size(limit).aggregate_continuations().max_continuation_size(limit);
    actix_web::rt::spawn(async move {
        say("opened", Some(&at), json!({}));
        let mut session = Some(session);
        let mut close = None;
        while let Some(got) = stream.next().await {
            let (is_text, payload) = match got {
                Ok(AggregatedMessage::Text(text)) => (true, text.into_bytes()),
                Ok(AggregatedMessage::Binary(bytes)) => (false, bytes),
                Ok(AggregatedMessage::Ping(bytes)) => {
                    if let Some(session) = &mut session {
                        let _ = session.pong(&bytes).await;
                    }
                    continue;
                }
                Ok(AggregatedMessage::Pong(_)) => continue,
                Ok(AggregatedMessage::Close(reason)) => {
                    close = reason.clone().map(|why| (why.code.into(), why.description.unwrap_or_default()));
                    if let Some(session) = session.take() {
                        let _ = session.close(reason).await;
                    }
                    continue;
                }
                Err(error) => return closed(&at, "error from next()", close, Some(fault(&error))),
            };
            let text = String::from_utf8_lossy(&payload).into_owned();
            let wish = heard(&at, is_text, &payload);
            let Some(mut sender) = session.clone() else {
                continue;
            };
            let (command, done) = match wish {
                Wish::Echo if is_text => (None, sender.text(text).await),
                Wish::Echo => (None, sender.binary(payload).await),
                Wish::Send(length) => (Some(text), sender.binary(vec![0; length]).await),
                Wish::Close(how) => {
                    let why = how.map(|(code, reason)| CloseReason { code: code.into(), description: Some(reason) });
                    session = None;
                    (Some(text), sender.close(why).await)
                }
            };
            if let Err(error) = done {
                refused(&at, command.as_deref(), &error);
            }
        }
        closed(&at, "next() returned None", close, None);
    });
    Ok(response)
}

#[actix_web::main]
async fn main() {
    hello("actix-ws", Some("actix-http"), "16 MiB; the application answers ping and Close");
    let port = std::env::args().nth(2).and_then(|port| port.parse().ok()).unwrap_or(0);
    let server = HttpServer::new(|| App::new().default_service(web::to(hold))).workers(2);
    let server = server.disable_signals().bind(("127.0.0.1", port)).expect("listen");
    say("ready", None, json!({ "port": server.addrs()[0].port() }));
    actix_web::rt::spawn(server.run());
    urls(|_| {}).await;
}
