//! MQTT 3.1.1 and 5: filters with a `!` are refused.

use super::{Closed, Server};

/// A control packet.
pub(super) struct Packet<'a> {
    first: u8,
    body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The first of `bytes`, and where it ends, if it is there whole.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, Closed> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let mut body = rest;
        match varint(&mut body) {
            Some(length) if length <= body.len() => {
                let end = bytes.len() - body.len() + length;
                Ok(Some((
                    Self {
                        first,
                        body: &body[..length],
                    },
                    end,
                )))
            }
            None if rest.len() >= 4 => Err(Closed),
            _ => Ok(None),
        }
    }
}

pub(super) fn hear(server: &mut Server) -> Result<(), Closed> {
    let bytes = std::mem::take(&mut server.partial);
    let mut at = 0;
    while let Some((packet, length)) = Packet::first(&bytes[at..])? {
        take(server, &packet)?;
        at += length;
    }
    server.partial = bytes[at..].to_vec();
    Ok(())
}

fn take(server: &mut Server, packet: &Packet<'_>) -> Result<(), Closed> {
    let (kind, mut body) = (packet.first >> 4, packet.body);
    let is_reserved_right = match kind {
        3 => true,
        6 | 8 | 10 => packet.first & 15 == 2,
        _ => packet.first & 15 == 0,
    };
    if !is_reserved_right || (kind == 1) == server.is_greeted {
        return Err(Closed);
    }
    if kind == 1 {
        return connect(server, body).ok_or(Closed)?;
    }
    let v5 = server.is_v5;
    match kind {
        3 => {
            let topic = string(&mut body).ok_or(Closed)?;
            let qos = packet.first >> 1 & 3;
            if qos == 3 || topic.is_empty() {
                return Err(Closed);
            }
            if qos > 0 {
                let id = identifier(&mut body).ok_or(Closed)?;
                let kind = if qos == 1 { 0x40 } else { 0x50 };
                server.binary([kind, 2, id[0], id[1]]);
            }
            if v5 && properties(&mut body).is_none_or(|it| !it.is_empty()) {
                return Err(Closed);
            }
        }
        4 | 5 | 7 => {
            identifier(&mut body).ok_or(Closed)?;
        }
        6 => {
            let id = identifier(&mut body).ok_or(Closed)?;
            server.binary([0x70, 2, id[0], id[1]]);
        }
        8 | 10 => requests(server, kind == 8, body).ok_or(Closed)?,
        12 if body.is_empty() => server.binary([0xd0, 0]),
        _ => return Err(Closed),
    }
    Ok(())
}

/// `None`: that is not what it should be.
fn connect(server: &mut Server, mut body: &[u8]) -> Option<Result<(), Closed>> {
    let name = string(&mut body)?;
    let (level, flags) = (byte(&mut body)?, byte(&mut body)?);
    identifier(&mut body)?;
    // A will, a name and a password are not in the pieces.
    if name != b"MQTT" || !matches!(level, 4 | 5) || flags & !2 != 0 {
        return None;
    }
    let is_clean = flags == 2;
    server.is_v5 = level == 5;
    server.is_session_kept = !is_clean;
    if server.is_v5 {
        let properties = properties(&mut body)?;
        // The pieces have it in front.
        server.is_session_kept = match properties {
            [] | [0x21, _, _] => false,
            [0x11, a, b, c, d] | [0x11, a, b, c, d, 0x21, _, _] => [a, b, c, d] != [&0; 4],
            _ => return None,
        };
    }
    server.has_no_name = string(&mut body)?.is_empty();
    if !body.is_empty() || server.has_no_name && (!server.is_v5 && !is_clean) {
        return None;
    }
    let session = server.session.take().filter(|_| !is_clean);
    let is_present = u8::from(session.is_some());
    server.state = session.unwrap_or_default();
    server.is_greeted = true;
    match (server.is_v5, server.has_no_name) {
        (false, _) => server.binary([0x20, 2, is_present, 0]),
        (true, false) => server.binary([0x20, 3, is_present, 0, 0]),
        (true, true) => server.binary(*b"\x20\x07\0\0\x04\x12\0\x01z"),
    }
    Some(Ok(()))
}

/// SUBSCRIBE or UNSUBSCRIBE.
fn requests(server: &mut Server, is_subscribe: bool, mut body: &[u8]) -> Option<()> {
    let v5 = server.is_v5;
    let mut answer = identifier(&mut body)?.to_vec();
    let properties: &[u8] = if v5 { properties(&mut body)? } else { &[] };
    if v5 {
        answer.push(0);
    }
    if body.is_empty() || !matches!(properties, [] | [0x0b, 1..=0x7f]) {
        return None;
    }
    while !body.is_empty() {
        let filter = string(&mut body)?;
        if filter.is_empty() {
            return None;
        }
        if !is_subscribe {
            let was_there = server.state.remove(filter).is_some();
            if v5 {
                answer.push(if was_there { 0 } else { 0x11 });
            }
            continue;
        }
        let options = byte(&mut body)?;
        if options & 3 == 3 || options & 0xc0 != 0 || !v5 && options > 2 || options & 0x30 == 0x30 {
            return None;
        }
        if filter.contains(&b'!') {
            answer.push(0x80);
            continue;
        }
        answer.push(options & 3);
        let what = [&[options], properties].concat();
        server.state.insert(filter.to_vec(), what);
    }
    let kind = if is_subscribe { 0x90 } else { 0xb0 };
    let mut packet = vec![kind];
    let mut length = answer.len();
    while length > 127 {
        packet.push((length & 127) as u8 | 128);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend(answer);
    server.binary(packet);
    Some(())
}

fn byte(body: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = body.split_first()?;
    *body = rest;
    Some(first)
}

/// Two bytes, which are not both 0 where it is a packet's; for keepalive they may be.
fn identifier(body: &mut &[u8]) -> Option<[u8; 2]> {
    Some([byte(body)?, byte(body)?])
}

fn string<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_be_bytes(identifier(body)?));
    let (string, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(string)
}

fn properties<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = varint(body)?;
    let (properties, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(properties)
}

fn varint(body: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for place in 0..4 {
        let byte = byte(body)?;
        number |= usize::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            return Some(number);
        }
    }
    None
}
