//! Packets as tests write and read them.

/// A packet of this type and these flags.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(body);
    bytes
}

/// A packet that begins with an identifier.
pub(crate) fn with_id(first: u8, id: u16, rest: &[u8]) -> Vec<u8> {
    packet(first, &[&id.to_be_bytes()[..], rest].concat())
}

pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text].concat()
}

pub(crate) fn publish(qos: u8, id: u16, topic: &str, payload: &str) -> Vec<u8> {
    let mut body = string(topic.as_bytes());
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    body.extend_from_slice(payload.as_bytes());
    packet(0x30 | qos << 1, &body)
}

/// Takes whole packets from the front: first byte and body.
pub(crate) fn take(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *bytes.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if bytes.len() < at + length {
        return None;
    }
    let body = bytes[at..at + length].to_vec();
    let first = bytes[0];
    bytes.drain(..at + length);
    Some((first, body))
}

/// A body that is read from the front.
pub(crate) struct Body<'a>(pub(crate) &'a [u8]);

impl<'a> Body<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, left) = self.0.split_at(length);
        self.0 = left;
        taken
    }

    pub(crate) fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes(2).try_into().unwrap())
    }

    pub(crate) fn string(&mut self) -> &'a [u8] {
        let length = self.number();
        self.bytes(length.into())
    }

    /// Properties of less than 128 bytes.
    pub(crate) fn properties(&mut self) {
        let length = self.bytes(1)[0];
        self.bytes(length.into());
    }
}
