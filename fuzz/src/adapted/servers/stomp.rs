//! STOMP 1.1 and 1.2, as RabbitMQ speaks it: destinations with a `!` are an error, which closes.

use std::collections::BTreeMap;

use super::{Closed, Server};

/// A frame: its headers as they are written, the first of each name.
pub(super) struct Frame<'a> {
    command: &'a [u8],
    headers: BTreeMap<&'a [u8], &'a [u8]>,
}

impl<'a> Frame<'a> {
    /// The first of `bytes`, and where it ends, if it is there whole.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, Closed> {
        let Some(nul) = bytes.iter().position(|&byte| byte == 0) else {
            return Ok(None);
        };
        let mut rest = bytes;
        let command = line(&mut rest).ok_or(Closed)?;
        let mut headers = BTreeMap::new();
        loop {
            let line = line(&mut rest).ok_or(Closed)?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|&byte| byte == b':').ok_or(Closed)?;
            headers.entry(&line[..colon]).or_insert(&line[colon + 1..]);
        }
        let body = bytes.len() - rest.len();
        if body > nul {
            return Err(Closed);
        }
        let end = match headers.get(&b"content-length"[..]) {
            None => nul + 1,
            Some(length) => {
                let length = str::from_utf8(length)
                    .ok()
                    .and_then(|it| it.trim().parse::<usize>().ok());
                let end = length.and_then(|it| it.checked_add(body)).ok_or(Closed)?;
                match bytes.get(end) {
                    Some(0) => end + 1,
                    Some(_) => return Err(Closed),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some((Self { command, headers }, end)))
    }

    fn header(&self, name: &str) -> Result<&'a [u8], Closed> {
        self.headers.get(name.as_bytes()).copied().ok_or(Closed)
    }
}

/// A line without its end.
fn line<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let line = &bytes[..end];
    *bytes = &bytes[end + 1..];
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

pub(super) fn hear(server: &mut Server) -> Result<(), Closed> {
    let bytes = std::mem::take(&mut server.partial);
    let mut at = 0;
    loop {
        match &bytes[at..] {
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            left => match Frame::first(left)? {
                Some((frame, length)) => {
                    take(server, &frame)?;
                    at += length;
                }
                None => break,
            },
        }
    }
    server.partial = bytes[at..].to_vec();
    Ok(())
}

fn take(server: &mut Server, frame: &Frame<'_>) -> Result<(), Closed> {
    let is_hello = matches!(frame.command, b"CONNECT" | b"STOMP");
    if is_hello == server.is_greeted {
        return Err(Closed);
    }
    match frame.command {
        b"CONNECT" | b"STOMP" => {
            let versions = frame.header("accept-version")?;
            let mut versions = versions.split(|&byte| byte == b',');
            let version = versions
                .find(|it| matches!(*it, b"1.2" | b"1.1"))
                .ok_or(Closed)?;
            server.is_greeted = true;
            server.text([b"CONNECTED\nversion:", version, b"\n\n\0"].concat());
        }
        b"SUBSCRIBE" => {
            let (id, destination) = (frame.header("id")?, frame.header("destination")?);
            if server.state.contains_key(id) || destination.contains(&b'!') {
                return Err(Closed);
            }
            let mut what = Vec::new();
            for (name, value) in &frame.headers {
                // It is said again without its body, which means nothing.
                if *name != b"receipt" && *name != b"content-length" {
                    what.extend([name, &b":"[..], value, &b"\n"[..]].concat());
                }
            }
            server.state.insert(id.to_vec(), what);
        }
        b"UNSUBSCRIBE" => {
            server.state.remove(frame.header("id")?).ok_or(Closed)?;
        }
        b"SEND" => {
            frame.header("destination")?;
        }
        b"ACK" | b"NACK" => {
            frame.header("id")?;
        }
        b"BEGIN" | b"COMMIT" | b"ABORT" => {
            frame.header("transaction")?;
        }
        _ => return Err(Closed),
    }
    if let Ok(receipt) = frame.header("receipt") {
        server.text([b"RECEIPT\nreceipt-id:", receipt, b"\n\n\0"].concat());
    }
    Ok(())
}
