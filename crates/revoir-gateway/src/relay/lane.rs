//! [`Lane`]: what of the bytes of one direction may go on, and when.

use std::ops::Range;

use bytes::BytesMut;
use revoir_proto::ProtocolError;

use crate::relay::scanner::{Control, Ends, Piece, ScanRules, Scanner};

/// What goes on only as a whole, so that a Close frame can follow it at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A frame: what `tunnel` forwards.
    Frame,
    /// A message: what `hold` forwards, since the rest of a half one could never follow.
    Message,
}

/// How a lane treats what goes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneRules {
    pub(crate) scan: ScanRules,
    pub(crate) unit: Unit,
    /// The longest unit that is kept until it is whole, in bytes on the wire. A longer one goes on
    /// as it comes.
    pub(crate) keep: usize,
}

/// One direction.
///
/// Units that are whole in the input are handed out where they stand. The start of another one is
/// copied and waits for its end. A unit over the limit is *cut through*: until it ends, the
/// direction cannot be taken over by another connection.
#[derive(Debug)]
pub(crate) struct Lane {
    rules: LaneRules,
    scanner: Scanner,
    /// The start of a unit that is not whole.
    kept: BytesMut,
    cuts_through: bool,
    /// Whole messages that were handed out.
    messages: u64,
}

/// What to do with the start of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Forward `before`, then `range` of the input.
    Forward {
        taken: usize,
        before: BytesMut,
        range: Range<usize>,
        /// Whether it is whole units.
        whole: bool,
    },
    /// A control frame, which is not forwarded by itself.
    Control { taken: usize, control: Control },
    /// Nothing yet: the input was kept.
    Wait,
}

impl Lane {
    pub(crate) fn new(rules: LaneRules) -> Self {
        Self {
            rules,
            scanner: Scanner::new(rules.scan),
            kept: BytesMut::new(),
            cuts_through: false,
            messages: 0,
        }
    }

    /// Has other limits from here on, for messages and for what is kept.
    pub(crate) fn set_limits(&mut self, message_limit: u64, keep: usize) {
        self.scanner.rules.message_limit = message_limit;
        self.rules.scan.message_limit = message_limit;
        self.rules.keep = keep;
    }

    /// What is to be done with the start of `input`: as much as goes on in one piece.
    ///
    /// # Errors
    ///
    /// The rule that the sender broke. Nothing after it is looked at.
    pub(crate) fn next(&mut self, input: &[u8]) -> Result<Step, ProtocolError> {
        // `input[base..at]` is looked at; up to `whole` it is whole units.
        let (mut base, mut at) = (0, 0);
        let mut whole = None;
        loop {
            let goes_on = whole.is_some() || (self.cuts_through && at > base);
            if goes_on && self.scanner.missing() == 0 && begins_control(&input[at..]) {
                break;
            }
            match self.scanner.next(&input[at..])? {
                None => break,
                Some(Piece::Data { taken, ends }) => {
                    at += taken;
                    if self.ends_unit(ends) {
                        whole = Some(at);
                    }
                }
                Some(Piece::Head {
                    taken,
                    header,
                    ends,
                }) => {
                    let (wire, end) = header.to_wire();
                    self.kept.extend_from_slice(&wire[..end]);
                    at += taken;
                    base = at;
                    if self.ends_unit(ends) {
                        whole = Some(at);
                    }
                }
                Some(Piece::Control { taken, control }) => {
                    // Only inside a message that is kept, or first in the input.
                    self.kept.extend_from_slice(&input[base..at]);
                    let taken = at + taken;
                    return Ok(Step::Control { taken, control });
                }
                Some(Piece::Part { taken }) => {
                    let part = at + taken;
                    return Ok(self.step(input, base, at, whole, part));
                }
            }
            if self.cuts_through && whole.is_some() {
                break;
            }
        }
        Ok(self.step(input, base, at, whole, at))
    }

    /// Whether this direction is between two units, or has only kept what came of one.
    pub(crate) fn is_holdable(&self) -> bool {
        !self.cuts_through
    }

