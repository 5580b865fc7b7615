//! [`Scanner`]: walks over frame headers.

use revoir_proto::frame::{FrameHeader, MAX_HEADER_BYTES, Mask, Opcode};
use revoir_proto::{ProtocolError, Role};

use crate::relay::frame::whole_frame;

/// What a scanner holds the sender to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScanRules {
    /// The role of the endpoint that reads: a server reads what a client sends.
    pub(crate) role: Role,
    /// Whether permessage-deflate was agreed, which gives RSV1 a meaning.
    pub(crate) compression: bool,
    /// The longest message, in payload bytes on the wire.
    pub(crate) message_limit: u64,
}

/// What the bytes of one direction are, in any portions: data to pass on, or control frames.
///
/// It keeps to the header rules of RFC 6455 section 5 and to the order of fragments; what a payload
/// says is the receiver's to judge. Between frames it owns no memory.
#[derive(Debug)]
pub(crate) struct Scanner {
    pub(super) rules: ScanRules,
    /// The start of a header that is not complete.
    head: [u8; MAX_HEADER_BYTES],
    head_len: u8,
    /// A control frame whose payload is not complete: at most 125 bytes.
    control: Option<Box<PartialControl>>,
    /// Payload bytes of the data frame under way that are still to come.
    missing: u64,
    /// Whether the data frame under way is the last one of its message.
    fin: bool,
    /// Payload bytes of the message under way, up to the end of its last frame. `None` between
    /// messages.
    message: Option<u64>,
    /// Control frames, and short frames that others of their message follow.
    extras: u64,
}

/// A frame with less payload is cheap to send. A control frame has less, too.
const SHORT: u64 = 126;

#[derive(Debug)]
struct PartialControl {
    header: FrameHeader,
    payload: Vec<u8>,
}

/// A whole control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    header: FrameHeader,
    /// Unmasked.
    payload: Vec<u8>,
}

impl Control {
    pub(crate) fn opcode(&self) -> Opcode {
        self.header.opcode
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The frame as it stood on the wire: lengths have one form only, and the mask is known.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        whole_frame(self.header.opcode, self.header.masking_key, &self.payload)
    }
}

/// Where a piece of data ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Inside a frame.
    Inside,
    /// With a frame that others of its message follow.
    Frame,
    /// With a message.
    Message,
}

/// What the next bytes of the input are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many bytes of a data frame, with its header unless that came earlier.
    Data { taken: usize, ends: Ends },
    /// So many bytes completed the header of a data frame, which began in earlier input.
    Head {
        taken: usize,
        header: FrameHeader,
        ends: Ends,
    },
    /// So many bytes completed a control frame.
    Control { taken: usize, control: Control },
    /// So many bytes, the last ones, begin something that is not complete.
    Part { taken: usize },
}

impl Scanner {
    pub(crate) fn new(rules: ScanRules) -> Self {
        Self {
            rules,
            head: [0; MAX_HEADER_BYTES],
            head_len: 0,
            control: None,
            missing: 0,
            fin: false,
            message: None,
            extras: 0,
        }
    }

    /// Control frames so far, and short frames that others of their message follow.
    pub(crate) fn extras(&self) -> u64 {
        self.extras
    }

