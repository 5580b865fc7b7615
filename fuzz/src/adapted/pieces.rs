//! [`Pieces`]: what clients and servers of the protocols say, whole, changed or cut.

use arbitrary::{Result, Unstructured};
use revoir_adapters::{OwnedMessage, Protocol};

/// `#` in it becomes a number that grows.
type Table = &'static [&'static [u8]];

/// Of one protocol.
pub(super) struct Pieces {
    hellos: Table,
    client: Table,
    server: Table,
    is_binary: bool,
    number: u32,
}

impl Pieces {
    pub(super) fn of(protocol: Protocol) -> Self {
        let (hellos, client, server) = match protocol {
            Protocol::SocketIo => (SOCKET_IO_HELLO, SOCKET_IO_CLIENT, SOCKET_IO_SERVER),
            Protocol::GraphqlTransportWs => (GRAPHQL_HELLO, TRANSPORT_WS_CLIENT, GRAPHQL_SERVER),
            Protocol::GraphqlWs => (GRAPHQL_HELLO, GRAPHQL_WS_CLIENT, GRAPHQL_SERVER),
            Protocol::Mqtt => (MQTT_HELLO, MQTT_CLIENT, MQTT_SERVER),
            Protocol::Stomp => (STOMP_HELLO, STOMP_CLIENT, STOMP_SERVER),
            Protocol::ActionCable => (CABLE_CLIENT, CABLE_CLIENT, CABLE_SERVER),
            _ => unreachable!("a protocol without pieces"),
        };
        let is_binary = protocol == Protocol::Mqtt;
        Self {
            hellos,
            client,
            server,
            is_binary,
            number: 0,
        }
    }

    pub(super) fn hello(&mut self, which: usize, messages: &mut Vec<OwnedMessage>) {
        let piece = self.hellos[which % self.hellos.len()];
        let piece = self.numbered(piece);
        messages.push(self.message(piece));
    }

    pub(super) fn client(
        &mut self,
        input: &mut Unstructured<'_>,
        messages: &mut Vec<OwnedMessage>,
    ) -> Result<()> {
        self.some(self.client, input, messages)
    }

    pub(super) fn server(
        &mut self,
        input: &mut Unstructured<'_>,
        messages: &mut Vec<OwnedMessage>,
    ) -> Result<()> {
        self.some(self.server, input, messages)
    }

    fn some(
        &mut self,
        table: Table,
        input: &mut Unstructured<'_>,
        messages: &mut Vec<OwnedMessage>,
    ) -> Result<()> {
        let piece = table[usize::from(input.arbitrary::<u8>()?) % table.len()];
        let mut bytes = self.numbered(piece);
        match input.arbitrary::<u8>()? % 24 {
            0 => {
                let at = usize::from(input.arbitrary::<u8>()?) % bytes.len();
                bytes[at] = input.arbitrary()?;
            }
            1 => bytes.truncate(usize::from(input.arbitrary::<u8>()?) % bytes.len()),
            2 => {
                let length = usize::from(input.arbitrary::<u8>()?).min(input.len());
                bytes = input.bytes(length)?.to_vec();
            }
            3 => {
                let length = usize::from(input.arbitrary::<u8>()?) * 300;
                bytes.resize(bytes.len() + length, b'x');
            }
            4 => {
                // The start of something long.
                let length = usize::from(input.arbitrary::<u8>()?) * 300;
                let at = bytes.len() / 2;
                bytes.splice(at..at, std::iter::repeat_n(b'x', length));
            }
            5 => {
                for _ in 0..input.arbitrary::<u8>()? {
                    let bytes = self.numbered(piece);
                    messages.push(self.message(bytes));
                }
            }
            // Several units in a message, or one in several.
            6 => bytes.extend(self.numbered(table[bytes.len() % table.len()])),
            7 | 8 => {
                let size = usize::from(input.arbitrary::<u8>()?) % 20 + 1;
                for part in bytes.chunks(size) {
                    messages.push(self.message(part.to_vec()));
                }
                return Ok(());
            }
            9 => {
                messages.push(OwnedMessage::Binary(bytes));
                return Ok(());
            }
            _ => {}
        }
        messages.push(self.message(bytes));
        Ok(())
    }

    fn numbered(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(piece.len() + 4);
        for &byte in piece {
            if byte != b'#' || self.is_binary {
                bytes.push(byte);
                continue;
            }
            bytes.extend(self.number.to_string().bytes());
            self.number += 1;
        }
        bytes
    }

    fn message(&self, bytes: Vec<u8>) -> OwnedMessage {
        match self.is_binary {
            true => OwnedMessage::Binary(bytes),
            false => OwnedMessage::Text(bytes),
        }
    }
}