    /// Whether a control frame may follow what was handed out.
    pub(crate) fn is_at_frame_end(&self) -> bool {
        !self.cuts_through || self.scanner.missing() == 0
    }

    /// Whether the bytes so far end inside a frame.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.scanner.is_inside_frame()
    }

    /// How much may be read without going beyond the frame under way; 0 between frames.
    pub(crate) fn missing(&self) -> usize {
        match self.scanner.is_inside_frame() {
            // A header is as long as its bytes say.
            true => usize::try_from(self.scanner.missing().max(1)).unwrap_or(usize::MAX),
            false => 0,
        }
    }

    /// Hands out what was kept of a unit that is not whole: the rest goes on as it comes.
    pub(crate) fn let_go(&mut self) -> Option<BytesMut> {
        if self.kept.is_empty() {
            return None;
        }
        self.cuts_through = true;
        Some(std::mem::take(&mut self.kept))
    }

    /// The memory that holds it.
    pub(crate) fn memory(&self) -> usize {
        match self.kept.is_empty() {
            true => 0,
            false => self.kept.capacity(),
        }
    }

    /// Bytes of a unit that is not whole.
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Whole messages that were handed out.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// What a rate of messages counts: whole messages, and frames that are as cheap to send.
    pub(crate) fn charged(&self) -> u64 {
        self.messages + self.scanner.extras()
    }

    /// `at` is the end of the data, `taken` that of everything that was looked at.
    fn step(
        &mut self,
        input: &[u8],
        base: usize,
        at: usize,
        whole: Option<usize>,
        taken: usize,
    ) -> Step {
        if self.cuts_through {
            self.cuts_through = whole.is_none();
        } else if let Some(end) = whole {
            let before = std::mem::take(&mut self.kept);
            self.kept.extend_from_slice(&input[end..at]);
            return Step::Forward {
                taken,
                before,
                range: base..end,
                whole: true,
            };
        } else {
            let so_far = (self.kept.len() + (at - base)) as u64;
            let length = so_far.saturating_add(self.scanner.missing());
            self.cuts_through = length > self.rules.keep as u64;
            if !self.cuts_through {
                self.kept.extend_from_slice(&input[base..at]);
                return Step::Wait;
            }
        }
        Step::Forward {
            taken,
            before: std::mem::take(&mut self.kept),
            range: base..at,
            whole: false,
        }
    }

    fn ends_unit(&mut self, ends: Ends) -> bool {
        self.messages += u64::from(ends == Ends::Message);
        match self.rules.unit {
            Unit::Frame => ends != Ends::Inside,
            Unit::Message => ends == Ends::Message,
        }
    }
}

