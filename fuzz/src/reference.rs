//! A second reading of RFC 6455 for received bytes: slow, whole, and written for this purpose.

use revoir_proto::{CloseCode, Event, Message, Role};

use crate::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT};

/// What received bytes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A Close frame or a violation: nothing counts any more.
    Closing,
}

/// What all of some bytes mean, and the code to close with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub seen: Vec<Seen>,
    /// Of the Close frame to send. `Some(None)`: it is empty.
    pub close: Option<Option<u16>>,
}

impl Reading {
    #[must_use]
    pub fn messages(&self) -> usize {
        let is_message = |seen: &&Seen| matches!(seen, Seen::Text(_) | Seen::Binary(_));
        self.seen.iter().filter(is_message).count()
    }
}

/// The event in the words of this module. `None` for the ending.
#[must_use]
pub fn seen(event: &Event) -> Option<Seen> {
    Some(match event {
        Event::Message(Message::Text(text)) => Seen::Text(text.as_bytes().to_vec()),
        Event::Message(Message::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
        Event::Ping(payload) => Seen::Ping(payload.to_vec()),
        Event::Pong { payload, .. } => Seen::Pong(payload.to_vec()),
        Event::Closing => Seen::Closing,
        Event::Ended(_) => return None,
        other => panic!("unknown event {other:?}"),
    })
}

/// Why reading stops.
enum Stop {
    /// Bytes are missing.
    Short,
    /// The code to close with.
    Close(Option<u16>),
}

/// Reads `bytes` as the endpoint with `role` does, without compression.
#[must_use]
pub fn read(role: Role, limit: usize, bytes: &[u8]) -> Reading {
    let mut reader = Reader {
        role,
        limit: limit as u64,
        rest: bytes,
        message: None,
        seen: Vec::new(),
    };
    loop {
        match reader.frame() {
            Ok(()) => {}
            Err(Stop::Short) => {
                let (seen, close) = (reader.seen, None);
                return Reading { seen, close };
            }
            Err(Stop::Close(code)) => {
                reader.seen.push(Seen::Closing);
                let (seen, close) = (reader.seen, Some(code));
                return Reading { seen, close };
            }
        }
    }
}

struct Reader<'a> {
    role: Role,
    limit: u64,
    rest: &'a [u8],
    /// Whether the unfinished message is text, and its bytes.
    message: Option<(bool, Vec<u8>)>,
    seen: Vec<Seen>,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Stop::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn frame(&mut self) -> Result<(), Stop> {
        let first = self.take(1)?[0];
        let (fin, opcode) = (first & FIN != 0, first & 0x0F);
        let is_control = opcode >= 8;
        rule(matches!(
            opcode,
            CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG
        ))?;
        rule(first & 0x70 == 0)?;
        rule(fin || !is_control)?;
        let second = self.take(1)?[0];
        let masked = second & 0x80 != 0;
        rule(masked == (self.role == Role::Server))?;
        let short = second & 0x7F;
        rule(!is_control || short <= 125)?;
        let length = self.length(short)?;
        let mut key = [0; 4];
        if masked {
            key.copy_from_slice(self.take(4)?);
        }
        if is_control {
            let payload = self.take(length as usize)?.to_vec();
            return self.control(opcode, &unmasked(&payload, key));
        }
        self.data(fin, opcode, length, key)
    }

    fn length(&mut self, short: u8) -> Result<u64, Stop> {
        match short {
            126 => {
                let wire = self.take(2)?;
                let length = u64::from(wire[0]) << 8 | u64::from(wire[1]);
                rule(length >= 126)?;
                Ok(length)
            }
            127 => {
                rule(self.rest.first().is_none_or(|byte| byte & 0x80 == 0))?;
                let wire = self.take(8)?;
                let length = wire.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                rule(length > 0xFFFF)?;
                Ok(length)
            }
            _ => Ok(short.into()),
        }
    }

    fn data(&mut self, fin: bool, opcode: u8, length: u64, key: [u8; 4]) -> Result<(), Stop> {
        rule((opcode == CONTINUATION) == self.message.is_some())?;
        let (is_text, mut message) = self.message.take().unwrap_or((opcode == TEXT, Vec::new()));
        if length.saturating_add(message.len() as u64) > self.limit {
            return Err(Stop::Close(Some(1009)));
        }
        let available = self.rest.len().min(length as usize);
        let complete = available as u64 == length;
        let payload = self.take(available)?.to_vec();
        message.extend(unmasked(&payload, key));
        if is_text && let Err(error) = std::str::from_utf8(&message) {
            let ends = complete && fin;
            if error.error_len().is_some() || ends {
                return Err(Stop::Close(Some(1007)));
            }
        }
        if !complete {
            return Err(Stop::Short);
        }
        if fin {
            let seen = if is_text { Seen::Text } else { Seen::Binary };
            self.seen.push(seen(message));
        } else {
            self.message = Some((is_text, message));
        }
        Ok(())
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Stop> {
        match opcode {
            PING => self.seen.push(Seen::Ping(payload.to_vec())),
            PONG => self.seen.push(Seen::Pong(payload.to_vec())),
            _ => return Err(Stop::Close(close_answer(payload))),
        }
        Ok(())
    }
}

/// The code that answers a Close frame.
fn close_answer(payload: &[u8]) -> Option<u16> {
    let (code, reason) = match payload {
        [] => return None,
        [_] => return Some(1002),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    // Which numbers these are stands once, and its test has its own reading of section 7.4.
    if !CloseCode::new(code).may_be_received() {
        return Some(1002);
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Some(code),
        Err(_) => Some(1007),
    }
}

fn rule(kept: bool) -> Result<(), Stop> {
    if kept {
        Ok(())
    } else {
        Err(Stop::Close(Some(1002)))
    }
}

fn unmasked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}
