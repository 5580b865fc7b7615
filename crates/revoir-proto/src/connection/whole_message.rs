//! The short way from bytes to a message: it arrived whole, in one frame.

use bytes::{Buf, BytesMut};

use crate::connection::reading::Reading;
use crate::error::ProtocolError;
use crate::frame::WholeFrame;
use crate::message::{Message, Utf8Bytes, Utf8Stream};

impl Reading {
    /// The message at the start of `input`, if it is there to its last byte, in one frame that is
    /// not compressed. `None` is no verdict, and leaves everything as it was.
    #[inline]
    pub(super) fn whole_message(
        &self,
        input: &mut BytesMut,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        if self.decoder.is_inside_frame() || self.assembler.is_inside_message() {
            return Ok(None);
        }
        let Some(frame) = WholeFrame::find(input, self.decoder.rules()) else {
            return Ok(None);
        };
        // RFC 6455 section 10.4: above the limit, the general way says by how much.
        if frame.payload.len() > limit {
            return Ok(None);
        }
        let payload = &mut input[frame.payload.clone()];
        if let Some(mut mask) = frame.mask {
            mask.apply(payload);
        }
        if frame.text {
            Utf8Stream::check_whole(payload)?;
        }
        let mut payload = split_front(input, frame.payload.end).freeze();
        payload.advance(frame.payload.start);
        Ok(Some(if frame.text {
            Message::Text(Utf8Bytes::checked(payload))
        } else {
            Message::Binary(payload)
        }))
    }
}

/// The first `length` bytes. With the last of them the buffer itself goes along, so that an idle
/// connection keeps none.
#[inline]
fn split_front(input: &mut BytesMut, length: usize) -> BytesMut {
    if input.len() == length {
        std::mem::take(input)
    } else {
        input.split_to(length)
    }
}
