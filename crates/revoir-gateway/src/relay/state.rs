//! [`Relay`]: its parts, and what its driver asks it.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use revoir_adapters::Adapter;
use revoir_proto::{Cause, Detail, Ending, Finish, Random, Role};

use crate::relay::budgets::Budgets;
use crate::relay::ended_by::EndedBy;
use crate::relay::hold::{Hold, Previous, Seeking};
use crate::relay::hop::{Hop, earlier};
use crate::relay::lane::{Lane, LaneRules, Unit};
use crate::relay::outgoing::{Accept, Outgoing};
use crate::relay::scanner::ScanRules;
use crate::relay::verdict::{Goodbye, HoldCause};
use crate::relay::watched::Watched;
use crate::rules::Rules;
use crate::treatment::Treatment;

/// One of the two sides of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client, which the gateway serves.
    Client,
    /// The backend, whose client the gateway is.
    Backend,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Backend,
            Self::Backend => Self::Client,
        }
    }
}

/// When something happens, and in what surroundings.
pub(crate) struct Moment<'a> {
    /// Since the epoch of the gateway.
    pub(crate) now: Duration,
    pub(crate) random: &'a mut dyn Random,
    /// How things stand with the upstream, if that matters.
    pub(crate) outlook: &'a dyn Fn() -> Outlook,
}

/// How things stand with the upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// The last success, if the last attempt was one.
    pub(crate) accepted: Option<Duration>,
    /// When the upstream that the client has, or had last, was last heard of: it answered somebody, or was
    /// gone.
    pub(crate) heard_of: Option<Duration>,
    /// When that upstream last turned out to be away.
    pub(crate) was_away: Option<Duration>,
    /// Whether all clients are back that were held.
    pub(crate) have_returned: bool,
    /// Whether it is known to restart.
    pub(crate) restarting: bool,
    /// Over how long a time those who are sent away should come back.
    pub(crate) spread: Duration,
}

/// A transport that takes nothing, where there is none.
pub(crate) struct Nowhere;

impl Accept for Nowhere {
    fn accept(&mut self, _: &[IoSlice<'_>]) -> usize {
        0
    }
}

/// How a side ends that still has a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// What waits is written.
    Linger,
    /// It is dropped.
    Drop,
}

/// A side that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Which side it was.
    pub side: Side,
    /// How it ended.
    pub ending: Ending,
    /// Whole messages that came from it.
    pub received: u64,
    /// What is still to be written before TCP is shut down. `None`: the transport is dropped.
    pub rest: Option<Vec<u8>>,
    /// Why the client is kept, if it is.
    pub held: Option<HoldCause>,
}

/// A client, and the backend that it has or waits for.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(super) rules: Arc<Rules>,
    pub(super) treatment: Treatment,
    pub(super) has_new_treatment: bool,
    /// The adapter of its protocol, if one can say its hello again.
    pub(super) watched: Option<Box<Watched>>,
    /// Whether permessage-deflate was agreed.
    compression: bool,
    pub(super) client: Option<Hop>,
    /// From the client.
    pub(super) lane: Lane,
    pub(super) backend: Option<BackendSide>,
    /// Messages for the next backend.
    pub(super) waiting: Outgoing,
    pub(super) stage: Stage,
    /// Until when the backend may take to close that the client leaves for another one.
    pub(super) moving: Option<Duration>,
    /// What the client is told once its backend has ended, which the gateway has closed first.
    pub(super) farewell: Option<Box<Goodbye>>,
    /// Whether a lost backend has left the client inside a frame.
    is_torn: bool,
    /// What the last holds have left, until the connection was stable for a while.
    pub(super) budgets: Budgets,
    pub(super) ended: Vec<Ended>,
    /// On whose account the client is closed, once it is.
    pub(super) ended_by: EndedBy,
}

/// The connection to a backend.
#[derive(Debug)]
pub(super) struct BackendSide {
    pub(super) hop: Hop,
    /// From the backend.
    pub(super) lane: Lane,
    pub(super) attached: Duration,
    /// The number of the first message that is for it.
    pub(super) first: u64,
    /// What the client says waits for the return of others, at most until then.
    pub(super) gate: Option<Duration>,
}

