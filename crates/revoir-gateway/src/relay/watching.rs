//! What a relay does for the adapter of its connection: shows it messages, and says what it says.

use std::borrow::Cow;
use std::time::Duration;

use revoir_adapters::{Fate, Outbox, OwnedMessage, Unholdable};
use revoir_proto::frame::Opcode;
use revoir_proto::{Random, Role};

use crate::relay::ended_by::EndedBy;
use crate::relay::frame::own_frame;
use crate::relay::missing::Missing;
use crate::relay::outgoing::Accept;
use crate::relay::stage::Event;
use crate::relay::state::{Moment, Nowhere, Relay, Side, Stage};
use crate::relay::verdict::Goodbye;
use crate::relay::watched::{Shown, TOO_LONG};
use crate::treatment::{Treatment, TunnelCause};

/// To say the hello again would throw out whoever has taken the client's place.
const DROPPED: Unholdable = Unholdable::now("the backend was there, and dropped this client only");

/// How long a backend may take to answer what is said again.
const GREETING: Duration = Duration::from_secs(15);

impl Relay {
    /// `before` and `bytes` came from `side`. What is whole is shown to the adapter; `to` is the
    /// transport of the other side.
    pub(super) fn show(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        (before, bytes): (&[u8], &[u8]),
        is_whole: bool,
        to: &mut dyn Accept,
    ) {
        if !is_whole && self.is_shown() {
            // What is cut through is not looked at, so the adapter may have missed something.
            if self.is_away() {
                self.leave_unholdable(at, TOO_LONG);
            } else {
                self.open_gate(at);
                self.unwatch(TOO_LONG);
            }
        }
        let joined = match before.is_empty() {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned([before, bytes].concat()),
        };
        let mut rest = &*joined;
        while !rest.is_empty() {
            if !self.is_shown() {
                self.forward(at.now, side, (&[], rest), is_whole, to);
                return;
            }
            let (end, fate, out) = self.ask(at, side, rest);
            let (one, after) = rest.split_at(end);
            rest = after;
            match fate {
                Fate::Pass if side == Side::Client && self.is_away() => self.wait_at_gate(&[], one),
                Fate::Pass => self.forward(at.now, side, (&[], one), true, to),
                Fate::Swallow => {}
                Fate::End(why) => self.leave_unholdable(at, why),
            }
            self.say_all(at, &out);
            self.look_at_adapter(at);
        }
    }

    /// What becomes of the first message in `rest`, and where it ends.
    fn ask(&mut self, at: &mut Moment<'_>, side: Side, rest: &[u8]) -> (usize, Fate, Outbox) {
        let (now, is_away, limit) = (at.now, self.is_away(), self.rules.keep);
        let mut out = Outbox::default();
        let Some(watched) = &mut self.watched else {
            return (rest.len(), Fate::Pass, out);
        };
        let reader = match side {
            Side::Client => Role::Server,
            Side::Backend => Role::Client,
        };
        let Shown { end, message } = watched.first(rest, reader, limit);
        let adapter = &mut watched.adapter;
        let fate = match (message, side) {
            (Ok(message), Side::Client) if is_away => {
                adapter.message_while_away(now, message.as_message(), &mut out)
            }
            (Ok(message), Side::Client) => {
                adapter.message_from_client(now, message.as_message(), &mut out)
            }
            (Ok(message), Side::Backend) => {
                adapter.message_from_server(now, message.as_message(), &mut out)
            }
            (Err(why), _) if is_away => Fate::End(why),
            (Err(why), _) => {
                self.open_gate(at);
                self.unwatch(why);
                Fate::Pass
            }
        };
        (end, fate, out)
    }

