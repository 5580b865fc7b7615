//! Who is held if nobody vouches for the applications, and who is not: applications as the documentation
//! of their libraries shows them.

use revoir_adapters::{Applications, OwnedMessage, Protocol};

use crate::relay::Relay;
use crate::socket_io::{OPEN, QUERY};

/// Why a client that says this and hears that, in turns, could not be held.
fn refusal(
    protocol: Protocol,
    applications: Applications,
    talk: &[(&[u8], &[u8])],
) -> Option<&'static str> {
    refusal_of(protocol, QUERY, applications, talk)
}

/// The same of a client that came with `query`.
fn refusal_of(
    protocol: Protocol,
    query: &str,
    applications: Applications,
    talk: &[(&[u8], &[u8])],
) -> Option<&'static str> {
    let mut relay = Relay::of(protocol, query, applications);
    let message = |bytes: &[u8]| match protocol {
        Protocol::Mqtt => OwnedMessage::Binary(bytes.to_vec()),
        _ => OwnedMessage::Text(bytes.to_vec()),
    };
    for (said, heard) in talk {
        if !said.is_empty() {
            relay.client(message(said));
        }
        if !heard.is_empty() {
            relay.server(message(heard));
        }
    }
    // Whatever it is, it is forwarded.
    assert_eq!(relay.ended, None);
    relay.unholdable()
}

#[track_caller]
fn only_if_vouched_for(protocol: Protocol, talk: &[(&[u8], &[u8])], why: &str) {
    let refused = refusal(protocol, Applications::Unknown, talk);
    assert!(
        refused.is_some_and(|text| text.contains(why)),
        "{refused:?}"
    );
    assert_eq!(refusal(protocol, Applications::Known, talk), None);
}

#[track_caller]
fn always(protocol: Protocol, talk: &[(&[u8], &[u8])]) {
    assert_eq!(refusal(protocol, Applications::Unknown, talk), None);
}

#[test]
fn socket_io_is_held_if_its_auth_stays_the_same() {
    let talk = |connect: &'static str| -> [(&[u8], &[u8]); 3] {
        [
            (b"", OPEN.as_bytes()),
            (connect.as_bytes(), br#"40{"sid":"s"}"#),
            (br#"42["chat message","hi"]"#, b""),
        ]
    };
    let held = |connect| always(Protocol::SocketIo, &talk(connect));
    held("40");
    held(r#"40{"token":"t"}"#);
    let not = |connect| only_if_vouched_for(Protocol::SocketIo, &talk(connect), "auth");
    // It moves on with every message, and the server sends everything behind it.
    not(r#"40{"serverOffset":0}"#);
    // Later it says which session is its own.
    not(r#"40{"username":"a"}"#);
}

/// `python-socketio` and `socket.io-client-cpp` take no notice of an answer to a CONNECT where they are connected: what their
/// handlers emit is not said to the next server.
#[test]
fn socket_io_of_another_client_than_javascripts_is_held_if_it_only_listens() {
    const PYTHON: &str = "transport=websocket&EIO=4&t=1764480000.25";
    const CPP: &str = "EIO=4&transport=websocket&t=1764480000&room=1";
    let hello: (&[u8], &[u8]) = (b"", OPEN.as_bytes());
    let connect: (&[u8], &[u8]) = (b"40{}", br#"40{"sid":"s"}"#);
    let of =
        |query, applications, talk: &[_]| refusal_of(Protocol::SocketIo, query, applications, talk);
    let listens = [hello, connect, (b"", br#"42["tick",1]"#)];
    assert_eq!(of(PYTHON, Applications::Unknown, &listens), None);
    assert_eq!(of(CPP, Applications::Unknown, &listens), None);
    for emit in [
        &br#"42["join","r"]"#[..],
        br#"421["join","r"]"#,
        br#"451-["x",{"_placeholder":true,"num":0}]"#,
    ] {
        let emits = [hello, connect, (emit, b"")];
        for query in [PYTHON, CPP] {
            let why = of(query, Applications::Unknown, &emits);
            assert!(why.is_some_and(|why| why.contains("emits")), "{why:?}");
        }
    }
    let emits = [hello, connect, (&br#"42["join","r"]"#[..], &b""[..])];
    assert_eq!(of(PYTHON, Applications::Known, &emits), None);
    // Fields of the application stand before those of JavaScript's client.
    assert_eq!(
        of(
            "room=1&EIO=4&transport=websocket",
            Applications::Unknown,
            &emits
        ),
        None
    );
}

#[test]
fn mqtt_is_held_if_it_only_listens() {
    const HELLO: (&[u8], &[u8]) = (b"\x10\x0d\0\x04MQTT\x04\x02\0\x05\0\x01c", b"\x20\x02\0\0");
    const SUBSCRIBE: (&[u8], &[u8]) = (b"\x82\x08\0\x01\0\x03a/#\x01", b"\x90\x03\0\x01\x01");
    always(Protocol::Mqtt, &[HELLO, SUBSCRIBE]);
    let publish: (&[u8], &[u8]) = (b"\x32\x07\0\x01t\0\x02hi", b"\x40\x02\0\x02");
    only_if_vouched_for(Protocol::Mqtt, &[HELLO, publish], "publishes");
    let will: (&[u8], &[u8]) = (
        b"\x10\x13\0\x04MQTT\x04\x06\0\x05\0\x01c\0\x01w\0\x01x",
        b"\x20\x02\0\0",
    );
    only_if_vouched_for(Protocol::Mqtt, &[will, SUBSCRIBE], "a will");
}

#[test]
fn stomp_is_held_if_it_only_listens() {
    const HELLO: (&[u8], &[u8]) = (
        b"CONNECT\naccept-version:1.2\n\n\0",
        b"CONNECTED\nversion:1.2\n\n\0",
    );
    let subscribe: (&[u8], &[u8]) = (b"SUBSCRIBE\nid:1\ndestination:/topic/chat\n\n\0", b"");
    always(Protocol::Stomp, &[HELLO, subscribe]);
    let join: (&[u8], &[u8]) = (b"SEND\ndestination:/topic/chat\n\njoin\0", b"");
    only_if_vouched_for(Protocol::Stomp, &[HELLO, subscribe, join], "sends");
}

#[test]
fn what_clients_repeat_by_themselves_is_held() {
    always(
        Protocol::GraphqlTransportWs,
        &[
            (
                br#"{"type":"connection_init","payload":{"a":1}}"#,
                br#"{"type":"connection_ack"}"#,
            ),
            (
                br#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}"#,
                b"",
            ),
        ],
    );
    always(
        Protocol::ActionCable,
        &[
            (b"", br#"{"type":"welcome"}"#),
            (
                br#"{"command":"subscribe","identifier":"a"}"#,
                br#"{"type":"confirm_subscription","identifier":"a"}"#,
            ),
            (
                br#"{"command":"message","identifier":"a","data":"{}"}"#,
                b"",
            ),
        ],
    );
}
