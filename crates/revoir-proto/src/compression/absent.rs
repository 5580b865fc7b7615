//! Without the feature `deflate` there is no compression.

use bytes::Bytes;

use super::snapshot::CompressionSnapshot;
use crate::error::{ProtocolError, SnapshotError};
use crate::extension::AgreedExtensions;
use crate::role::Role;

/// Has no values: no connection has compression.
#[derive(Debug)]
pub(crate) enum Compression {}

impl Compression {
    pub(crate) fn new(_role: Role, _agreed: AgreedExtensions) -> Option<Self> {
        None
    }

    pub(crate) fn agreed(&self) -> AgreedExtensions {
        match *self {}
    }

    pub(crate) fn inflate(
        &mut self,
        _piece: &[u8],
        _ends: bool,
        _limit: usize,
    ) -> Result<(), ProtocolError> {
        match *self {}
    }

    pub(crate) fn inflated(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) fn take_inflated(&mut self) -> Bytes {
        match *self {}
    }

    pub(crate) fn deflate(&mut self, _payload: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn export(&self) -> CompressionSnapshot {
        match *self {}
    }

    pub(crate) fn import(
        _role: Role,
        _snapshot: &CompressionSnapshot,
        _limit: usize,
    ) -> Result<Self, SnapshotError> {
        Err(SnapshotError::CompressionAbsent)
    }
}