    /// Messages of the client wait at the gate: those that the adapter does not answer.
    pub(super) fn show_at_gate(&mut self, at: &mut Moment<'_>, mut wire: &[u8]) {
        let limit = self.rules.keep;
        while let Some(watched) = self.watched.as_mut().filter(|_| !wire.is_empty()) {
            let Shown { end, message } = watched.first(wire, Role::Server, limit);
            let (one, rest) = wire.split_at(end);
            wire = rest;
            let mut out = Outbox::default();
            // What cannot be read is found out when it goes.
            let fate = message.map_or(Fate::Pass, |message| {
                let adapter = &mut watched.adapter;
                adapter.message_at_gate(at.now, message.as_message(), &mut out)
            });
            if fate == Fate::Pass {
                self.wait_at_gate(&[], one);
            }
            self.say_all(at, &out);
        }
        self.look_at_turn(at);
    }

    /// Whether the client's program was told, and may still say what its new backend has to know.
    pub(super) fn awaits_client(&self) -> bool {
        let watched = self.watched.as_ref();
        watched.is_some_and(|watched| watched.adapter.awaits_client())
    }

    /// Tells the adapter that the client is held from now on.
    pub(super) fn adapter_is_held(&mut self, at: &mut Moment<'_>) {
        if let Some(watched) = &mut self.watched {
            let mut out = Outbox::default();
            (watched.greeting, watched.turn) = (None, None);
            watched.adapter.server_gone(at.now, &mut out);
            self.say_all(at, &out);
        }
    }

    /// Has the adapter say the hello again to the backend that is there now. `was_away`: it did not
    /// accept for a while.
    pub(super) fn greet(&mut self, at: &mut Moment<'_>, was_away: bool) {
        if !was_away && self.doubts_loss() {
            self.leave_unholdable(at, DROPPED);
            return;
        }
        if let Some(watched) = &mut self.watched {
            let mut out = Outbox::default();
            watched.greeting = Some(at.now + GREETING);
            watched.adapter.say_hello(at.now, &mut out);
            self.say_all(at, &out);
            self.look_at_adapter(at);
        }
    }

    /// Whether it matters if the backend that was lost is away, or has dropped this client only.
    pub(crate) fn doubts_loss(&self) -> bool {
        let watched = self.watched.as_ref();
        watched.is_some_and(|watched| watched.adapter.drops_single_clients())
    }

    /// Has the adapter repeat what the client said and had no answer to.
    pub(super) fn say_unanswered(&mut self, at: &mut Moment<'_>) {
        if let Some(watched) = &mut self.watched {
            let mut out = Outbox::default();
            watched.adapter.say_unanswered(at.now, &mut out);
            self.say_all(at, &out);
        }
    }

    /// Does what is due for the adapter.
    pub(super) fn adapter_timeout(&mut self, at: &mut Moment<'_>) {
        if !self.is_shown() {
            return;
        }
        let Some(watched) = &mut self.watched else {
            return;
        };
        if watched.greeting.is_some_and(|until| until <= at.now) {
            // It does not answer what was said to it, and is left for another try.
            watched.greeting = None;
            self.on(at, Event::Silent(Side::Backend));
            return;
        }
        self.look_at_turn(at);
        let Some(watched) = &mut self.watched else {
            return;
        };
        if watched
            .adapter
            .poll_timeout()
            .is_some_and(|due| due <= at.now)
        {
            let mut out = Outbox::default();
            watched.adapter.handle_timeout(at.now, &mut out);
            self.say_all(at, &out);
            self.look_at_adapter(at);
        }
    }

    /// When `adapter_timeout` has something to do.
    pub(super) fn adapter_deadline(&self) -> Option<Duration> {
        let watched = self.watched.as_ref().filter(|_| self.is_shown())?;
        let timer = watched.adapter.poll_timeout();
        let turn = watched.turn.map(|turn| turn.until);
        timer.into_iter().chain(watched.greeting).chain(turn).min()
    }

    /// Whether what comes is shown to an adapter.
    fn is_shown(&self) -> bool {
        self.watched.is_some() && matches!(self.stage, Stage::Attached | Stage::Holding(_))
    }

    /// Whether there is an adapter, and what the client sends cannot go to a backend yet.
    pub(super) fn is_away(&self) -> bool {
        let watched = self.watched.as_ref();
        watched.is_some_and(|watched| self.backend.is_none() || !watched.adapter.is_ready())
    }