const SOCKET_IO_HELLO: Table = &[b"40", br#"40{"token":"t"}"#, b"40/a,"];
const SOCKET_IO_CLIENT: Table = &[
    b"40",
    b"40/a,",
    br#"40/a,{"token":1e400}"#,
    br#"40/b,{"t":{"u":[1,"x"]}}"#,
    b"40/no!,",
    b"40/n#,",
    b"41",
    b"41/a,",
    b"41/b,",
    br#"42["x"]"#,
    br#"42#["x"]"#,
    br#"42/a,["x",1]"#,
    br#"42/a,7["x"]"#,
    br#"451-["x",{"_placeholder":true,"num":0}]"#,
    b"430[]",
    b"43/a,7[]",
    b"1",
    b"3",
    b"2probe",
];
const SOCKET_IO_SERVER: Table = &[
    br#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
    br#"0{"pingInterval":0,"pingTimeout":0}"#,
    br#"40{"sid":"s"}"#,
    br#"40{"sid":"s","pid":"p"}"#,
    br#"40/a,{"sid":"s","pid":"p"}"#,
    br#"44{"message":"no"}"#,
    br#"44/a,{"message":"no"}"#,
    b"41",
    b"41/a,",
    br#"42["x","offset#"]"#,
    br#"42/a,["x",7,"offset#"]"#,
    br#"42#["x"]"#,
    br#"42/a,7["x"]"#,
    br#"452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    b"430[]",
    b"1",
    b"2",
    b"6",
];

const GRAPHQL_HELLO: Table = &[
    br#"{"type":"connection_init"}"#,
    br#"{"type":"connection_init","payload":{"token":"t"}}"#,
];
const TRANSPORT_WS_CLIENT: Table = &[
    br#"{"type":"connection_init"}"#,
    br#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}"#,
    br#"{"id":"2","type":"subscribe","payload":{"query":"{ a }"}}"#,
    br#"{"id":"3","type":"subscribe","payload":{"query":"query B { b } subscription A { a }","operationName":"A"}}"#,
    br#"{"id":"3","type":"subscribe","payload":{"query":"query B { b } subscription A { a }","operationName":"B"}}"#,
    br#"{"id":"n#","type":"subscribe","payload":{"query":"subscription { a }"}}"#,
    br#"{"id":"1","type":"complete"}"#,
    br#"{"id":"3","type":"complete"}"#,
    br#"{"type":"ping"}"#,
    br#"{"type":"pong","payload":{}}"#,
];
const GRAPHQL_WS_CLIENT: Table = &[
    br#"{"type":"connection_init"}"#,
    br#"{"id":"1","type":"start","payload":{"query":"subscription { a }"}}"#,
    br#"{"id":"2","type":"start","payload":{"query":"{ a }","variables":{}}}"#,
    br#"{"id":"1","type":"start","payload":{"query":"query B { b } subscription A { a }","operationName":"A"}}"#,
    br#"{"id":"n#","type":"start","payload":{"query":"subscription { a }"}}"#,
    br#"{"id":"1","type":"stop"}"#,
    br#"{"id":"2","type":"stop"}"#,
    br#"{"type":"connection_terminate"}"#,
];
const GRAPHQL_SERVER: Table = &[
    br#"{"type":"connection_ack"}"#,
    br#"{"type":"connection_error","payload":{}}"#,
    br#"{"id":"1","type":"next","payload":{"data":{"a":1}}}"#,
    br#"{"id":"1","type":"data","payload":{"data":{"a":1}}}"#,
    br#"{"id":"1","type":"error","payload":[]}"#,
    br#"{"id":"1","type":"complete"}"#,
    br#"{"type":"ping"}"#,
    br#"{"type":"pong"}"#,
    br#"{"type":"ka"}"#,
];

const MQTT_HELLO: Table = &[
    b"\x10\x0d\0\x04MQTT\x04\x02\0\x05\0\x01c",
    b"\x10\x0d\0\x04MQTT\x04\0\0\x05\0\x01c",
    b"\x10\x0d\0\x04MQTT\x05\x02\0\x05\0\0\0",
    b"\x10\x13\0\x04MQTT\x05\0\0\x05\x05\x11\0\0\0\x3c\0\x01c",
    b"\x10\x16\0\x04MQTT\x05\0\0\x05\x08\x11\0\0\0\x3c\x21\0\x05\0\x01c",
];
const MQTT_CLIENT: Table = &[
    b"\x10\x0d\0\x04MQTT\x04\x02\0\x05\0\x01c",
    b"\x82\x08\0\x01\0\x03a/#\x01",
    b"\x82\x09\0\x02\0\0\x03a/#\x02",
    b"\x82\x0b\0\x03\x02\x0b\x07\0\x03a/#\x01",
    b"\x82\x07\0\x04\0\x02b!\0",
    b"\x82\x0c\0\x05\0\x01d\0\0\x03e!\x20\x01",
    b"\xa2\x07\0\x06\0\x03a/#",
    b"\xa2\x08\0\x07\0\0\x03a/#",
    b"\xa2\x05\0\x08\0\x01d",
    b"\x30\x05\0\x01thi",
    b"\x32\x07\0\x01t\0\x02hi",
    b"\x3a\x07\0\x01t\0\x02hi",
    b"\x32\x08\0\x01t\0\x09\0hi",
    b"\x34\x05\0\x01t\0\x0a",
    b"\x62\x02\0\x0a",
    b"\x40\x02\0\x01",
    b"\x50\x02\0\x03",
    b"\x70\x02\0\x03",
    b"\xc0\0",
    b"\xe0\0",
    b"\xf0\0",
];
const MQTT_SERVER: Table = &[
    b"\x20\x02\0\0",
    b"\x20\x02\x01\0",
    b"\x20\x02\0\x05",
    b"\x20\x03\0\0\0",
    b"\x20\x07\0\0\x04\x12\0\x01z",
    b"\x20\x06\0\0\x03\x21\0\x05",
    b"\x90\x03\0\x01\x01",
    b"\x90\x04\0\x02\0\x02",
    b"\x90\x03\0\x01\x80",
    b"\xb0\x02\0\x06",
    b"\xb0\x04\0\x07\0\0",
    b"\x30\x05\0\x01thi",
    b"\x32\x07\0\x01t\0\x01hi",
    b"\x34\x05\0\x01t\0\x03",
    b"\x40\x02\0\x02",
    b"\x50\x02\0\x0a",
    b"\x50\x03\0\x0a\x80",
    b"\x62\x02\0\x03",
    b"\x70\x02\0\x0a",
    b"\xd0\0",
    b"\xe0\x02\x8b\0",
    b"\xe0\0",
    b"\xf0\0",
];

const STOMP_HELLO: Table = &[
    b"CONNECT\naccept-version:1.1,1.2\n\n\0",
    b"STOMP\naccept-version:1.2\nheart-beat:1000,1000\nlogin:a\n\n\0",
    b"CONNECT\naccept-version:1.1\nlogin:a\\c\n\n\0",
];
const STOMP_CLIENT: Table = &[
    b"CONNECT\naccept-version:1.2\n\n\0",
    b"SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\0",
    b"SUBSCRIBE\nid:2\ndestination:/topic/b\\c\nack:client\nx:y\n\n\0",
    b"SUBSCRIBE\r\nid:3\r\ndestination:/topic/c\r\nack:client-individual\r\n\r\n\0\n",
    b"SUBSCRIBE\nid:4\ndestination:/topic/d\nreceipt:r4\n\n\0",
    b"SUBSCRIBE\nid:n#\ndestination:/topic/e\n\n\0",
    b"SUBSCRIBE\nid:5\ndestination:/temp-queue/q\n\n\0",
    b"UNSUBSCRIBE\nid:1\n\n\0",
    b"UNSUBSCRIBE\nid:2\nreceipt:r\n\n\0",
    b"SEND\ndestination:/topic/a\ncontent-length:3\n\na\0b\0",
    b"SEND\ndestination:/topic/a\nreceipt:s#\n\nhi\0",
    b"SEND\ndestination:/queue/a\nreply-to:/temp-queue/a\n\nhi\0",
    b"ACK\nid:m1\n\n\0",
    b"NACK\nid:m1\ntransaction:t\n\n\0",
    b"BEGIN\ntransaction:t\n\n\0",
    b"COMMIT\ntransaction:t\n\n\0",
    b"ABORT\ntransaction:t\n\n\0",
    b"DISCONNECT\nreceipt:bye\n\n\0",
    b"\n",
    b"\r\n",
];
const STOMP_SERVER: Table = &[
    b"CONNECTED\nversion:1.2\n\n\0",
    b"CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n\0\n",
    b"CONNECTED\nversion:1.1\nsession:a\n\n\0",
    b"MESSAGE\nsubscription:1\nmessage-id:m1\ncontent-length:3\n\na\0b\0",
    b"MESSAGE\nsubscription:2\nmessage-id:m#\nack:m1\n\nhi\0",
    b"RECEIPT\nreceipt-id:r\n\n\0",
    b"RECEIPT\nreceipt-id:revoir-0\n\n\0",
    b"ERROR\nmessage:no\n\n\0",
    b"\n",
];

const CABLE_CLIENT: Table = &[
    br#"{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#,
    br##"{"command":"subscribe","identifier":"{\"channel\":\"B\",\"room\":\"#\"}"}"##,
    br#"{"command":"subscribe","identifier":"no!"}"#,
    br#"{"command":"unsubscribe","identifier":"{\"channel\":\"A\"}"}"#,
    br#"{"command":"message","identifier":"{\"channel\":\"A\"}","data":"{\"action\":\"x\"}"}"#,
    br#"{"command":"other","identifier":""}"#,
];
const CABLE_SERVER: Table = &[
    br#"{"type":"welcome"}"#,
    br#"{"type":"ping","message":1}"#,
    br#"{"type":"confirm_subscription","identifier":"{\"channel\":\"A\"}"}"#,
    br#"{"type":"reject_subscription","identifier":"{\"channel\":\"A\"}"}"#,
    br#"{"identifier":"{\"channel\":\"A\"}","message":{"x":1}}"#,
    br#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#,
    br#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
];
