//! What comes from a transport.

use std::time::Duration;

use revoir_proto::frame::{CloseFrame, Opcode};
use revoir_proto::{Cause, Detail, Finish, Role};

use crate::relay::lane::Step;
use crate::relay::outgoing::Accept;
use crate::relay::scanner::Control;
use crate::relay::stage::Event;
use crate::relay::state::{Moment, Nowhere, Relay, Side, Stage};

impl Relay {
    /// `input` was read from `side`. What goes on goes to `to`, the transport of the other side,
    /// or waits.
    pub(crate) fn handle_input(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        mut input: &[u8],
        to: &mut dyn Accept,
    ) {
        if let Some(hop) = self.hop_mut(side) {
            hop.on_received(at.now);
        }
        if side == Side::Backend {
            self.speaks(true);
        }
        while !input.is_empty() && self.hears(side) {
            let lane = match (side, &mut self.backend) {
                (Side::Client, _) => &mut self.lane,
                (Side::Backend, Some(backend)) => &mut backend.lane,
                (Side::Backend, None) => return,
            };
            match lane.next(input) {
                Ok(Step::Wait) => return,
                Ok(Step::Forward {
                    taken,
                    before,
                    range,
                    whole,
                }) => {
                    let data = (&*before, &input[range]);
                    self.pass_on(at, side, data, whole, to);
                    input = &input[taken..];
                    self.close_ahead(at);
                }
                Ok(Step::Control { taken, control }) => {
                    self.on_control(at, side, &control, to);
                    input = &input[taken..];
                    self.close_ahead(at);
                }
                Err(error) => self.on(at, Event::Broke(side, error)),
            }
        }
    }

    /// What was kept of a message from `side` goes on before its end, unless nobody would take it.
    pub(crate) fn let_go(&mut self, at: &mut Moment<'_>, side: Side, to: &mut dyn Accept) {
        let is_free = matches!(self.stage, Stage::Attached) && !self.is_moving();
        if !is_free || self.keeps_back() || !self.hears(side) {
            return;
        }
        let lane = match (side, &mut self.backend) {
            (Side::Client, _) => &mut self.lane,
            (Side::Backend, Some(backend)) => &mut backend.lane,
            (Side::Backend, None) => return,
        };
        if let Some(kept) = lane.let_go() {
            self.pass_on(at, side, (&kept, &[]), false, to);
        }
    }

    /// The stream from `side` has ended.
    pub(crate) fn handle_eof(&mut self, at: &mut Moment<'_>, side: Side) {
        self.on(at, Event::Lost(side, Cause::Eof, Detail::None, Finish::Eof));
    }

    /// The stream from `side` has ended, but TLS over it has not.
    pub(crate) fn handle_truncated(&mut self, at: &mut Moment<'_>, side: Side) {
        let cause = Cause::TlsTruncated;
        self.on(at, Event::Lost(side, cause, Detail::None, Finish::Eof));
    }

    /// Reading from or writing to `side` has failed.
    pub(crate) fn handle_lost(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        cause: Cause,
        detail: Detail,
    ) {
        self.on(at, Event::Lost(side, cause, detail, Finish::Reset));
    }

    /// Data from `side` goes to the other one: `before`, then `bytes`.
    pub(super) fn forward(
        &mut self,
        now: Duration,
        side: Side,
        (before, bytes): (&[u8], &[u8]),
        whole: bool,
        to: &mut dyn Accept,
    ) {
        let is_holding = self.is_holding();
        let repeatable = side == Side::Client && self.treatment.is_hold() && whole;
        let other = match side {
            Side::Client => self.backend.as_mut().map(|backend| &mut backend.hop),
            Side::Backend => self.client.as_mut(),
        };
        match other {
            Some(hop) if hop.sent().is_none() => {
                let sent = hop.out.sent();
                if repeatable {
                    hop.out.forward_messages(to, before, bytes, Role::Server);
                } else {
                    hop.out.forward(to, before, bytes);
                }
                hop.on_written(now, sent);
            }
            // A message of which nobody will ever hear counts where it came from.
            Some(_) => self.discard(side),
            None if !is_holding => self.discard(side),
            None if repeatable => self.wait_at_gate(before, bytes),
            None => self.waiting.forward(&mut Nowhere, before, bytes),
        }
    }

    fn discard(&mut self, side: Side) {
        if let Some(hop) = self.hop_mut(side) {
            hop.discard(1);
        }
    }

    fn on_control(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        control: &Control,
        to: &mut dyn Accept,
    ) {
        let is_hold = self.treatment.is_hold();
        if control.opcode() == Opcode::Pong && side == Side::Backend {
            self.end_turn(control.payload());
        }
        let Some(hop) = self.hop_mut(side) else {
            return;
        };
        match control.opcode() {
            Opcode::Close => {
                let event = match CloseFrame::parse(control.payload()) {
                    Ok(frame) => Event::Closed(side, frame),
                    Err(error) => Event::Broke(side, error),
                };
                self.on(at, event);
            }
            Opcode::Ping if is_hold => hop.answer_ping(control.payload()),
            Opcode::Pong if hop.on_pong(at.now, control.payload()) || is_hold => {}
            // Control frames alone reach this.
            Opcode::Ping | Opcode::Pong | Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                self.forward(at.now, side, (&control.to_wire(), &[]), true, to);
            }
        }
    }
}
