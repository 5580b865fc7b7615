//! The hello: CONNECT, as it is said again, and CONNACK, as far as it must stay what it was.

use crate::mqtt::packet::{Cursor, Packet, packet, property};

const CLEAN: u8 = 0x02;
const WILL: u8 = 0x04;

/// A CONNECT.
pub(crate) struct Connect {
    pub(crate) is_v5: bool,
    /// Before the flags.
    start: Vec<u8>,
    flags: u8,
    /// Keepalive and properties.
    middle: Vec<u8>,
    client_id: Vec<u8>,
    /// Will, user name and password.
    end: Vec<u8>,
    /// Whether the session outlives the connection.
    is_session_kept: bool,
    /// Whether the client limits how many messages it has not acknowledged.
    pub(crate) has_receive_maximum: bool,
    /// Whether it authenticates in several steps.
    pub(crate) has_authentication: bool,
}

impl Connect {
    /// Reads a CONNECT of MQTT 3.1.1 or 5.
    pub(crate) fn read(packet: Packet<'_>) -> Option<Self> {
        let body = packet.body.0;
        let mut cursor = packet.body;
        let name = cursor.string()?;
        let level = cursor.byte()?;
        if name != b"MQTT" || !matches!(level, 4 | 5) {
            return None;
        }
        let is_v5 = level == 5;
        let start = body[..body.len() - cursor.0.len()].to_vec();
        let flags = cursor.byte()?;
        let from = cursor.0;
        cursor.number()?;
        let (mut expiry, mut has_receive_maximum, mut has_authentication) = (false, false, false);
        if is_v5 {
            for (id, value) in cursor.properties()? {
                match id {
                    property::SESSION_EXPIRY_INTERVAL => expiry = value != [0; 4],
                    property::RECEIVE_MAXIMUM => has_receive_maximum = true,
                    property::AUTHENTICATION_METHOD => has_authentication = true,
                    _ => {}
                }
            }
        }
        let middle = from[..from.len() - cursor.0.len()].to_vec();
        let client_id = cursor.string()?.to_vec();
        Some(Self {
            is_v5,
            start,
            flags,
            middle,
            client_id,
            end: cursor.0.to_vec(),
            is_session_kept: if is_v5 { expiry } else { flags & CLEAN == 0 },
            has_receive_maximum,
            has_authentication,
        })
    }

    /// The same hello to another server. A session that outlives its connection is taken up, also
    /// if the client began it anew: what the server kept for it meanwhile is not lost. In MQTT
    /// 3.1.1 such a session cannot begin anew.
    pub(crate) fn said_again(&self) -> Vec<u8> {
        let flags = if self.is_session_kept {
            self.flags & !CLEAN
        } else {
            self.flags
        };
        // What was read of 16 bits, or assigned in as many.
        let length = u16::try_from(self.client_id.len()).unwrap_or(u16::MAX);
        let body = [
            &self.start[..],
            &[flags],
            &self.middle,
            &length.to_be_bytes(),
            &self.client_id,
            &self.end,
        ]
        .concat();
        packet(0x10, &body)
    }

    /// Whether the server says something in the client's place if the connection breaks.
    pub(crate) const fn has_will(&self) -> bool {
        self.flags & WILL != 0
    }

    /// The server chose the client's identifier.
    pub(crate) fn set_client_id(&mut self, id: &[u8]) {
        self.client_id = id.to_vec();
    }

    pub(crate) fn memory(&self) -> usize {
        self.start.len() + self.middle.len() + self.client_id.len() + self.end.len()
    }
}

/// A CONNACK.
pub(crate) struct Connack {
    pub(crate) is_session_present: bool,
    /// 0: accepted.
    pub(crate) reason: u8,
    /// Empty: none was assigned.
    pub(crate) assigned_id: Vec<u8>,
    /// What else the server grants, in an order of its own: it must not change under a client.
    pub(crate) terms: Vec<u8>,
}

impl Connack {
    pub(crate) fn read(packet: Packet<'_>, is_v5: bool) -> Option<Self> {
        let mut cursor = packet.body;
        let is_session_present = cursor.byte()? & 1 == 1;
        let reason = cursor.byte()?;
        let (mut assigned_id, mut terms) = (Vec::new(), Vec::new());
        if is_v5 {
            for (id, value) in cursor.properties()? {
                match id {
                    property::ASSIGNED_CLIENT_IDENTIFIER => {
                        assigned_id = Cursor(value).string()?.to_vec();
                    }
                    property::REASON_STRING
                    | property::USER_PROPERTY
                    | property::SERVER_REFERENCE => {}
                    _ => terms.push((id, value)),
                }
            }
        }
        terms.sort_unstable();
        let terms = terms
            .iter()
            .flat_map(|(id, value)| [&[*id], *value].concat())
            .collect();
        Some(Self {
            is_session_present,
            reason,
            assigned_id,
            terms,
        })
    }
}
