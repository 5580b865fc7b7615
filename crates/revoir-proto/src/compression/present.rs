//! permessage-deflate on a connection (RFC 7692).

use bytes::Bytes;

use super::snapshot::CompressionSnapshot;
use crate::error::{ProtocolError, SnapshotError};
use crate::extension::AgreedExtensions;
use crate::extension::deflate::{
    Agreed, Compressor, Decompressor, DecompressorState, InflateError,
};
use crate::role::Role;

/// Both directions, and what the unfinished message has inflated to.
#[derive(Debug)]
pub(crate) struct Compression {
    agreed: Agreed,
    compressor: Compressor,
    decompressor: Decompressor,
    inflated: Vec<u8>,
}

impl Compression {
    /// The compression that was agreed on, if any.
    pub(crate) fn new(role: Role, agreed: AgreedExtensions) -> Option<Self> {
        let agreed = agreed.deflate?;
        Some(Self {
            agreed,
            compressor: Compressor::new(agreed.send(role), agreed.level),
            decompressor: Decompressor::new(agreed.receive(role)),
            inflated: Vec::new(),
        })
    }

    /// What was agreed on.
    pub(crate) fn agreed(&self) -> AgreedExtensions {
        AgreedExtensions {
            deflate: Some(self.agreed),
        }
    }

    /// Inflates the next piece of a message: [`inflated`](Self::inflated) grows, also by what
    /// comes before an error.
    pub(crate) fn inflate(
        &mut self,
        piece: &[u8],
        ends: bool,
        limit: usize,
    ) -> Result<(), ProtocolError> {
        self.decompressor
            .decompress(piece, ends, limit, &mut self.inflated)
            .map_err(violation)
    }

    /// What the unfinished message has inflated to so far.
    pub(crate) fn inflated(&self) -> &[u8] {
        &self.inflated
    }

    /// The finished message.
    pub(crate) fn take_inflated(&mut self) -> Bytes {
        std::mem::take(&mut self.inflated).into()
    }

    /// The compressed form of a message; `None` if it is to be sent as it is (RFC 7692 section 6),
    /// because it would not become shorter.
    ///
    /// With context takeover it is sent compressed all the same: it is in our window then, and has
    /// to get into the peer's. To forget the window instead would save the 6 to 11 bytes by which
    /// noise of 700 B to 20 KB grows, and cost some 80 in the next JSON message of 150 B (109
    /// instead of 25, measured).
    pub(crate) fn deflate(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let mut compressed = Vec::new();
        self.compressor.compress(payload, &mut compressed);
        let context_takeover = self.compressor.direction().context_takeover;
        (context_takeover || compressed.len() < payload.len()).then_some(compressed)
    }

    pub(crate) fn export(&self) -> CompressionSnapshot {
        let DecompressorState { window, unfinished } = self.decompressor.export();
        CompressionSnapshot {
            server_no_context_takeover: self.agreed.server_no_context_takeover,
            client_no_context_takeover: self.agreed.client_no_context_takeover,
            server_max_window_bits: self.agreed.server_max_window_bits,
            client_max_window_bits: self.agreed.client_max_window_bits,
            level: self.agreed.level,
            window,
            unfinished,
        }
    }

    /// Goes on after an export. The compressor starts without reference to earlier messages, which
    /// every receiver accepts.
    pub(crate) fn import(
        role: Role,
        snapshot: &CompressionSnapshot,
        limit: usize,
    ) -> Result<Self, SnapshotError> {
        let agreed = Agreed {
            server_no_context_takeover: snapshot.server_no_context_takeover,
            client_no_context_takeover: snapshot.client_no_context_takeover,
            server_max_window_bits: snapshot.server_max_window_bits,
            client_max_window_bits: snapshot.client_max_window_bits,
            level: snapshot.level,
        };
        let state = DecompressorState {
            window: snapshot.window.clone(),
            unfinished: snapshot.unfinished.clone(),
        };
        let (decompressor, inflated) = Decompressor::import(agreed.receive(role), &state, limit)
            .map_err(|error| match error {
                InflateError::TooBig { limit } => SnapshotError::OverLimit {
                    got: limit as u64 + 1,
                    allowed: limit as u64,
                },
                _ => SnapshotError::Inconsistent,
            })?;
        Ok(Self {
            agreed,
            compressor: Compressor::new(agreed.send(role), agreed.level),
            decompressor,
            inflated,
        })
    }
}

/// The rule behind an error of the decompressor.
fn violation(error: InflateError) -> ProtocolError {
    match error {
        InflateError::TooBig { limit } => ProtocolError::MessageTooBig {
            got: limit as u64 + 1,
            allowed: limit as u64,
        },
        InflateError::TooLongCompressed { limit } => ProtocolError::CompressedTooLong {
            allowed: limit as u64,
        },
        InflateError::TooManyFinalBlocks { limit } => {
            ProtocolError::FinalBlocksTooMany { allowed: limit }
        }
        InflateError::Corrupt => ProtocolError::CompressedDataCorrupt,
        InflateError::Truncated => ProtocolError::CompressedDataTruncated,
    }
}
