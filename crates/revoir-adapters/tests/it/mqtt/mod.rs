//! Each rule, with the packets that real clients and servers send.

mod goodbyes;
mod in_parts;
mod model;
mod packet;
mod replay;
mod rules;

use revoir_adapters::Protocol;

use crate::byte_stream::ByteStream;
use crate::mqtt::packet::{packet, publish, string, with_id};

/// What a client says first.
#[derive(Clone, Copy)]
pub(crate) struct Hello<'a> {
    pub(crate) level: u8,
    pub(crate) is_clean: bool,
    pub(crate) properties: &'a [u8],
    pub(crate) client_id: &'a str,
}

impl Hello<'_> {
    pub(crate) const V4: Self = Self {
        level: 4,
        is_clean: true,
        properties: &[],
        client_id: "c",
    };
    pub(crate) const V5: Self = Self {
        level: 5,
        ..Self::V4
    };

    pub(crate) fn packet(self) -> Vec<u8> {
        let mut body = b"\0\x04MQTT".to_vec();
        body.extend([self.level, if self.is_clean { 2 } else { 0 }, 0, 5]);
        if self.level == 5 {
            body.push(self.properties.len() as u8);
            body.extend_from_slice(self.properties);
        }
        body.extend(string(self.client_id.as_bytes()));
        packet(0x10, &body)
    }
}

pub(crate) fn connack(is_present: bool, reason: u8) -> Vec<u8> {
    packet(0x20, &[u8::from(is_present), reason])
}

/// The CONNACK of MQTT 5, with properties of less than 128 bytes.
pub(crate) fn connack5(is_present: bool, reason: u8, properties: &[u8]) -> Vec<u8> {
    let head = [u8::from(is_present), reason, properties.len() as u8];
    packet(0x20, &[&head[..], properties].concat())
}

pub(crate) fn subscribe(id: u16, filter: &str, options: u8) -> Vec<u8> {
    with_id(
        0x82,
        id,
        &[&string(filter.as_bytes())[..], &[options]].concat(),
    )
}

/// A connection whose hello was accepted.
pub(crate) fn connected(hello: Hello<'_>, connack: &[u8]) -> ByteStream {
    let mut rig = ByteStream::new(Protocol::Mqtt);
    rig.client(&hello.packet());
    rig.server(connack);
    rig.heard_by_client();
    rig.heard_by_server();
    rig
}

/// The same with MQTT 3.1.1 and one subscription.
pub(crate) fn subscribed() -> ByteStream {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    rig.client(&subscribe(1, "a/#", 1));
    rig.server(&with_id(0x90, 1, &[1]));
    rig.heard_by_client();
    rig.heard_by_server();
    rig
}

/// The server is lost, and another one has taken the hello.
pub(crate) fn replace(rig: &mut ByteStream, connack: &[u8]) {
    rig.lose();
    rig.back();
    rig.heard_by_server();
    rig.server(connack);
}
