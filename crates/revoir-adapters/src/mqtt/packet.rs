//! Control packets, as far as an adapter looks into them: MQTT 3.1.1 section 2 and 3, MQTT 5
//! section 2 and 3.

use crate::stream::{Extent, Framing, Rest};

/// A type of packet.
pub(crate) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREC: u8 = 5;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const PUBCOMP: u8 = 7;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const UNSUBACK: u8 = 11;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
    pub(crate) const AUTH: u8 = 15;
}

/// A property of MQTT 5.
pub(crate) mod property {
    pub(crate) const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
    pub(crate) const ASSIGNED_CLIENT_IDENTIFIER: u8 = 0x12;
    pub(crate) const AUTHENTICATION_METHOD: u8 = 0x15;
    pub(crate) const SERVER_REFERENCE: u8 = 0x1c;
    pub(crate) const REASON_STRING: u8 = 0x1f;
    pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
    pub(crate) const TOPIC_ALIAS: u8 = 0x23;
    pub(crate) const USER_PROPERTY: u8 = 0x26;
}

/// Where packets end: their length is in front.
pub(crate) struct Packets;

impl Framing for Packets {
    type Progress = ();

    fn extent(bytes: &[u8], (): &mut ()) -> Extent {
        if !is_first_byte(bytes[0]) {
            return Extent::Malformed;
        }
        let mut cursor = Cursor(&bytes[1..]);
        match cursor.varint() {
            Some(length) => {
                let end = bytes.len() - cursor.0.len() + length;
                if end <= bytes.len() {
                    Extent::Whole(end)
                } else {
                    Extent::Partial
                }
            }
            None if bytes.len() > 4 => Extent::Malformed,
            None => Extent::Partial,
        }
    }

    fn rest(bytes: &[u8], (): ()) -> Option<Rest> {
        let mut cursor = Cursor(&bytes[1..]);
        let length = cursor.varint()?;
        Some(Rest::Bytes(length - cursor.0.len()))
    }
}

/// Whether a packet begins with `byte`: its type and its flags.
const fn is_first_byte(byte: u8) -> bool {
    match (byte >> 4, byte & 0x0f) {
        (0, _) => false,
        (kind::PUBLISH, flags) => flags & 6 != 6,
        (kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE, flags) => flags == 2,
        (_, flags) => flags == 0,
    }
}

/// A packet, or the start of one.
#[derive(Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) body: Cursor<'a>,
}

impl<'a> Packet<'a> {
    /// `bytes` begin a packet, and its length is among them.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut body = Cursor(bytes.get(1..)?);
        body.varint()?;
        Some(Self { bytes, body })
    }

    pub(crate) const fn kind(&self) -> u8 {
        self.bytes[0] >> 4
    }

    /// The quality of service of a PUBLISH.
    pub(crate) const fn qos(&self) -> u8 {
        self.bytes[0] >> 1 & 3
    }

    /// What stands before the payload of a PUBLISH.
    pub(crate) fn publish(self, is_v5: bool) -> Option<Publish> {
        let mut body = self.body;
        body.string()?;
        let id = if self.qos() == 0 { 0 } else { body.id()? };
        let has_alias = is_v5
            && body
                .properties()?
                .any(|(id, _)| id == property::TOPIC_ALIAS);
        Some(Publish { id, has_alias })
    }

    /// The packet identifier of any other packet that has one.
    pub(crate) fn id(self) -> Option<u16> {
        let mut body = self.body;
        body.id()
    }

    /// Whether a PUBACK, PUBREC, PUBREL or PUBCOMP says that it went wrong. MQTT 3.1.1 cannot.
    pub(crate) fn is_failure(self) -> bool {
        self.body.0.get(2).is_some_and(|&reason| reason >= 0x80)
    }
}

