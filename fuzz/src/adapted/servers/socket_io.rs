//! Socket.IO 5 on Engine.IO 4: namespaces with a `!` are refused, acks come at once.

use revoir_adapters::OwnedMessage;
use serde_json::Value;

use super::{Closed, Server};

/// A packet behind the `4` of Engine.IO.
pub(super) struct Packet<'a> {
    pub(super) kind: u8,
    attachments: u32,
    namespace: &'a str,
    id: &'a str,
    data: &'a str,
}

impl<'a> Packet<'a> {
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?.strip_prefix('4')?;
        let kind = *text.as_bytes().first()?;
        let mut rest = &text[1..];
        let mut attachments = 0;
        if matches!(kind, b'5' | b'6') {
            let (count, behind) = rest.split_once('-')?;
            attachments = count.parse().ok()?;
            rest = behind;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.len()
            - rest
                .trim_start_matches(|it: char| it.is_ascii_digit())
                .len();
        let (id, data) = rest.split_at(digits);
        Some(Self {
            kind,
            attachments,
            namespace,
            id,
            data,
        })
    }

    /// What follows an attachment's placeholder is not looked at: only what kind of JSON it is.
    fn is_valid(&self) -> bool {
        let data = serde_json::from_str::<&serde_json::value::RawValue>(self.data);
        let first = self.data.trim_start().bytes().next();
        let is = |wanted| data.is_ok() && first == Some(wanted);
        match self.kind {
            b'0' => self.id.is_empty() && (self.data.is_empty() || is(b'{')),
            b'1' => self.id.is_empty() && self.data.is_empty(),
            b'2' | b'5' => {
                let event = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(self.data);
                let name = event
                    .ok()
                    .and_then(|event| event.first().map(|name| name.get()));
                name.and_then(|name| serde_json::from_str::<Value>(name).ok())
                    .is_some_and(|name| name.is_string() || name.is_number())
            }
            b'3' | b'6' => !self.id.is_empty() && is(b'['),
            _ => false,
        }
    }
}

pub(super) fn hear(server: &mut Server, message: &OwnedMessage) -> Result<(), Closed> {
    let OwnedMessage::Text(text) = message else {
        server.attachments = server.attachments.checked_sub(1).ok_or(Closed)?;
        return Ok(());
    };
    if text == b"3" {
        return Ok(());
    }
    let packet = Packet::read(text).filter(Packet::is_valid).ok_or(Closed)?;
    // An id that no number can hold is of no client.
    let id = match packet.id {
        "" => None,
        id => Some(id.parse::<u64>().map_err(|_| Closed)?),
    };
    if server.attachments > 0 || packet.attachments > 8 {
        return Err(Closed);
    }
    server.attachments = packet.attachments;
    let (name, is_open) = (
        packet.namespace,
        server.state.contains_key(packet.namespace.as_bytes()),
    );
    let prefix = if name == "/" {
        String::new()
    } else {
        format!("{name},")
    };
    match packet.kind {
        b'0' if name.contains('!') => server.text(format!(r#"44{prefix}{{"message":"no"}}"#)),
        b'0' if is_open => return Err(Closed),
        b'0' => {
            server.text(format!(r#"40{prefix}{{"sid":"s"}}"#));
            server.state.insert(name.into(), packet.data.into());
        }
        _ if !is_open => return Err(Closed),
        b'1' => {
            server.state.remove(name.as_bytes());
        }
        b'2' | b'5' => {
            if let Some(id) = id {
                server.text(format!("43{prefix}{id}[]"));
            }
        }
        _ => {}
    }
    Ok(())
}