/// Whether the next frame is a control frame: the highest bit of its opcode is set (RFC 6455
/// section 5.2).
fn begins_control(input: &[u8]) -> bool {
    input.first().is_some_and(|first| first & 0x08 != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use revoir_proto::Role;
    use revoir_proto::frame::{FrameHeader, Mask, Opcode};

    use super::*;

    fn rules(unit: Unit, keep: usize) -> LaneRules {
        let scan = ScanRules {
            role: Role::Server,
            compression: true,
            message_limit: 1 << 20,
        };
        LaneRules { scan, unit, keep }
    }

    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader {
            fin,
            rsv1: false,
            opcode,
            masking_key: Some([1, 2, 3, payload.len() as u8]),
            length: payload.len() as u64,
        };
        let (head, end) = header.to_wire();
        let mut wire = head[..end].to_vec();
        Mask::new([1, 2, 3, payload.len() as u8]).append(payload, &mut wire);
        wire
    }

    /// What came out, as if everything was forwarded at once: bytes with the control frames where
    /// they stood, and control payloads alone.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Passed {
        bytes: Vec<u8>,
        data: Vec<u8>,
        controls: Vec<Vec<u8>>,
    }

    fn pass(lane: &mut Lane, mut input: &[u8], passed: &mut Passed) -> Result<(), ProtocolError> {
        while !input.is_empty() {
            let taken = match lane.next(input)? {
                Step::Wait => input.len(),
                Step::Forward {
                    taken,
                    before,
                    range,
                    ..
                } => {
                    for out in [&mut passed.bytes, &mut passed.data] {
                        out.extend_from_slice(&before);
                        out.extend_from_slice(&input[range.clone()]);
                    }
                    taken
                }
                Step::Control { taken, control } => {
                    passed.bytes.extend_from_slice(&control.to_wire());
                    passed.controls.push(control.payload().to_vec());
                    taken
                }
            };
            assert!(taken > 0);
            input = &input[taken..];
        }
        Ok(())
    }

    fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let payload = || {
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..8),
                proptest::collection::vec(any::<u8>(), 120..130),
                Just(vec![7; 65_536]),
            ]
        };
        let control = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..126));
        let fragments = proptest::collection::vec((payload(), control), 1..4);
        let frames = fragments.prop_map(|fragments| {
            let last = fragments.len() - 1;
            let mut frames = Vec::new();
            for (at, (payload, control)) in fragments.into_iter().enumerate() {
                let opcode = [Opcode::Binary, Opcode::Continuation][usize::from(at > 0)];
                frames.push(frame(at == last, opcode, &payload));
                frames.extend(control.map(|control| frame(true, Opcode::Ping, &control)));
            }
            frames
        });
        proptest::collection::vec(frames, 1..5).prop_map(|messages| messages.concat())
    }

    proptest! {
        #[test]
        fn any_frames_in_any_portions_arrive_byte_for_byte(
            frames in messages(),
            cuts in proptest::collection::vec(1_usize..100_000, 0..6),
            keep in prop_oneof![Just(0_usize), Just(64), Just(100_000), Just(1 << 20)],
            whole_messages in any::<bool>(),
        ) {
            let unit = if whole_messages { Unit::Message } else { Unit::Frame };
            let wire = frames.concat();
            let is_control = |frame: &&Vec<u8>| frame[0] & 0x08 != 0;
            let data: Vec<u8> = frames.iter().filter(|f| !is_control(f)).flatten().copied().collect();
            let mut lane = Lane::new(rules(unit, keep));
            let mut passed = Passed::default();
            let mut rest = &*wire;
            for cut in cuts {
                let (first, second) = rest.split_at(cut.min(rest.len()));
                pass(&mut lane, first, &mut passed).unwrap();
                rest = second;
            }
            pass(&mut lane, rest, &mut passed).unwrap();
            prop_assert_eq!(&passed.data, &data);
            prop_assert_eq!(passed.controls.len(), frames.iter().filter(is_control).count());
            if unit == Unit::Frame {
                // Control frames keep their places.
                prop_assert!(passed.bytes == wire);
            }
            prop_assert!(lane.is_holdable() && !lane.is_inside_frame());
            prop_assert_eq!(lane.kept(), 0);
            prop_assert_eq!(lane.messages(), frames.iter().filter(|f| !is_control(f) && f[0] & 0x80 != 0).count() as u64);
        }
    }

    #[test]
    fn bytes_one_by_one_and_every_cut_in_two_give_what_the_whole_gives() {
        let frames = [
            frame(true, Opcode::Text, b"a"),
            frame(false, Opcode::Binary, &[1; 130]),
            frame(true, Opcode::Ping, b"ping"),
            frame(true, Opcode::Continuation, b""),
            frame(true, Opcode::Close, b"\x03\xe8"),
        ];
        let wire = frames.concat();
        for unit in [Unit::Frame, Unit::Message] {
            for keep in [0, 10, 1000] {
                let mut expected = Passed::default();
                pass(&mut Lane::new(rules(unit, keep)), &wire, &mut expected).unwrap();
                let mut lane = Lane::new(rules(unit, keep));
                let mut passed = Passed::default();
                for byte in wire.chunks(1) {
                    pass(&mut lane, byte, &mut passed).unwrap();
                }
                assert_eq!(
                    (&passed.data, &passed.controls),
                    (&expected.data, &expected.controls)
                );
                for cut in 0..wire.len() {
                    let mut lane = Lane::new(rules(unit, keep));
                    let mut passed = Passed::default();
                    pass(&mut lane, &wire[..cut], &mut passed).unwrap();
                    pass(&mut lane, &wire[cut..], &mut passed).unwrap();
                    assert_eq!(
                        (passed.data, passed.controls),
                        (expected.data.clone(), expected.controls.clone()),
                        "{cut}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_whole_units_are_handed_out_up_to_the_limit() {
        let wire = frame(true, Opcode::Binary, &[0; 100]);
        let mut lane = Lane::new(rules(Unit::Message, wire.len()));
        assert_eq!(lane.next(&wire[..50]), Ok(Step::Wait));
        assert!(lane.is_holdable() && lane.is_at_frame_end());
        let Ok(Step::Forward {
            before,
            range,
            whole,
            ..
        }) = lane.next(&wire[50..])
        else {
            panic!("not forwarded");
        };
        assert_eq!((before.len(), range, whole), (50, 0..wire.len() - 50, true));

        let mut lane = Lane::new(rules(Unit::Message, wire.len() - 1));
        let Ok(Step::Forward { whole, .. }) = lane.next(&wire[..50]) else {
            panic!("not forwarded");
        };
        assert!(!whole && !lane.is_holdable() && !lane.is_at_frame_end());
        lane.next(&wire[50..]).unwrap();
        assert!(lane.is_holdable() && lane.is_at_frame_end());
    }

    #[test]
    fn what_is_kept_can_go_on_before_its_end() {
        for fragments in [1, 2] {
            let first = frame(fragments == 1, Opcode::Binary, &[7; 100]);
            let last = frame(true, Opcode::Continuation, &[8; 100]);
            let wire = match fragments {
                1 => first,
                _ => [first, last].concat(),
            };
            for cut in 1..wire.len() {
                let mut lane = Lane::new(rules(Unit::Message, 1000));
                let mut passed = Passed::default();
                pass(&mut lane, &wire[..cut], &mut passed).unwrap();
                if let Some(kept) = lane.let_go() {
                    passed.data.extend_from_slice(&kept);
                    assert!(!lane.is_holdable());
                }
                assert_eq!(lane.memory(), 0);
                pass(&mut lane, &wire[cut..], &mut passed).unwrap();
                assert_eq!(passed.data, wire, "{cut}");
                assert!(lane.is_holdable() && lane.messages() == 1);
            }
        }
    }

    #[test]
    fn whole_messages_before_a_long_one_are_handed_out_as_whole() {
        let mut wire = frame(true, Opcode::Binary, b"short");
        wire.extend_from_slice(&frame(true, Opcode::Binary, &[0; 100])[..20]);
        let mut lane = Lane::new(rules(Unit::Message, 50));
        let Ok(Step::Forward { range, whole, .. }) = lane.next(&wire) else {
            panic!("not forwarded");
        };
        assert_eq!((range, whole), (0..11, true));
        assert!(lane.is_holdable());
    }

    #[test]
    fn rules_of_headers_and_fragments_hold() {
        let broken = |wire: &[u8]| {
            let mut lane = Lane::new(rules(Unit::Message, 1000));
            pass(&mut lane, wire, &mut Passed::default()).unwrap_err()
        };
        let text = frame(false, Opcode::Text, b"a");
        let next = frame(true, Opcode::Continuation, b"a");
        assert_eq!(broken(b"\x81\x01a"), ProtocolError::MaskMissing);
        assert_eq!(broken(&next), ProtocolError::ContinuationUnexpected);
        assert_eq!(
            broken(&[text.clone(), text.clone()].concat()),
            ProtocolError::ContinuationMissing
        );
        let big = frame(false, Opcode::Text, &vec![0; 1 << 19]);
        let more = frame(true, Opcode::Continuation, &vec![0; (1 << 19) + 1]);
        let (got, allowed) = ((1 << 20) + 1, 1 << 20);
        assert_eq!(
            broken(&[big, more].concat()),
            ProtocolError::MessageTooBig { got, allowed }
        );
    }
}