    /// How many payload bytes of the data frame under way are still to come.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Whether the bytes so far end inside a frame of any kind.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.missing > 0 || self.head_len > 0 || self.control.is_some()
    }

    /// What stands at the start of `input`. `None` if it is empty.
    ///
    /// # Errors
    ///
    /// The rule that the sender broke. Nothing that follows means anything then.
    #[inline]
    pub(crate) fn next(&mut self, input: &[u8]) -> Result<Option<Piece>, ProtocolError> {
        if input.is_empty() {
            return Ok(None);
        }
        if self.missing > 0 {
            return Ok(Some(self.take_payload(input, 0)));
        }
        if self.head_len > 0 || self.control.is_some() {
            return self.complete(input).map(Some);
        }
        if let Some((header, at)) =
            FrameHeader::parse(input, self.rules.role, self.rules.compression)?
        {
            return self.begin(header, at, input).map(Some);
        }
        // An incomplete header is shorter than the longest one.
        self.head[..input.len()].copy_from_slice(input);
        self.head_len = input.len() as u8;
        let taken = input.len();
        Ok(Some(Piece::Part { taken }))
    }

    /// A header is complete; `at` is where its payload begins.
    #[inline]
    fn begin(
        &mut self,
        header: FrameHeader,
        at: usize,
        input: &[u8],
    ) -> Result<Piece, ProtocolError> {
        if header.opcode.is_control() {
            return Ok(self.begin_control(header, at, input));
        }
        self.check_data(header)?;
        self.missing = header.length;
        Ok(self.take_payload(input, at))
    }

    /// As much payload as `input` has from `at` on, together with what stands before it.
    #[inline]
    fn take_payload(&mut self, input: &[u8], at: usize) -> Piece {
        let available = (input.len() - at) as u64;
        let payload = available.min(self.missing);
        self.missing -= payload;
        Piece::Data {
            taken: at + payload as usize,
            ends: self.ends(),
        }
    }

    fn ends(&mut self) -> Ends {
        match (self.missing, self.fin) {
            (1.., _) => Ends::Inside,
            (0, false) => Ends::Frame,
            (0, true) => {
                self.message = None;
                Ends::Message
            }
        }
    }

    #[inline]
    fn check_data(&mut self, header: FrameHeader) -> Result<(), ProtocolError> {
        // RFC 6455 section 5.4: the fragments of one message are not mixed with another one.
        let before = match (header.opcode, self.message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::ContinuationUnexpected),
            (Opcode::Continuation, Some(bytes)) => bytes,
            (_, Some(_)) => return Err(ProtocolError::ContinuationMissing),
            (_, None) => 0,
        };
        let got = before.saturating_add(header.length);
        if got > self.rules.message_limit {
            let allowed = self.rules.message_limit;
            return Err(ProtocolError::MessageTooBig { got, allowed });
        }
        self.message = Some(got);
        self.fin = header.fin;
        self.extras += u64::from(!header.fin && header.length < SHORT);
        Ok(())
    }

    fn begin_control(&mut self, header: FrameHeader, at: usize, input: &[u8]) -> Piece {
        // The header was checked: 125 bytes at most.
        let length = header.length as usize;
        let end = (at + length).min(input.len());
        let payload = input[at..end].to_vec();
        let control = PartialControl { header, payload };
        self.finish_control(Box::new(control), end)
    }

    fn finish_control(&mut self, mut control: Box<PartialControl>, taken: usize) -> Piece {
        if (control.payload.len() as u64) < control.header.length {
            self.control = Some(control);
            return Piece::Part { taken };
        }
        if let Some(key) = control.header.masking_key {
            Mask::new(key).apply(&mut control.payload);
        }
        self.extras += 1;
        let PartialControl { header, payload } = *control;
        let control = Control { header, payload };
        Piece::Control { taken, control }
    }

    /// Goes on with what earlier input began.
    #[cold]
    fn complete(&mut self, input: &[u8]) -> Result<Piece, ProtocolError> {
        if let Some(mut control) = self.control.take() {
            let missing = control.header.length as usize - control.payload.len();
            let taken = missing.min(input.len());
            control.payload.extend_from_slice(&input[..taken]);
            return Ok(self.finish_control(control, taken));
        }
        let had = usize::from(self.head_len);
        let added = input.len().min(MAX_HEADER_BYTES - had);
        self.head[had..had + added].copy_from_slice(&input[..added]);
        let head = self.head;
        let head = &head[..had + added];
        let ScanRules {
            role, compression, ..
        } = self.rules;
        let Some((header, end)) = FrameHeader::parse(head, role, compression)? else {
            self.head_len = head.len() as u8;
            return Ok(Piece::Part { taken: added });
        };
        self.head_len = 0;
        // What was kept was not a header yet, so `end` is more than `had`.
        let taken = end - had;
        if header.opcode.is_control() {
            return Ok(self.begin_control(header, taken, input));
        }
        self.check_data(header)?;
        self.missing = header.length;
        let ends = self.ends();
        Ok(Piece::Head {
            taken,
            header,
            ends,
        })
    }
}
