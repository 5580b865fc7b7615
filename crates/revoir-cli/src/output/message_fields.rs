//! [`MessageFields`]: a message as JSON.

use revoir::Message;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct MessageFields<'a> {
    kind: &'static str,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// With a session: what it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl<'a> MessageFields<'a> {
    pub(super) fn new(message: &'a Message, key: Option<String>) -> Self {
        let (kind, text) = match message {
            Message::Text(text) => ("text", Some(text.as_str())),
            Message::Binary(_) => ("binary", None),
        };
        Self {
            kind,
            bytes: message.as_bytes().len(),
            text,
            key,
        }
    }
}
