//! What the contract of `revoir-proto` demands and nothing more: a header is read, a payload unmasked,
//! checked, and handed over in one piece, and a frame is written. A message whose end is missing lies in
//! memory of its own, which grows with what arrives. No timers, no queue, no fragments, no rules.

use std::io::IoSlice;

use anyhow::{Result, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use revoir_proto::Role;
use revoir_proto::frame::{FrameHeader, Mask, Opcode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{self, Case};
use crate::stacks::observe_text_bytes;
use crate::stacks::revoir::{READ_CAPACITY, READ_LEAST};
use crate::wire::{Wire, block_on};

/// From this length on, an unmasked payload is written from where it lies.
const SHARED_FROM: usize = 4096;

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let mut input = BytesMut::with_capacity(READ_CAPACITY);
    let mut output = Vec::new();
    let mut cut: Option<Cut> = None;
    let mut left = count;
    while left > 0 {
        if let Some(open) = &mut cut {
            block_on(wire.read_buf(&mut open.room()))?;
            if open.missing() > 0 {
                continue;
            }
        } else {
            block_on(wire.read_buf(&mut input))?;
        }
        if let Some(Cut {
            header,
            mut payload,
        }) = cut.take()
        {
            admit(&header, &mut payload)?;
            send(&mut wire, &mut output, role, &header, payload.into(), case)?;
            left -= 1;
        }
        while left > 0
            && let Some((header, start)) = FrameHeader::parse(&input, role, false)?
        {
            ensure!(header.length <= Case::LIMIT as u64, "too long");
            let end = start + header.length as usize;
            if input.len() < end {
                input.advance(start);
                cut = Some(Cut::new(header, &input));
                input.clear();
                break;
            }
            let mut payload = input.split_to(end);
            payload.advance(start);
            admit(&header, &mut payload)?;
            send(
                &mut wire,
                &mut output,
                role,
                &header,
                payload.freeze(),
                case,
            )?;
            left -= 1;
        }
        if !output.is_empty() {
            block_on(wire.write_all(&output))?;
            output.clear();
        }
        if input.capacity() - input.len() < READ_LEAST {
            input.reserve(READ_CAPACITY);
        }
    }
    Ok(wire)
}

/// A message whose end is missing.
struct Cut {
    header: FrameHeader,
    payload: Vec<u8>,
}

impl Cut {
    fn new(header: FrameHeader, start: &[u8]) -> Self {
        let capacity = (4 * start.len()).max(1024).min(header.length as usize);
        let mut payload = Vec::with_capacity(capacity);
        payload.extend_from_slice(start);
        Self { header, payload }
    }

    fn missing(&self) -> usize {
        self.header.length as usize - self.payload.len()
    }

    fn room(&mut self) -> bytes::buf::Limit<&mut Vec<u8>> {
        let (length, missing) = (self.payload.len(), self.missing());
        if self.payload.capacity() == length {
            self.payload.reserve_exact((3 * length).min(missing));
        }
        let room = missing.min(self.payload.capacity() - length);
        (&mut self.payload).limit(room)
    }
}

fn admit(header: &FrameHeader, payload: &mut [u8]) -> Result<()> {
    if let Some(key) = header.masking_key {
        Mask::new(key).apply(payload);
    }
    if header.opcode == Opcode::Text {
        simdutf8::basic::from_utf8(payload)?;
    }
    Ok(())
}

fn send(
    wire: &mut Wire,
    output: &mut Vec<u8>,
    role: Role,
    header: &FrameHeader,
    payload: Bytes,
    case: &Case,
) -> Result<()> {
    observe_text_bytes(case, &payload)?;
    let masking_key = (role == Role::Client).then(|| rand::random::<u32>().to_ne_bytes());
    let header = FrameHeader {
        masking_key,
        ..*header
    };
    let (bytes, end) = header.to_wire();
    output.extend_from_slice(&bytes[..end]);
    match masking_key {
        Some(key) => Mask::new(key).append(&payload, output),
        None if payload.len() < SHARED_FROM => output.extend_from_slice(&payload),
        None => {
            let slices = [IoSlice::new(output), IoSlice::new(&payload)];
            block_on(wire.write_vectored(&slices))?;
            output.clear();
        }
    }
    Ok(())
}
