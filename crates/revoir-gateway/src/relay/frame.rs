//! Frames of the gateway's own, beside those that it forwards.

use revoir_proto::frame::{FrameHeader, Mask, Opcode};
use revoir_proto::{Random, Role};

/// A whole frame as `role` sends it. A client masks it (RFC 6455 section 5.1).
pub(super) fn own_frame(
    role: Role,
    opcode: Opcode,
    payload: &[u8],
    random: &mut dyn Random,
) -> Vec<u8> {
    let masking_key = match role {
        Role::Client => Some(random.next_u32().to_ne_bytes()),
        Role::Server => None,
    };
    whole_frame(opcode, masking_key, payload)
}

/// A whole frame, masked with the key if there is one.
pub(crate) fn whole_frame(opcode: Opcode, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        opcode,
        masking_key,
        length: payload.len() as u64,
    };
    let (head, end) = header.to_wire();
    let mut wire = head[..end].to_vec();
    match masking_key {
        Some(key) => Mask::new(key).append(payload, &mut wire),
        None => wire.extend_from_slice(payload),
    }
    wire
}
