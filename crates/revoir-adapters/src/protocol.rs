//! Which protocol a connection speaks, as far as its opening handshake tells.

use std::fmt;
use std::str::FromStr;

use crate::action_cable::ActionCable;
use crate::adapter::{Adapter, Unholdable};
use crate::applications::Applications;
use crate::graphql::{Dialect, Graphql};
use crate::mqtt::Mqtt;
use crate::socket_io::{self, SocketIo};
use crate::stomp::Stomp;

/// 16 bytes in base64url.
const SIGNALR_ID: usize = 22;

const OF_ITS_PROCESS: Unholdable =
    Unholdable::forever("only the process that gave the id in the query knows it (SignalR)");

/// The opening handshake, as far as it tells what is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// The path of the request, without the query.
    pub path: &'a str,
    /// The query of the request, without the `?`.
    pub query: &'a str,
    /// The subprotocol that the server agreed to.
    pub subprotocol: Option<&'a str>,
}

impl Handshake<'_> {
    /// Why nobody is held who speaks one of the protocols without an adapter that a handshake tells: SignalR's
    /// clients name the id which their server gave them when they negotiated, 16 random bytes.
    pub fn unholdable(&self) -> Option<Unholdable> {
        let mut query = form_urlencoded::parse(self.query.as_bytes());
        let is_of_signalr = self.subprotocol.is_none()
            && query.any(|(name, value)| name == "id" && is_base64url(&value, SIGNALR_ID));
        is_of_signalr.then_some(OF_ITS_PROCESS)
    }
}

/// Whether a text is so many characters of base64url (RFC 4648 section 5).
fn is_base64url(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == length && text.bytes().all(is_digit)
}

/// A protocol that has an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Socket.IO 5 over Engine.IO 4.
    SocketIo,
    /// The subprotocol `graphql-transport-ws`.
    GraphqlTransportWs,
    /// The older subprotocol `graphql-ws`, of subscriptions-transport-ws.
    GraphqlWs,
    /// MQTT 3.1.1 and 5.
    Mqtt,
    /// STOMP 1.1 and 1.2.
    Stomp,
    /// Action Cable of Rails, `actioncable-v1-json`.
    ActionCable,
}

impl Protocol {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::SocketIo,
        Self::GraphqlTransportWs,
        Self::GraphqlWs,
        Self::Mqtt,
        Self::Stomp,
        Self::ActionCable,
    ];

    /// Its name in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SocketIo => "socket.io",
            Self::GraphqlTransportWs => "graphql-transport-ws",
            Self::GraphqlWs => "graphql-ws",
            Self::Mqtt => "mqtt",
            Self::Stomp => "stomp",
            Self::ActionCable => "action-cable",
        }
    }

    /// What a handshake says that it speaks, if it says so. The adapter verifies it by the first
    /// messages.
    pub fn detect(handshake: &Handshake<'_>) -> Option<Self> {
        match handshake.subprotocol {
            Some("graphql-transport-ws") => Some(Self::GraphqlTransportWs),
            Some("graphql-ws") => Some(Self::GraphqlWs),
            Some("mqtt") => Some(Self::Mqtt),
            Some("v11.stomp" | "v12.stomp") => Some(Self::Stomp),
            Some("actioncable-v1-json") => Some(Self::ActionCable),
            Some(_) => None,
            None => socket_io::is_spoken(handshake.query).then_some(Self::SocketIo),
        }
    }

    /// An adapter for a connection that begins.
    ///
    /// # Errors
    ///
    /// Why the handshake shows already that this connection may not be held.
    pub fn adapter(
        self,
        handshake: &Handshake<'_>,
        applications: Applications,
    ) -> Result<Box<dyn Adapter>, Unholdable> {
        Ok(match self {
            Self::SocketIo => Box::new(SocketIo::new(handshake.query, applications)?),
            Self::GraphqlTransportWs => Box::new(Graphql::new(Dialect::TransportWs)),
            Self::GraphqlWs => Box::new(Graphql::new(Dialect::Ws)),
            Self::Mqtt => Box::new(Mqtt::new(applications)),
            Self::Stomp => Box::new(Stomp::new(applications)),
            Self::ActionCable => Box::new(ActionCable::new()),
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProtocol;

impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no protocol with an adapter; there are ")?;
        for (i, protocol) in Protocol::ALL.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{protocol}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownProtocol {}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        let mut all = Self::ALL.iter().copied();
        all.find(|protocol| protocol.name() == name)
            .ok_or(UnknownProtocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(query: &str, subprotocol: Option<&str>) -> Option<Protocol> {
        Protocol::detect(&Handshake {
            path: "/",
            query,
            subprotocol,
        })
    }

    #[test]
    fn a_subprotocol_or_a_query_tells() {
        for protocol in [Protocol::GraphqlTransportWs, Protocol::GraphqlWs] {
            assert_eq!(detect("", Some(protocol.name())), Some(protocol));
        }
        assert_eq!(detect("", Some("mqtt")), Some(Protocol::Mqtt));
        assert_eq!(detect("", Some("v12.stomp")), Some(Protocol::Stomp));
        assert_eq!(detect("", Some("v10.stomp")), None);
        let rails = Some("actioncable-v1-json");
        assert_eq!(detect("", rails), Some(Protocol::ActionCable));
        let socket_io = "EIO=4&transport=websocket";
        assert_eq!(detect(socket_io, None), Some(Protocol::SocketIo));
        assert_eq!(detect(socket_io, Some("chat")), None);
        assert_eq!(detect("", None), None);
        assert_eq!(detect("EIO=3&transport=websocket", None), None);
    }

    #[test]
    fn an_id_of_signalr_is_a_reason() {
        let why = |query: &str, subprotocol: Option<&str>| {
            let handshake = Handshake {
                path: "/hub",
                query,
                subprotocol,
            };
            handshake.unholdable().map(Unholdable::text)
        };
        let id = "id=8J2bQ-x_3kEwXqYh0aZb1Q";
        let reason = Some(OF_ITS_PROCESS.text());
        assert_eq!(why(id, None), reason);
        assert_eq!(why(&format!("access_token=a&{id}"), None), reason);
        assert_eq!(why(id, Some("chat")), None);
        assert_eq!(why("id=7", None), None);
        assert_eq!(why("id=8J2bQ x_3kEwXqYh0aZb1Q", None), None);
        assert_eq!(why("", None), None);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for &protocol in Protocol::ALL {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        let unknown = "smoke-signals".parse::<Protocol>().unwrap_err();
        assert!(unknown.to_string().contains("socket.io, graphql-"));
    }
}