    /// What is missing until the client is back with a new backend.
    pub(crate) fn missing(&self) -> Option<Missing> {
        let watched = self.watched.as_ref();
        match &self.stage {
            Stage::Holding(hold) if hold.is_moved && watched.is_none() => None,
            Stage::Holding(_) => Some(Missing::Hello),
            Stage::Attached if watched?.greeting.is_some() => Some(Missing::Hello),
            Stage::Attached => watched?.turn.map(|_| Missing::Turn),
            Stage::Closing { .. } | Stage::Done => None,
        }
    }

    /// Whether what the client says has to wait here.
    pub(crate) fn keeps_back(&self) -> bool {
        self.is_away() || self.is_gated()
    }

    /// Why the adapter does not want the client held, if it does not.
    pub(super) fn adapter_objects(&self) -> Option<Unholdable> {
        self.watched.as_ref()?.adapter.holdable().err()
    }

    /// How the connection is treated, if that has changed since this was last asked.
    pub(crate) fn take_new_treatment(&mut self) -> Option<Treatment> {
        std::mem::take(&mut self.has_new_treatment).then_some(self.treatment)
    }

    /// It is a tunnel from now on: the adapter is not shown anything any more.
    fn unwatch(&mut self, why: Unholdable) {
        self.watched = None;
        self.is_tunnel(why);
    }

    /// It ends, or goes on, as a tunnel.
    pub(super) fn is_tunnel(&mut self, why: Unholdable) {
        self.treatment = Treatment::Tunnel(TunnelCause::Protocol(why));
        self.has_new_treatment = true;
    }

    fn leave_unholdable(&mut self, at: &mut Moment<'_>, why: Unholdable) {
        self.is_tunnel(why);
        let goodbye = Goodbye::restart(why.text());
        self.on(at, Event::LeaveNow(goodbye, EndedBy::NoBackend));
    }

    /// What was kept goes on once the adapter is ready, and an adapter that is of no use any more goes.
    fn look_at_adapter(&mut self, at: &mut Moment<'_>) {
        let Some(watched) = self.watched.as_mut() else {
            return;
        };
        if !matches!(self.stage, Stage::Attached) || !watched.adapter.is_ready() {
            return;
        }
        if watched.greeting.take().is_some() {
            self.returned(at, true);
        }
        self.look_at_turn(at);
        if let Some(why) = self.adapter_objects()
            && why.is_final()
            && matches!(self.stage, Stage::Attached)
        {
            // What waits is not for the adapter alone.
            self.open_gate(at);
            self.unwatch(why);
        }
    }

    fn say_all(&mut self, at: &mut Moment<'_>, out: &Outbox) {
        let is_open = |hop: &&mut crate::relay::hop::Hop| hop.sent().is_none();
        if let Some(hop) = self.client.as_mut().filter(is_open) {
            for message in &out.to_client {
                let frame = said(message, Role::Server, at.random);
                let sent = hop.out.sent();
                hop.out.forward(&mut Nowhere, &[], &frame);
                hop.on_written(at.now, sent);
            }
        }
        let backend = self.backend.as_mut().map(|backend| &mut backend.hop);
        if let Some(hop) = backend.filter(is_open) {
            for message in &out.to_server {
                let frame = said(message, Role::Client, at.random);
                let sent = hop.out.sent();
                let (out, role) = (&mut hop.out, Role::Server);
                out.forward_messages(&mut Nowhere, &[], &frame, role);
                hop.on_written(at.now, sent);
            }
        }
    }
}

/// What the adapter says, as `role` sends it.
fn said(message: &OwnedMessage, role: Role, random: &mut dyn Random) -> Vec<u8> {
    let (opcode, payload) = match message {
        OwnedMessage::Text(payload) => (Opcode::Text, payload),
        OwnedMessage::Binary(payload) => (Opcode::Binary, payload),
    };
    own_frame(role, opcode, payload, random)
}
