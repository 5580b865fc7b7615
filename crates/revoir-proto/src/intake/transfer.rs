//! What the intake is in the middle of, as plain data.

use bytes::BytesMut;

use super::Intake;
use crate::error::SnapshotError;
use crate::frame::{CONTROL_MAX_BYTES, FrameHeader, FrameSnapshot, HeaderRules, OpenFrame};
use crate::message::{MessageSnapshot, Unfinished};

/// An unfinished frame, or nothing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderSnapshot {
    /// The start of a header.
    pub head: Vec<u8>,
    /// A frame whose header is complete.
    pub frame: Option<FrameSnapshot>,
    /// The start of a control frame's payload, still masked.
    pub control: Vec<u8>,
}

impl Intake {
    /// What is not decoded yet.
    pub(crate) fn export_input(&self) -> Vec<u8> {
        let arrived = match self.message.is_due() {
            true => self.message.arrived(),
            // It counts as received.
            false => &[],
        };
        [arrived, &self.input[self.message.held()..]].concat()
    }

    /// The frame, and the message if one is unfinished.
    pub(crate) fn export(&self) -> (DecoderSnapshot, Option<MessageSnapshot>) {
        let control = self.control.as_deref().cloned().unwrap_or_default();
        let mut frame = self.frame;
        let mut message = self.message.export();
        if let (Some(frame), Some(message)) = (&mut frame, &mut message) {
            self.message.export_looked_at(&self.input, frame, message);
        }
        let frame = frame.map(|frame| {
            let mut snapshot = frame.export();
            // The payload of a control frame is taken at once.
            snapshot.remaining -= control.len() as u64;
            snapshot
        });
        let decoder = DecoderSnapshot {
            head: self.head[..usize::from(self.head_len)].to_vec(),
            frame,
            control,
        };
        (decoder, message)
    }

    /// Goes on after an export; `inflated` is what the unfinished message was inflated to so far.
    pub(crate) fn import(
        rules: HeaderRules,
        decoder: &DecoderSnapshot,
        message: Option<&MessageSnapshot>,
        inflated: Option<&[u8]>,
        input: &[u8],
        limit: usize,
    ) -> Result<Self, SnapshotError> {
        let mut intake = Self::new(rules);
        intake
            .import_decoder(decoder)
            .ok_or(SnapshotError::Inconsistent)?;
        if let Some(message) = message {
            if message.compressed && (inflated.is_none() || !message.received.is_empty()) {
                return Err(SnapshotError::Inconsistent);
            }
            let inflated = inflated.filter(|_| message.compressed);
            intake.message = Unfinished::import(message, inflated, limit)
                .map_err(|_| SnapshotError::Inconsistent)?;
        }
        // A data frame belongs to a message.
        let is_data = |frame: &OpenFrame| !frame.opcode().is_control();
        if intake.frame.as_ref().is_some_and(is_data) && message.is_none() {
            return Err(SnapshotError::Inconsistent);
        }
        intake.input = BytesMut::from(input);
        Ok(intake)
    }

    fn import_decoder(&mut self, snapshot: &DecoderSnapshot) -> Option<()> {
        let (head, control) = (&snapshot.head, &snapshot.control);
        // What was kept is the start of a header and nothing more.
        let is_start = matches!(FrameHeader::parse_by(head, self.rules), Ok(None));
        if !is_start || (!head.is_empty() && snapshot.frame.is_some()) {
            return None;
        }
        self.head[..head.len()].copy_from_slice(head);
        self.head_len = head.len() as u8;
        if let Some(mut frame) = snapshot.frame {
            if frame.header.opcode.is_control() {
                frame.remaining = frame.remaining.checked_add(control.len() as u64)?;
                if frame.remaining != frame.header.length {
                    return None;
                }
            } else if !control.is_empty() {
                return None;
            }
            self.frame = Some(OpenFrame::import(self.rules, &frame)?);
        } else if !control.is_empty() {
            return None;
        }
        if !control.is_empty() {
            debug_assert!(control.len() <= CONTROL_MAX_BYTES);
            self.control = Some(Box::new(control.clone()));
        }
        Some(())
    }
}
