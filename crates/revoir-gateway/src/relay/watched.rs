//! [`Watched`]: the adapter of a connection, and the messages that it is shown.

use std::time::Duration;

use revoir_adapters::{Adapter, OwnedMessage, Unholdable};
use revoir_proto::Role;
use revoir_proto::extension::deflate::{Decompressor, Direction, WindowBits};
use revoir_proto::frame::{FrameHeader, Mask, Opcode};

use crate::relay::missing::Turn;
use crate::relay::verdict::BackendEnd;

/// A message that is not kept until it is whole cannot be shown.
pub(super) const TOO_LONG: Unholdable =
    Unholdable::forever("a message was too long to be looked at");

/// A message that was shown could not be inflated.
const NOT_DEFLATED: Unholdable = Unholdable::forever("a compressed message cannot be read");

/// The adapter of a connection.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) adapter: Box<dyn Adapter>,
    /// Of both sides: every message stands alone.
    inflater: Decompressor,
    /// Until when a backend may take to answer what is said again.
    pub(super) greeting: Option<Duration>,
    /// Its program may have something to say to its new backend.
    pub(super) turn: Option<Turn>,
}

/// The first message of some that are whole.
#[derive(Debug)]
pub(super) struct Shown {
    /// Its end on the wire.
    pub(super) end: usize,
    pub(super) message: Result<OwnedMessage, Unholdable>,
}

impl Watched {
    pub(super) fn new(adapter: Box<dyn Adapter>) -> Self {
        let alone = Direction {
            context_takeover: false,
            max_window_bits: WindowBits::MAX,
        };
        Self {
            adapter,
            inflater: Decompressor::new(alone),
            greeting: None,
            turn: None,
        }
    }

    /// A copy of the first message in `wire`, unmasked and inflated to no more than `limit` bytes.
    /// `reader`: the role of the endpoint that was sent it.
    pub(super) fn first(&mut self, wire: &[u8], reader: Role, limit: usize) -> Shown {
        let (mut payload, mut at, mut kind) = (Vec::new(), 0, None);
        while let Ok(Some((header, head))) = FrameHeader::parse(&wire[at..], reader, true) {
            let start = at + head;
            // The frames were whole when they came here.
            let end = start + header.length as usize;
            let (opcode, is_deflated) = *kind.get_or_insert((header.opcode, header.rsv1));
            let before = payload.len();
            payload.extend_from_slice(wire.get(start..end).unwrap_or_default());
            if let Some(key) = header.masking_key {
                Mask::new(key).apply(&mut payload[before..]);
            }
            at = end;
            if header.fin {
                let message = match is_deflated {
                    true => self.inflated(&payload, limit),
                    false => Ok(payload),
                };
                let message = message.map(|payload| match opcode {
                    Opcode::Text => OwnedMessage::Text(payload),
                    _ => OwnedMessage::Binary(payload),
                });
                return Shown { end, message };
            }
        }
        // Only whole messages come here.
        let (end, message) = (wire.len(), Err(TOO_LONG));
        Shown { end, message }
    }

    /// Whether a backend that ends so restarts, as far as its protocol tells.
    pub(super) fn restarts(&self, end: &BackendEnd) -> bool {
        match end {
            BackendEnd::Closed(frame) => {
                let reason = frame.reason().as_bytes();
                self.adapter.is_restart(frame.code(), reason)
            }
            BackendEnd::Lost | BackendEnd::Broke(_) => true,
        }
    }

    fn inflated(&mut self, payload: &[u8], limit: usize) -> Result<Vec<u8>, Unholdable> {
        let mut out = Vec::new();
        let inflated = self.inflater.decompress(payload, true, limit, &mut out);
        inflated.map(|()| out).map_err(|_| NOT_DEFLATED)
    }
}
