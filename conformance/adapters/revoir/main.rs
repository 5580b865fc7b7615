//! revoir as an adapter of `revoir conform`; what it prints is in `../README.md`.
#![expect(clippy::print_stdout, reason = "an adapter talks on stdout")]

use std::error::Error;
use std::fs;
use std::sync::Arc;

use revoir::handshake::{DeflateConfig, Extensions};
use revoir::tls::{ClientTls, ServerTls};
use revoir::websocket::State;
use revoir::{
    Acceptor, Client, Config, Ending, Incoming, Message, Reason, SendCode, Server, WebSocket,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const LIMIT: usize = 16 * 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let role = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{}",
        json!({ "event": "hello", "name": "revoir", "version": "0.1.0", "language": "Rust" })
    );
    let mut lines = BufReader::new(stdin()).lines();
    if role == "server" {
        let acceptor = Acceptor::new()
            .with_config(Config::server().max_message(LIMIT))
            .with_extensions(extensions());
        let mut server = Server::bind("127.0.0.1:0").await?.with_acceptor(acceptor);
        if let Some(chain) = std::env::var_os("CONFORM_CERT") {
            let key = fs::read(std::env::var("CONFORM_KEY")?)?;
            server = server.with_tls(ServerTls::from_pem(&fs::read(chain)?, &key)?);
        }
        println!(
            "{}",
            json!({ "event": "ready", "port": server.local_addr()?.port() })
        );
        let decide = |incoming: Incoming| async move {
            let at = incoming.path().to_owned();
            incoming.run(|socket| async move {
                talk(socket, &at).await;
                Ok::<(), Arc<Ending>>(())
            })
        };
        tokio::spawn(server.serve_incoming(decide));
        while lines.next_line().await?.is_some() {}
        return Ok(());
    }
    let mut client = Client::new()
        .with_config(Config::client().max_message(LIMIT))
        .with_extensions(extensions());
    if let Some(roots) = std::env::var_os("CONFORM_CA") {
        client = client.with_tls(ClientTls::with_roots(&fs::read(roots)?)?);
    }
    println!("{}", json!({ "event": "ready" }));
    while let Some(url) = lines.next_line().await? {
        let client = client.clone();
        tokio::spawn(async move {
            let at = url
                .splitn(4, '/')
                .nth(3)
                .map(|path| format!("/{path}"))
                .unwrap_or_default();
            match client.connect(url.as_str()).await {
                Ok(socket) => talk(socket, &at).await,
                Err(error) => closed(&at, error.ending(), &error.to_string()),
            }
        });
    }
    Ok(())
}

fn extensions() -> Extensions {
    match std::env::var("CONFORM_DEFLATE").as_deref() {
        Ok("0") => Extensions::default(),
        _ => Extensions::with_deflate(DeflateConfig::default()),
    }
}

/// Echoes and obeys until the connection is over.
async fn talk(mut socket: WebSocket, at: &str) {
    println!(
        "{}",
        json!({ "event": "opened", "at": at, "protocol": socket.subprotocol() })
    );
    loop {
        let message = match socket.recv().await {
            Ok(message) => message,
            Err(ending) => return closed(at, Some(&ending), &ending.to_string()),
        };
        let answer = match &message {
            Message::Text(text) if text.starts_with('!') => match obey(&socket, text) {
                Ok(answer) => answer,
                Err(why) => {
                    println!(
                        "{}",
                        json!({ "event": "refused", "at": at, "command": text.as_str(), "text": why.to_string() })
                    );
                    None
                }
            },
            Message::Text(text) => {
                let first: String = text.chars().take(200).collect();
                println!(
                    "{}",
                    json!({ "event": "message", "at": at, "type": "text", "length": text.len(), "text": first })
                );
                Some(message)
            }
            Message::Binary(bytes) => {
                println!(
                    "{}",
                    json!({ "event": "message", "at": at, "type": "binary", "length": bytes.len() })
                );
                Some(message)
            }
        };
        // What ends the connection meanwhile is told by the next `recv`.
        if let (Some(answer), true) = (answer, socket.state() == State::Open) {
            let _ = socket.send(answer).await;
        }
    }
}

/// Obeys `!close` and `!send`; what is to be sent, if anything.
fn obey(socket: &WebSocket, command: &str) -> Result<Option<Message>, Box<dyn Error>> {
    let mut words = command.splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some("!send"), Some(length)) => Ok(Some(Message::from(vec![0; length.parse()?]))),
        (_, None) => {
            socket.start_close(SendCode::NORMAL_CLOSURE, Reason::default());
            Ok(None)
        }
        (_, Some(code)) => {
            let code = SendCode::try_from(code.parse::<u16>()?)?;
            socket.start_close(code, Reason::new(words.next().unwrap_or_default())?);
            Ok(None)
        }
    }
}

fn closed(at: &str, ending: Option<&Arc<Ending>>, text: &str) {
    let mut event = json!({ "event": "closed", "at": at, "text": text });
    if let (Some(ending), Value::Object(event)) = (ending, &mut event) {
        event.insert("code".into(), ending.code().get().into());
        event.insert("reason".into(), ending.reason().into());
        event.insert("clean".into(), ending.is_clean().into());
        event.insert("how".into(), ending.cause.id().into());
        let status = ending.response.as_ref().map(|response| response.status);
        event.insert("status".into(), status.into());
    }
    println!("{event}");
}
