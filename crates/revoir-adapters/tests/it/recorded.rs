//! What real peers say, in which order, and what follows for a client. Recorded between npm
//! `socket.io` and `socket.io-client` 4.8, `graphql-ws` 6.4, `subscriptions-transport-ws` 0.11 and
//! python `python-socketio` 5.18; ids and payloads are our own.

use revoir_adapters::Protocol;
use revoir_codes::CloseCode;

use crate::relay::Relay;
use crate::socket_io::{OPEN, QUERY};

/// Who says something.
#[derive(Clone, Copy, Debug)]
enum By {
    Client,
    Server,
}
use By::{Client, Server};

/// What follows when the server goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    /// The client is held.
    Held,
    /// The Close frame is passed: it means this client.
    Passed,
    /// The connection ends like a tunnel.
    Unholdable(&'static str),
}
use Follows::{Held, Passed, Unholdable};

struct Scene {
    what: &'static str,
    protocol: Protocol,
    said: &'static [(By, &'static str)],
    /// The code of the server's Close frame, 1006 without one.
    close: u16,
    follows: Follows,
}

/// A Socket.IO client in two namespaces.
const JOINED: [(By, &str); 6] = [
    (Server, OPEN),
    (Client, r#"40{"token":"t"}"#),
    (Client, "40/admin,"),
    (Server, r#"40{"sid":"s1"}"#),
    (Server, r#"42["hi",1]"#),
    (Server, r#"40/admin,{"sid":"s2"}"#),
];

const INIT: (By, &str) = (
    Client,
    r#"{"type":"connection_init","payload":{"token":"t"}}"#,
);
const ACK: (By, &str) = (Server, r#"{"type":"connection_ack"}"#);
const SUBSCRIBE: (By, &str) = (
    Client,
    r#"{"id":"edf5","type":"subscribe","payload":{"query":"subscription { n }"}}"#,
);
const START: (By, &str) = (
    Client,
    r#"{"id":"1","type":"start","payload":{"query":"subscription { n }"}}"#,
);
const KEEP_ALIVE: (By, &str) = (Server, r#"{"type":"ka"}"#);

const SCENES: &[Scene] = &[
    Scene {
        what: "socket.io: io.close()",
        protocol: Protocol::SocketIo,
        said: &[],
        close: 1005,
        follows: Held,
    },
    Scene {
        what: "socket.io: the process is killed",
        protocol: Protocol::SocketIo,
        said: &[],
        close: 1006,
        follows: Held,
    },
    Scene {
        what: "socket.io: disconnectSockets(true)",
        protocol: Protocol::SocketIo,
        said: &[(Server, "41"), (Server, "41/admin,")],
        close: 1005,
        follows: Unholdable("no namespace is connected"),
    },
    Scene {
        what: "socket.io: disconnectSockets(), and the client leaves the rest",
        protocol: Protocol::SocketIo,
        said: &[(Server, "41"), (Client, "41/admin,")],
        close: 1005,
        follows: Unholdable("no namespace is connected"),
    },
    Scene {
        what: "socket.io: of(\"/admin\").disconnectSockets(), then a restart",
        protocol: Protocol::SocketIo,
        said: &[(Server, "41/admin,")],
        close: 1005,
        follows: Held,
    },
    Scene {
        what: "socket.io: two refused namespaces, then a restart",
        protocol: Protocol::SocketIo,
        said: &[
            (Client, "40/secret,"),
            (Client, "40/nosuch,"),
            (Server, r#"44/nosuch,{"message":"Invalid namespace"}"#),
            (Server, r#"44/secret,{"message":"no"}"#),
        ],
        close: 1005,
        follows: Held,
    },
    Scene {
        what: "socket.io: an ack that came, a ping, another of the server's that nobody answers",
        protocol: Protocol::SocketIo,
        said: &[
            (Client, r#"42["x",1]"#),
            (Client, r#"420["ask",2]"#),
            (Server, r#"420["q",1]"#),
            (Server, "430[2]"),
            (Server, "2"),
            (Client, "3"),
        ],
        close: 1006,
        follows: Held,
    },
    Scene {
        what: "socket.io: an ack that did not come",
        protocol: Protocol::SocketIo,
        said: &[(Client, r#"420["ask",2]"#)],
        close: 1005,
        follows: Unholdable("an emit awaits its ack"),
    },
    Scene {
        what: "python-socketio: sio.disconnect(sid)",
        protocol: Protocol::SocketIo,
        said: &[(Server, "41"), (Server, "41/admin,")],
        close: 1000,
        follows: Passed,
    },
    Scene {
        what: "graphql-ws: dispose(), and the close of its ws server",
        protocol: Protocol::GraphqlTransportWs,
        said: &[INIT, ACK, SUBSCRIBE],
        close: 1001,
        follows: Held,
    },
    Scene {
        what: "graphql-ws: onConnect refuses",
        protocol: Protocol::GraphqlTransportWs,
        said: &[INIT],
        close: 4403,
        follows: Passed,
    },
    Scene {
        what: "graphql-ws: a query that came, and a subscription that is refused",
        protocol: Protocol::GraphqlTransportWs,
        said: &[
            INIT,
            ACK,
            SUBSCRIBE,
            (
                Client,
                r#"{"id":"1f5b","type":"subscribe","payload":{"query":"query Q { a }","operationName":"Q"}}"#,
            ),
            (
                Client,
                r#"{"id":"1f4d","type":"subscribe","payload":{"query":"subscription { nosuch }"}}"#,
            ),
            (
                Server,
                r#"{"id":"1f5b","type":"next","payload":{"data":{"a":1}}}"#,
            ),
            (Server, r#"{"id":"1f5b","type":"complete"}"#),
            (
                Server,
                r#"{"id":"1f4d","type":"error","payload":[{"message":"no"}]}"#,
            ),
        ],
        close: 1006,
        follows: Held,
    },
    Scene {
        what: "graphql-ws: a query whose end has not come",
        protocol: Protocol::GraphqlTransportWs,
        said: &[
            INIT,
            ACK,
            (
                Client,
                r#"{"id":"1f5b","type":"subscribe","payload":{"query":"{ a }"}}"#,
            ),
            (
                Server,
                r#"{"id":"1f5b","type":"next","payload":{"data":{"a":1}}}"#,
            ),
        ],
        close: 1001,
        follows: Unholdable("a query or a mutation is open"),
    },
    Scene {
        what: "subscriptions-transport-ws: what begins before the ack; a stop, and its late complete",
        protocol: Protocol::GraphqlWs,
        said: &[
            INIT,
            START,
            (
                Client,
                r#"{"id":"2","type":"start","payload":{"query":"{ a }"}}"#,
            ),
            ACK,
            KEEP_ALIVE,
            (
                Server,
                r#"{"type":"data","id":"2","payload":{"data":{"a":1}}}"#,
            ),
            (Server, r#"{"type":"complete","id":"2","payload":null}"#),
            (Client, r#"{"id":"1","type":"stop"}"#),
            (Server, r#"{"type":"complete","id":"1","payload":null}"#),
        ],
        close: 1006,
        follows: Held,
    },
    Scene {
        what: "subscriptions-transport-ws: close() cuts the connections",
        protocol: Protocol::GraphqlWs,
        said: &[INIT, START, ACK, KEEP_ALIVE],
        close: 1006,
        follows: Held,
    },
    Scene {
        what: "subscriptions-transport-ws: onConnect refuses",
        protocol: Protocol::GraphqlWs,
        said: &[
            INIT,
            START,
            (
                Server,
                r#"{"type":"connection_error","payload":{"message":"no"}}"#,
            ),
            (
                Server,
                r#"{"type":"error","id":"1","payload":{"message":"no"}}"#,
            ),
        ],
        close: 1011,
        follows: Passed,
    },
    Scene {
        what: "subscriptions-transport-ws: the client closes",
        protocol: Protocol::GraphqlWs,
        said: &[
            INIT,
            START,
            ACK,
            (Client, r#"{"type":"connection_terminate","payload":null}"#),
        ],
        close: 1006,
        follows: Unholdable("the client leaves"),
    },
];

#[test]
fn what_follows_from_what_real_peers_say() {
    for scene in SCENES {
        let is_socket_io = scene.protocol == Protocol::SocketIo;
        let before: &[_] = if is_socket_io { &JOINED } else { &[] };
        let mut relay = Relay::new(scene.protocol, if is_socket_io { QUERY } else { "" });
        for (by, text) in before.iter().chain(scene.said) {
            let passed = match by {
                Client => {
                    relay.client_says(text);
                    relay.server_gets()
                }
                Server => {
                    relay.server_says(text);
                    relay.client_gets()
                }
            };
            assert_eq!(passed, [*text], "untouched in {}", scene.what);
        }
        let code = CloseCode::new(scene.close);
        let is_loss = code == CloseCode::ABNORMAL_CLOSURE;
        let follows = match relay.adapter.holdable() {
            _ if !is_loss && !relay.adapter.is_restart(code, b"") => Passed,
            Ok(()) => Held,
            Err(why) => Unholdable(why.text()),
        };
        assert_eq!(follows, scene.follows, "{}", scene.what);
    }
}
