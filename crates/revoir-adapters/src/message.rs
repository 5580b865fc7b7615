//! Messages as an adapter sees and says them.

/// A whole message: unmasked, inflated, put together from its fragments. Whether text is UTF-8 has
/// not been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Opcode 1.
    Text(&'a [u8]),
    /// Opcode 2.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The bytes of either kind.
    pub const fn payload(self) -> &'a [u8] {
        match self {
            Self::Text(payload) | Self::Binary(payload) => payload,
        }
    }

    /// A copy that stays.
    pub fn to_owned(self) -> OwnedMessage {
        match self {
            Self::Text(payload) => OwnedMessage::Text(payload.to_vec()),
            Self::Binary(payload) => OwnedMessage::Binary(payload.to_vec()),
        }
    }
}

/// A message that an adapter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedMessage {
    /// Opcode 1. UTF-8, as far as what it repeats was.
    Text(Vec<u8>),
    /// Opcode 2.
    Binary(Vec<u8>),
}

impl OwnedMessage {
    /// The same, borrowed.
    pub fn as_message(&self) -> Message<'_> {
        match self {
            Self::Text(payload) => Message::Text(payload),
            Self::Binary(payload) => Message::Binary(payload),
        }
    }
}

/// What an adapter says by itself, in order. The relay takes it after every call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// To the client.
    pub to_client: Vec<OwnedMessage>,
    /// To the server that is there.
    pub to_server: Vec<OwnedMessage>,
}

impl Outbox {
    /// Says text to the client.
    pub fn text_to_client(&mut self, text: impl Into<Vec<u8>>) {
        self.to_client.push(OwnedMessage::Text(text.into()));
    }

    /// Says text to the server.
    pub fn text_to_server(&mut self, text: impl Into<Vec<u8>>) {
        self.to_server.push(OwnedMessage::Text(text.into()));
    }

    /// Says bytes to the client.
    pub fn binary_to_client(&mut self, bytes: impl Into<Vec<u8>>) {
        self.to_client.push(OwnedMessage::Binary(bytes.into()));
    }

    /// Says bytes to the server.
    pub fn binary_to_server(&mut self, bytes: impl Into<Vec<u8>>) {
        self.to_server.push(OwnedMessage::Binary(bytes.into()));
    }
}