impl BackendSide {
    /// What went over the connection: the client has sent so many whole messages that do not wait.
    pub(super) fn so_far(&self, sent: u64) -> Previous {
        let queued = self.hop.out.queued_messages() as u64;
        Previous {
            written: sent.saturating_sub(self.first + queued),
            received: self.lane.messages(),
        }
    }
}

/// Where a relay stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// There is a backend.
    Attached,
    /// There is none, and the client is kept.
    Holding(Box<Hold>),
    /// Close frames are under way.
    Closing { deadline: Duration },
    /// Both sides have ended.
    Done,
}

impl Relay {
    /// A relay whose two opening handshakes are done.
    pub(crate) fn new(
        at: &mut Moment<'_>,
        (rules, treatment): (Arc<Rules>, Treatment),
        (compression, adapter): (bool, Option<Box<dyn Adapter>>),
    ) -> Self {
        let jitter = at.random.next_u32();
        let client = Hop::new(at.now, Role::Server, &rules, jitter);
        let lane = lane((&rules, treatment), Role::Server, compression);
        let mut relay = Self {
            rules,
            treatment,
            has_new_treatment: false,
            watched: adapter.map(|adapter| Box::new(Watched::new(adapter))),
            compression,
            client: Some(client),
            lane,
            backend: None,
            waiting: Outgoing::default(),
            stage: Stage::Done,
            moving: None,
            farewell: None,
            is_torn: false,
            budgets: Budgets::default(),
            ended: Vec::new(),
            ended_by: EndedBy::default(),
        };
        relay.attach(at);
        relay
    }

    /// There is a backend (again).
    pub(crate) fn attach(&mut self, at: &mut Moment<'_>) {
        let mut held = None;
        if let Stage::Holding(hold) = &self.stage {
            held = Some((hold.why, hold.since, hold.was_silent, hold.is_moved));
            self.budgets.keep(hold.why, hold.left(at.now));
        }
        let jitter = at.random.next_u32();
        self.backend = Some(BackendSide {
            first: self.lane.messages() - self.waiting.queued_messages() as u64,
            gate: None,
            hop: Hop::new(at.now, Role::Client, &self.rules, jitter),
            lane: lane(
                (&self.rules, self.treatment),
                Role::Client,
                self.compression,
            ),
            attached: at.now,
        });
        self.stage = Stage::Attached;
        if let Some((why, since, was_silent, is_moved)) = held {
            let away = (at.outlook)().was_away;
            let was_away =
                was_silent || why != HoldCause::Lost || away.is_some_and(|away| away >= since);
            match self.watched {
                Some(_) => self.greet(at, was_away),
                None => self.returned(at, !is_moved),
            }
        }
    }

    /// A re-dial is to start now. It is asked for once.
    pub(crate) fn wants_dial(&mut self, now: Duration) -> bool {
        match &mut self.stage {
            Stage::Holding(hold) => hold.search.wants_dial(now),
            Stage::Attached | Stage::Closing { .. } | Stage::Done => false,
        }
    }

    /// Whether the client looks for another backend.
    pub(crate) fn seeking(&self) -> Option<Seeking> {
        match &self.stage {
            Stage::Holding(hold) => Some(Seeking {
                previous: hold.previous,
                since: hold.since,
            }),
            Stage::Attached | Stage::Closing { .. } | Stage::Done => None,
        }
    }

    /// Whether there is a backend, and nobody closes.
    pub(crate) const fn is_attached(&self) -> bool {
        matches!(self.stage, Stage::Attached)
    }

    /// Whether the client is held.
    pub(crate) const fn is_holding(&self) -> bool {
        matches!(self.stage, Stage::Holding(_))
    }

