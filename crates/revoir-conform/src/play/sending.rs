//! Sends frames, whole or broken.

use std::time::Duration;

use crate::case::{FrameSent, Role, Sent};
use crate::deflate::Deflate;
use crate::frame::{Mask, Outgoing, describe, opcode};
use crate::play::{Goes, Player};

impl Player<'_> {
    /// Sends it all in one write, so many times.
    pub(super) async fn send(&mut self, what: &[Sent], times: usize, in_pieces: bool) -> Goes {
        for _ in 0..times {
            let bytes = self.written(what);
            if in_pieces {
                for byte in bytes {
                    self.out.push(byte);
                    self.flush().await;
                    // Without a pause TCP puts them together again.
                    self.pass(Duration::from_millis(1)).await;
                }
            } else {
                self.out.extend_from_slice(&bytes);
                if self.reading {
                    self.flush().await;
                }
            }
            if self.seen.end.is_some() || self.wire.is_none() {
                break;
            }
        }
        if !self.reading {
            self.flush().await;
        }
        Ok(())
    }

    /// The bytes, noted as sent.
    pub(super) fn written(&mut self, what: &[Sent]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for sent in what {
            match sent {
                Sent::Raw(raw) => {
                    self.note("raw bytes", raw);
                    bytes.extend_from_slice(raw);
                }
                Sent::Frame(sent) => bytes.extend(self.frame_bytes(sent)),
            }
        }
        bytes
    }

    fn right_mask(&self) -> Mask {
        match self.role() {
            Role::Server => Mask::Random,
            Role::Client => Mask::None,
        }
    }

    fn frame_bytes(&mut self, sent: &FrameSent) -> Vec<u8> {
        let mut frame = sent.frame.clone();
        if sent.deflated {
            let deflate = self.deflate.get_or_insert_with(Deflate::new);
            frame.payload = deflate.deflate(&frame.payload);
            frame.rsv |= 4;
        }
        let mask = match (self.right_mask(), sent.wrong_mask, sent.zero_mask) {
            (Mask::None, true, _) => Mask::Random,
            (_, true, _) => Mask::None,
            (Mask::Random, false, true) => Mask::Zero,
            (mask, false, _) => mask,
        };
        let mut bytes = frame.bytes(mask);
        let mut what = describe(frame.fin, frame.rsv, frame.opcode, &frame.payload);
        if sent.wrong_mask {
            what += ", the mask wrong";
        }
        if let Some(claims) = frame.claims {
            what += &format!(", claims {claims} bytes");
        }
        if let Some(first) = sent.first {
            bytes.truncate(first);
            what += &format!(", {first} bytes of it");
        }
        self.note(&what, &bytes);
        if frame.opcode == opcode::CLOSE && sent.first.is_none() {
            self.sent_close = true;
        }
        bytes
    }

    /// Queues a right frame.
    pub(super) fn send_frame(&mut self, frame: &Outgoing) {
        let bytes = frame.bytes(self.right_mask());
        let what = describe(frame.fin, frame.rsv, frame.opcode, &frame.payload);
        self.note(&what, &bytes);
        self.out.extend_from_slice(&bytes);
    }
}