/// What stands before the payload of a PUBLISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Its packet identifier, 0 if it has none.
    pub(crate) id: u16,
    pub(crate) has_alias: bool,
}

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub(crate) fn number(&mut self) -> Option<u16> {
        self.bytes(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A packet identifier: it is not 0.
    pub(crate) fn id(&mut self) -> Option<u16> {
        self.number().filter(|&id| id != 0)
    }

    /// A string, or binary data.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(length.into())
    }

    /// A variable byte integer.
    pub(crate) fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Properties with their length in front.
    pub(crate) fn properties(&mut self) -> Option<Properties<'a>> {
        let length = self.varint()?;
        let bytes = self.bytes(length)?;
        let is_valid = {
            let mut all = Properties(Cursor(bytes));
            while all.next().is_some() {}
            all.0.0.is_empty()
        };
        is_valid.then_some(Properties(Cursor(bytes)))
    }
}

/// Properties: identifier and value as it is on the wire.
#[derive(Clone, Copy)]
pub(crate) struct Properties<'a>(Cursor<'a>);

impl<'a> Iterator for Properties<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = self.0;
        let id = cursor.byte()?;
        let value = cursor.0;
        match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => {
                cursor.byte()?;
            }
            0x13 | 0x21 | 0x22 | 0x23 => {
                cursor.bytes(2)?;
            }
            0x02 | 0x11 | 0x18 | 0x27 => {
                cursor.bytes(4)?;
            }
            0x0b => {
                cursor.varint()?;
            }
            0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => {
                cursor.string()?;
            }
            0x26 => {
                cursor.string()?;
                cursor.string()?;
            }
            _ => return None,
        }
        let length = value.len() - cursor.0.len();
        self.0 = cursor;
        Some((id, &value[..length]))
    }
}

/// A packet of this type and these flags.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    put_varint(&mut bytes, body.len());
    bytes.extend_from_slice(body);
    bytes
}

fn put_varint(bytes: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(low | if value > 0 { 0x80 } else { 0 });
        if value == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_ends_where_its_length_says() {
        let extent = |bytes: &[u8]| Packets::extent(bytes, &mut ());
        assert_eq!(extent(&[0xc0]), Extent::Partial);
        assert_eq!(extent(&[0xc0, 0]), Extent::Whole(2));
        assert_eq!(extent(&[0xc0, 0, 0xc0]), Extent::Whole(2));
        assert_eq!(extent(&[0x30, 0x80, 0x80, 0x80]), Extent::Partial);
        assert_eq!(extent(&[0x30, 0x80, 0x80, 0x80, 0x80]), Extent::Malformed);
        for first in [0x00, 0x11, 0x36, 0x60, 0x80, b'{', b'G'] {
            assert_eq!(extent(&[first, 0]), Extent::Malformed, "{first}");
        }
        let long = packet(0x30, &[0; 300]);
        assert_eq!(extent(&long[..200]), Extent::Partial);
        assert_eq!(Packets::rest(&long[..200], ()), Some(Rest::Bytes(103)));
        assert_eq!(extent(&long), Extent::Whole(303));
    }

    #[test]
    fn properties_are_all_or_none() {
        fn read(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
            Cursor(bytes).properties().map(Iterator::collect)
        }
        assert_eq!(read(&[0]), Some(vec![]));
        let value: &[u8] = &[0, 10];
        assert_eq!(read(&[3, 0x22, 0, 10]), Some(vec![(0x22, value)]));
        assert_eq!(read(&[2, 0x22, 0]), None);
        assert_eq!(read(&[2, 0x7f, 0]), None);
        assert_eq!(read(&[9, 0x22]), None);
    }

    #[test]
    fn what_stands_before_a_payload() {
        let topic = b"\0\x03a/b";
        let publish = |first, rest: &[u8], is_v5| {
            let bytes = packet(first, &[topic, rest].concat());
            Packet::new(&bytes).and_then(|packet| packet.publish(is_v5))
        };
        let plain = |id| {
            Some(Publish {
                id,
                has_alias: false,
            })
        };
        assert_eq!(publish(0x30, b"hello", false), plain(0));
        assert_eq!(publish(0x32, b"\0\x07hello", false), plain(7));
        assert_eq!(publish(0x32, b"\0\x07\0hello", true), plain(7));
        assert_eq!(publish(0x32, b"\0\0hello", false), None);
        let aliased = publish(0x30, b"\x03\x23\0\x01hello", true);
        assert_eq!(aliased.map(|publish| publish.has_alias), Some(true));
    }
}