    /// Whether messages wait for the next backend.
    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.queued_messages() > 0
    }

    /// Whole messages that came from `side`; of a backend, from this one. `None`: there is none.
    #[inline]
    pub(crate) fn messages(&self, side: Side) -> Option<u64> {
        match side {
            Side::Client => Some(self.lane.messages()),
            Side::Backend => self.backend.as_ref().map(|backend| backend.lane.messages()),
        }
    }

    /// What a rate of messages counts of what came from the client.
    #[inline]
    pub(crate) fn charged(&self) -> u64 {
        self.lane.charged()
    }

    /// Whether a message is under way from either side, or the client waits for a backend.
    pub(crate) fn is_busy(&self) -> bool {
        let is_inside = |lane: &Lane| lane.is_inside_frame() || lane.kept() > 0;
        let backend = self.backend.as_ref();
        is_inside(&self.lane) || backend.is_none_or(|backend| is_inside(&backend.lane))
    }

    /// The last round trip to `side`.
    pub(crate) fn rtt(&self, side: Side) -> Option<Duration> {
        self.hop(side).and_then(Hop::rtt)
    }

    /// The client is not read from during a hold, because others keep too much.
    pub(crate) fn found_no_room(&mut self) {
        if let Stage::Holding(hold) = &mut self.stage {
            hold.is_crowded = true;
        }
    }

    /// Bytes that this relay holds back during a hold.
    pub(crate) fn held_bytes(&self) -> usize {
        match self.stage {
            Stage::Holding(_) => self.waiting.queued() + self.lane.kept(),
            Stage::Attached if self.keeps_back() => self.waiting.queued() + self.lane.kept(),
            Stage::Attached | Stage::Closing { .. } | Stage::Done => 0,
        }
    }

    /// All memory that is filled by what came from either side.
    #[inline]
    pub(crate) fn memory(&self) -> usize {
        let client = self.client.as_ref();
        let backend = self.backend.as_ref();
        let backend = backend.map_or(0, |own| own.lane.memory() + own.hop.out.queued());
        let client = client.map_or(0, |hop| hop.out.queued());
        let adapter = self.watched.as_ref();
        let adapter = adapter.map_or(0, |watched| watched.adapter.memory());
        self.waiting.queued() + self.lane.memory() + client + backend + adapter
    }

    /// Bytes of messages whose end is missing.
    #[inline]
    pub(crate) fn unfinished(&self) -> usize {
        let backend = self.backend.as_ref();
        self.lane.kept() + backend.map_or(0, |backend| backend.lane.kept())
    }

    /// How much to read from `side` now. 0: nothing, its input has to wait.
    pub(crate) fn room(&self, side: Side) -> usize {
        if !self.hears(side) {
            return 0;
        }
        let is_free = |hop: Option<&Hop>| hop.is_none_or(|hop| hop.out.queued() == 0);
        if side == Side::Client && self.is_moving() {
            return self.lane.missing();
        }
        let is_free = match (&self.stage, side) {
            (Stage::Holding(_), _) => return self.room_in_hold(),
            (Stage::Attached, Side::Client) if self.keeps_back() => return self.room_in_hold(),
            (_, Side::Client) => is_free(self.backend.as_ref().map(|backend| &backend.hop)),
            (_, Side::Backend) => is_free(self.client.as_ref()),
        };
        if is_free { usize::MAX } else { 0 }
    }

    fn room_in_hold(&self) -> usize {
        if self.waiting.queued_messages() >= self.rules.held_messages {
            return 0;
        }
        self.rules.held_bytes.saturating_sub(self.held_bytes())
    }

    /// Whether the client's messages find no room any more.
    pub(super) fn is_full(&self) -> bool {
        self.room_in_hold() == 0
    }

    /// Whether input from `side` still counts.
    pub(super) fn hears(&self, side: Side) -> bool {
        self.hop(side).is_some_and(Hop::is_heard)
    }

    /// Tells whether `side` is read from, so that silence is not taken for death.
    pub(crate) fn set_reading(&mut self, now: Duration, side: Side, reads: bool) {
        if let Some(hop) = self.hop_mut(side) {
            hop.set_reading(now, reads);
        }
    }

    /// Writes what waits for `side`.
    pub(crate) fn flush(&mut self, at: &mut Moment<'_>, side: Side, transport: &mut dyn Accept) {
        let may_insert = self.may_insert(side);
        if let Some(hop) = self.hop_mut(side) {
            let before = hop.out.sent();
            hop.flush(at.now, transport, may_insert, at.random);
            if side == Side::Backend && hop.out.sent() != before {
                self.speaks(false);
            }
        }
        self.settle(at.now);
    }

    /// The client is in this process: it is there, however long it says nothing and takes nothing.
    pub(crate) fn client_is_here(&mut self) {
        if let Some(client) = &mut self.client {
            client.is_here = true;
        }
    }

    /// On whose account the client is closed, once it is.
    pub(crate) const fn ended_by(&self) -> EndedBy {
        self.ended_by
    }

    /// Bytes that wait for the client.
    pub(crate) fn waiting_for_client(&self) -> usize {
        self.client.as_ref().map_or(0, |hop| hop.out.queued())
    }

    /// Whether something waits for `side`.
    pub(crate) fn wants_flush(&self, side: Side) -> bool {
        self.hop(side).is_some_and(Hop::wants_flush)
    }

    /// When to call `handle_timeout` next.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let hop = |hop: Option<&Hop>| hop.and_then(Hop::deadline);
        let backend = self.backend.as_ref().map(|backend| &backend.hop);
        let hops = earlier(hop(self.client.as_ref()), hop(backend));
        let hops = earlier(hops, self.adapter_deadline());
        match &self.stage {
            Stage::Attached => {
                let own = earlier(self.moving, self.gate_deadline());
                earlier(hops, earlier(own, self.silence_deadline()))
            }
            Stage::Holding(hold) => {
                let dial = hold.search.next();
                earlier(hops, earlier(Some(hold.deadline().0), dial))
            }
            Stage::Closing { deadline } => earlier(hops, Some(*deadline)),
            Stage::Done => None,
        }
    }

    /// The sides that have ended since this was last asked.
    pub(crate) fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    /// Whether both sides have ended.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    pub(super) fn hop(&self, side: Side) -> Option<&Hop> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Backend => self.backend.as_ref().map(|backend| &backend.hop),
        }
    }

    pub(super) fn hop_mut(&mut self, side: Side) -> Option<&mut Hop> {
        match side {
            Side::Client => self.client.as_mut(),
            Side::Backend => self.backend.as_mut().map(|backend| &mut backend.hop),
        }
    }

    /// Ends one side. `cause` and `detail` hold if nothing began its ending yet.
    pub(super) fn end(
        &mut self,
        now: Duration,
        side: Side,
        why: (Cause, Detail, Finish),
        release: Release,
    ) {
        let leaves = release == Release::Linger && self.may_insert(side);
        let (mut hop, received, in_frame) = match side {
            Side::Client => {
                let Some(hop) = self.client.take() else {
                    return;
                };
                (hop, self.lane.messages(), self.lane.is_inside_frame())
            }
            Side::Backend => {
                let Some(BackendSide { hop, lane, .. }) = self.backend.take() else {
                    return;
                };
                self.is_torn = !lane.is_at_frame_end();
                (hop, lane.messages(), lane.is_inside_frame())
            }
        };
        let ending = hop.end(now, why, leaves, in_frame);
        self.ended.push(Ended {
            side,
            ending,
            received,
            rest: leaves.then(|| hop.out.take_rest()),
            held: None,
        });
    }

    /// Whether a control frame may follow the data that was forwarded to `side`.
    pub(super) fn may_insert(&self, side: Side) -> bool {
        match (side, &self.backend) {
            (Side::Client, Some(backend)) => backend.lane.is_at_frame_end(),
            (Side::Client, None) => !self.is_torn,
            (Side::Backend, _) => self.lane.is_at_frame_end(),
        }
    }
}

fn lane((rules, treatment): (&Rules, Treatment), role: Role, compression: bool) -> Lane {
    let message_limit = match role {
        Role::Server => rules.client_message,
        // Whoever runs the gateway trusts the backend to know what its clients take.
        Role::Client => u64::MAX,
    };
    let unit = match treatment {
        Treatment::Tunnel(_) => Unit::Frame,
        Treatment::Hold(_) => Unit::Message,
    };
    Lane::new(LaneRules {
        scan: ScanRules {
            role,
            compression,
            message_limit,
        },
        unit,
        keep: rules.keep,
    })
}
