//! What adapters in Rust share: events on stdout, URLs on stdin, and the commands. See ../../README.md.

use std::fmt::{Debug, Display};
use std::future::Future;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Prints an event.
pub fn say(event: &str, at: Option<&str>, fields: Value) {
    let mut line = Map::new();
    line.insert("event".to_owned(), event.into());
    if let Some(at) = at {
        line.insert("at".to_owned(), at.into());
    }
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    println!("{}", Value::Object(line));
}

/// Says who this is: the version is that of the lock file.
pub fn hello(name: &str, core: Option<&str>, settings: &str) {
    let locked = |name: &str| {
        let found = include_str!("../Cargo.lock").split(&format!("name = \"{name}\"\nversion = \"")).nth(1);
        found.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    };
    let core = core.map(|core| format!("{core} {}", locked(core)));
    let fields = json!({ "name": name, "version": locked(name), "core": core, "language": "Rust", "settings": settings });
    say("hello", None, fields);
}

/// What a text or binary message wants.
#[derive(Debug)]
pub enum Wish {
    Echo,
    Send(usize),
    Close(Option<(u16, String)>),
}

/// Tells of a message.
pub fn heard(at: &str, is_text: bool, payload: &[u8]) -> Wish {
    let text = String::from_utf8_lossy(payload);
    let kind = if is_text { "text" } else { "binary" };
    let mut fields = json!({ "type": kind, "length": payload.len() });
    if is_text {
        fields["text"] = text.chars().take(200).collect::<String>().into();
    }
    say("message", Some(at), fields);
    let mut words = text.splitn(3, ' ');
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
    match words.next() {
        Some("!send") if is_text => Wish::Send(number(words.next()).unwrap_or(0) as usize),
        Some("!close") if is_text => Wish::Close(number(words.next()).map(|code: u32| {
            (code as u16, words.next().unwrap_or_default().to_owned())
        })),
        _ => Wish::Echo,
    }
}

/// An error as a log would show it; its class is the name of the variant.
pub fn fault(error: &(impl Debug + Display)) -> Value {
    let debug = format!("{error:?}");
    let class = debug.split(|char: char| !char.is_alphanumeric()).next().unwrap_or_default().to_owned();
    json!({ "class": class, "text": error.to_string() })
}

/// Tells of an API that has refused a command, or of an error while echoing.
pub fn refused(at: &str, command: Option<&str>, error: &(impl Debug + Display)) {
    let mut fields = fault(error);
    if let Some(command) = command {
        fields["command"] = command.into();
    }
    say(if command.is_some() { "refused" } else { "error" }, Some(at), fields);
}

/// Tells of the end: how the API says it, the code and reason that it gave, and its error.
pub fn closed(at: &str, how: &str, close: Option<(u16, String)>, error: Option<Value>) {
    let mut fields = error.unwrap_or_else(|| json!({}));
    fields["how"] = how.into();
    if let Some((code, reason)) = close {
        fields["code"] = code.into();
        fields["reason"] = reason.into();
    }
    say("closed", Some(at), fields);
}

/// The address in a URL, and its path.
pub fn parts(url: &str) -> (String, String) {
    let rest = url.split("//").nth(1).unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    (authority.to_owned(), format!("/{}", path.split('?').next().unwrap_or_default()))
}

/// The URLs of stdin, one a line; the process ends with them.
pub async fn urls(mut each: impl FnMut(String)) -> ! {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(url)) = lines.next_line().await {
        each(url);
    }
    std::process::exit(0)
}

/// Plays the role that the arguments say.
pub async fn play<A, C>(
    accept: impl Fn(TcpStream) -> A + Send + 'static,
    connect: impl Fn(String) -> C,
) where
    A: Future<Output = ()> + Send + 'static,
    C: Future<Output = ()> + Send + 'static,
{
    if std::env::args().nth(1).as_deref() == Some("server") {
        let port = std::env::args().nth(2).and_then(|port| port.parse().ok()).unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("listen");
        say("ready", None, json!({ "port": listener.local_addr().expect("listen").port() }));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accept(stream));
            }
        });
    } else {
        say("ready", None, json!({}));
    }
    urls(|url| {
        tokio::spawn(connect(url));
    })
    .await
}
