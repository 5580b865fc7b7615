//! A relay between two transports that take what they are told to.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use revoir_adapters::{Adapter, Protocol};
use revoir_proto::frame::{CloseFrame, FrameHeader, Mask, Opcode};
use revoir_proto::{Cause, Detail, Random, Reason, SendCode};

use crate::relay::verdict::RedialFailure;
use crate::relay::{Accept, Ended, Moment, Outlook, Relay, Side, whole_frame};
use crate::rules::{Mode, Rules};
use crate::treatment::{HeldBy, Treatment};

/// The same numbers every time.
struct Seeded(u32);

impl Random for Seeded {
    fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}

/// One transport: what it took, and how much more it takes.
pub(super) struct Pipe {
    pub(super) taken: Vec<u8>,
    pub(super) room: usize,
}

impl Accept for Pipe {
    fn accept(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let mut count = 0;
        for slice in slices {
            let part = slice.len().min(self.room);
            self.taken.extend_from_slice(&slice[..part]);
            self.room -= part;
            count += part;
        }
        count
    }
}

pub(super) struct Rig {
    pub(super) relay: Relay,
    pub(super) now: Duration,
    pub(super) client: Pipe,
    pub(super) backend: Pipe,
    pub(super) outlook: Outlook,
    random: Seeded,
    pub(super) ended: Vec<Ended>,
}

pub(super) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn rules(mode: Mode) -> Rules {
    Rules {
        mode,
        keepalive: None,
        lost_budget: seconds(10),
        ..Rules::default()
    }
}

impl Rig {
    pub(super) fn new(mode: Mode) -> Self {
        Self::with(rules(mode))
    }

    pub(super) fn with(rules: Rules) -> Self {
        let treatment = Treatment::new(rules.mode, None, None, true);
        Self::treated(rules, treatment, None)
    }

    /// With an adapter, of whatever protocol.
    pub(super) fn watched(rules: Rules, adapter: Box<dyn Adapter>) -> Self {
        let treatment = Treatment::Hold(HeldBy::Protocol(Protocol::SocketIo));
        Self::treated(rules, treatment, Some(adapter))
    }

    fn treated(rules: Rules, treatment: Treatment, adapter: Option<Box<dyn Adapter>>) -> Self {
        let mut random = Seeded(7);
        let outlook = Outlook {
            have_returned: true,
            ..Outlook::default()
        };
        let mut at = Moment {
            now: Duration::ZERO,
            random: &mut random,
            outlook: &|| outlook,
        };
        let relay = Relay::new(&mut at, (Arc::new(rules), treatment), (false, adapter));
        let pipe = || Pipe {
            taken: Vec::new(),
            room: usize::MAX,
        };
        Self {
            relay,
            now: Duration::ZERO,
            client: pipe(),
            backend: pipe(),
            outlook,
            random,
            ended: Vec::new(),
        }
    }

    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Relay, &mut Moment<'_>) -> T) -> T {
        let outlook = self.outlook;
        let mut at = Moment {
            now: self.now,
            random: &mut self.random,
            outlook: &|| outlook,
        };
        let result = act(&mut self.relay, &mut at);
        for _ in 0..3 {
            self.relay.flush(&mut at, Side::Client, &mut self.client);
            self.relay.flush(&mut at, Side::Backend, &mut self.backend);
        }
        for ended in self.relay.take_ended() {
            let pipe = match ended.side {
                Side::Client => &mut self.client,
                Side::Backend => &mut self.backend,
            };
            pipe.taken
                .extend_from_slice(ended.rest.as_deref().unwrap_or_default());
            self.ended.push(ended);
        }
        result
    }

    pub(super) fn client_sends(&mut self, wire: &[u8]) {
        self.send(Side::Client, wire);
    }

    pub(super) fn backend_sends(&mut self, wire: &[u8]) {
        self.send(Side::Backend, wire);
    }

    fn send(&mut self, side: Side, wire: &[u8]) {
        let outlook = self.outlook;
        let mut at = Moment {
            now: self.now,
            random: &mut self.random,
            outlook: &|| outlook,
        };
        let to = match side {
            Side::Client => &mut self.backend,
            Side::Backend => &mut self.client,
        };
        self.relay.handle_input(&mut at, side, wire, to);
        self.act(|_, _| ());
    }

    pub(super) fn lose(&mut self, side: Side) {
        self.act(|relay, at| relay.handle_lost(at, side, Cause::Reset, Detail::None));
    }

    pub(super) fn attach(&mut self) {
        self.act(|relay, at| relay.attach(at));
    }

    pub(super) fn redial_fails(&mut self, redialed: &RedialFailure) {
        self.act(|relay, at| relay.redial_failed(at, redialed));
    }

    /// The upstream begins to accept, or stops.
    pub(super) fn accepts(&mut self, accepts: bool) {
        self.outlook.accepted = accepts.then_some(self.now);
        self.act(|relay, at| relay.handle_timeout(at));
    }

    /// The upstream answers somebody else, or is gone.
    pub(super) fn is_heard_of(&mut self) {
        self.outlook.heard_of = Some(self.now);
        self.act(|relay, at| relay.handle_timeout(at));
    }

    /// Others have all returned, or one of them has not.
    pub(super) fn others_return(&mut self, have_returned: bool) {
        self.outlook.have_returned = have_returned;
        self.act(|relay, at| relay.handle_timeout(at));
    }

    /// Lets time pass, waking at every deadline on the way.
    pub(super) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.relay.deadline().filter(|next| *next <= until) {
            self.now = next.max(self.now);
            self.act(|relay, at| relay.handle_timeout(at));
            self.relay.wants_dial(self.now);
        }
        self.now = until;
        self.act(|relay, at| relay.handle_timeout(at));
    }

    /// What the client got since this was last asked.
    pub(super) fn client_got(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.client.taken)
    }

    /// What the backend got since this was last asked, unmasked.
    pub(super) fn backend_got(&mut self) -> Vec<u8> {
        unmasked(&std::mem::take(&mut self.backend.taken))
    }

    /// The Close frame that the client got, which is all it got.
    pub(super) fn client_close(&mut self) -> Option<CloseFrame> {
        let got = self.client_got();
        (got.first() == Some(&0x88)).then(|| CloseFrame::parse(&got[2..]).unwrap())
    }

    pub(super) fn ending_of(&self, side: Side) -> &Ended {
        let mut of_side = self.ended.iter().filter(|ended| ended.side == side);
        of_side.next_back().expect("the side has ended")
    }
}

/// A frame as a client sends it.
pub(super) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    whole_frame(opcode, Some([1, 2, 3, 4]), payload)
}

/// A frame as a backend sends it.
pub(super) fn plain(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    whole_frame(opcode, None, payload)
}

pub(super) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let code = SendCode::try_from(code).unwrap();
    let mut payload = Vec::new();
    CloseFrame::new(code, Reason::truncated(reason)).encode(&mut payload);
    payload
}

/// The frames of a client, as a backend would have sent them.
fn unmasked(mut wire: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let Ok(Some((header, at))) = FrameHeader::parse(wire, revoir_proto::Role::Server, true) {
        let end = at + header.length as usize;
        let mut payload = wire[at..end.min(wire.len())].to_vec();
        let key = header.masking_key.expect("a client masks");
        Mask::new(key).apply(&mut payload);
        let mut header = header;
        header.masking_key = None;
        let (head, head_end) = header.to_wire();
        plain.extend_from_slice(&head[..head_end]);
        plain.extend_from_slice(&payload);
        wire = &wire[end.min(wire.len())..];
    }
    plain.extend_from_slice(wire);
    plain
}
