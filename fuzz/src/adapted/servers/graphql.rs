//! Both GraphQL protocols, with a schema that knows the documents of the pieces.

use serde_json::{Value, json};

use super::{Closed, Server};

pub(super) fn hear(server: &mut Server, text: &[u8], is_transport_ws: bool) -> Result<(), Closed> {
    let message: Value = serde_json::from_slice(text).map_err(|_| Closed)?;
    let kind = message["type"].as_str().ok_or(Closed)?;
    if kind == "connection_init" {
        if is_transport_ws && server.is_greeted {
            return Err(Closed);
        }
        server.is_greeted = true;
        server.text(r#"{"type":"connection_ack"}"#);
        return Ok(());
    }
    let id = || message["id"].as_str().ok_or(Closed);
    match (kind, is_transport_ws) {
        ("ping", true) => server.text(r#"{"type":"pong"}"#),
        ("pong", true) => {}
        ("subscribe", true) | ("start", false) if server.is_greeted => {
            let id = id()?;
            let is_open = server.state.remove(id.as_bytes()).is_some();
            if is_open && is_transport_ws {
                return Err(Closed);
            }
            let payload = &message["payload"];
            let answer = |kind: &str, payload: Value| {
                json!({ "id": id, "type": kind, "payload": payload }).to_string()
            };
            match is_subscription(payload) {
                Some(true) => {
                    server.state.insert(id.as_bytes().to_vec(), text.to_vec());
                }
                Some(false) => {
                    let kind = if is_transport_ws { "next" } else { "data" };
                    server.text(answer(kind, json!({ "data": { "a": 1 } })));
                    server.text(json!({ "id": id, "type": "complete" }).to_string());
                }
                None => server.text(answer("error", json!([{ "message": "no" }]))),
            }
        }
        ("complete", true) | ("stop", false) => {
            server.state.remove(id()?.as_bytes());
        }
        _ => return Err(Closed),
    }
    Ok(())
}

/// `None`: nothing that can be executed.
fn is_subscription(payload: &Value) -> Option<bool> {
    let name = match &payload["operationName"] {
        Value::Null => "",
        name => name.as_str()?,
    };
    match (payload["query"].as_str()?, name) {
        ("subscription { a }", "") => Some(true),
        ("{ a }", "") => Some(false),
        ("query B { b } subscription A { a }", "A") => Some(true),
        ("query B { b } subscription A { a }", "B") => Some(false),
        _ => None,
    }
}
