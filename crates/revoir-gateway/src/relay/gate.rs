//! The gate: what a client says after its return waits until others are back who are to hear it.
//!
//! Clients talk with each other through their backend. What one says to a new backend before others have
//! come, or have subscribed there again, meets nobody, and may be confirmed for all that.
//!
//! Who is told of the new backend may have more to say to it: rooms are joined by a program. So such a client is not
//! back before its adapter has seen that the program had its turn, and the backend has read what it said then. If it waits
//! at the gate itself, it does not go through before, either: its program says what it says behind what has waited.

use std::time::Duration;

use revoir_proto::Role;
use revoir_proto::frame::Opcode;

use crate::relay::frame::own_frame;
use crate::relay::missing::Turn;
use crate::relay::outgoing::Accept;
use crate::relay::state::{Moment, Nowhere, Relay, Side, Stage};

/// How long the others may take, and the program of one that is told.
pub(crate) const LONGEST_RETURN: Duration = Duration::from_secs(5);

impl Relay {
    /// There is a backend again, and the hello has been said to it if there is one. What the client said before
    /// waits, and what it says from now on, too, unless that is what the backend has to know. Without others that
    /// return, nothing does.
    pub(super) fn returned(&mut self, at: &mut Moment<'_>, has_others: bool) {
        if let Some(watched) = &mut self.watched
            && watched.adapter.awaits_client()
        {
            let until = at.now + LONGEST_RETURN;
            watched.turn = Some(Turn { until, asked: None });
            if !self.has_waiting() {
                self.open_gate(at);
                return;
            }
        }
        let may_wait = has_others && self.lane.is_holdable() && self.waiting.is_repeatable();
        let Some(backend) = &mut self.backend else {
            return;
        };
        if !may_wait && self.watched.is_none() {
            // It may be a part of a message that was not kept until it was whole.
            backend.hop.out = std::mem::take(&mut self.waiting);
            return;
        }
        backend.gate = Some(at.now + LONGEST_RETURN);
        self.look_at_turn(at);
        self.look_at_gate(at);
    }

    /// Whether there is a backend, and what the client says waits until others have returned.
    #[inline]
    pub(crate) fn is_gated(&self) -> bool {
        self.gate_deadline().is_some()
    }

    /// When the gate opens at the latest.
    #[inline]
    pub(super) fn gate_deadline(&self) -> Option<Duration> {
        self.backend.as_ref()?.gate
    }

    /// Opens the gate once all others have returned.
    pub(super) fn look_at_gate(&mut self, at: &mut Moment<'_>) {
        let Some(opens) = self.gate_deadline() else {
            return;
        };
        if opens <= at.now || (at.outlook)().have_returned {
            self.open_gate(at);
        }
    }

    /// What has waited goes on.
    pub(super) fn open_gate(&mut self, at: &mut Moment<'_>) {
        if let Some(backend) = &mut self.backend {
            backend.gate = None;
        }
        if !matches!(self.stage, Stage::Attached) {
            return;
        }
        self.say_unanswered(at);
        if self.has_waiting() {
            let kept = std::mem::take(&mut self.waiting).take_rest();
            self.pass_on(at, Side::Client, (&[], &kept), true, &mut Nowhere);
        }
    }

    /// Data from `side` goes on, `before`, then `bytes`, unless it waits for the return of others.
    #[inline]
    pub(super) fn pass_on(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        (before, bytes): (&[u8], &[u8]),
        is_whole: bool,
        to: &mut dyn Accept,
    ) {
        if side == Side::Client && self.is_gated() {
            if is_whole && self.awaits_client() {
                return self.show_at_gate(at, &[before, bytes].concat());
            }
            if is_whole {
                return self.wait_at_gate(before, bytes);
            }
            // Nobody keeps it until it is whole.
            self.open_gate(at);
        }
        match self.watched {
            None => self.forward(at.now, side, (before, bytes), is_whole, to),
            Some(_) => self.show(at, side, (before, bytes), is_whole, to),
        }
    }

    /// Whole messages of the client wait: `before`, then `bytes`.
    pub(super) fn wait_at_gate(&mut self, before: &[u8], bytes: &[u8]) {
        let (out, role) = (&mut self.waiting, Role::Server);
        out.forward_messages(&mut Nowhere, before, bytes, role);
    }

    /// Sees whether the client's program has had its turn, and asks the backend then whether it has read that.
    pub(super) fn look_at_turn(&mut self, at: &mut Moment<'_>) {
        // It has said so much that it is not read from: what would tell of its program is behind that.
        let is_deaf = self.is_gated() && self.is_full();
        let Some(watched) = &mut self.watched else {
            return;
        };
        let Some(turn) = &mut watched.turn else {
            return;
        };
        let is_awaited = watched.adapter.awaits_client();
        if turn.until <= at.now || is_awaited && is_deaf {
            watched.turn = None;
        } else if turn.asked.is_none() && !is_awaited {
            let id = at.random.next_u32().to_ne_bytes();
            turn.asked = Some(id);
            if let Some(backend) = &mut self.backend {
                let frame = own_frame(Role::Client, Opcode::Ping, &id, at.random);
                backend.hop.out.push_control(&frame);
            }
        }
    }

    /// The backend answered a ping. If it is that of the turn of the client's program, it is over.
    pub(super) fn end_turn(&mut self, payload: &[u8]) {
        if let Some(watched) = &mut self.watched {
            let is_answered = |turn: &mut Turn| turn.asked.is_some_and(|id| id == payload);
            watched.turn.take_if(is_answered);
        }
    }
}
