//! Action Cable: `subscribe` is confirmed, or rejected for identifiers with a `!`.

use serde_json::{Value, json};

use super::{Closed, Server};

pub(super) fn hear(server: &mut Server, text: &[u8]) -> Result<(), Closed> {
    let command: Value = serde_json::from_slice(text).map_err(|_| Closed)?;
    let identifier = command["identifier"].as_str().ok_or(Closed)?.to_owned();
    match command["command"].as_str() {
        Some("subscribe") if server.state.contains_key(identifier.as_bytes()) => {}
        Some("subscribe") => {
            let is_refused = identifier.contains('!');
            let kind = if is_refused {
                "reject_subscription"
            } else {
                "confirm_subscription"
            };
            server.text(json!({ "identifier": identifier, "type": kind }).to_string());
            if !is_refused {
                server.state.insert(identifier.into_bytes(), text.to_vec());
            }
        }
        Some("unsubscribe") => {
            server.state.remove(identifier.as_bytes());
        }
        Some("message") => {}
        _ => return Err(Closed),
    }
    Ok(())
}
