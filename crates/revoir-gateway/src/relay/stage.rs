//! Every transition of a relay.

use std::time::Duration;

use revoir_codes::Slot;
use revoir_proto::frame::CloseFrame;
use revoir_proto::{Cause, Detail, Finish, ProtocolError, Reason, SendCode};

use crate::relay::budgets::Budgets;
use crate::relay::ended_by::EndedBy;
use crate::relay::hold::Hold;
use crate::relay::hop::Hop;
use crate::relay::state::{BackendSide, Moment, Relay, Release, Side, Stage};
use crate::relay::verdict::{
    AdapterReport, AfterRedial, Back, BackendEnd, Goodbye, HoldCause, RedialFailure, Verdict,
    after_backend, after_hold, after_redial, after_watched_backend,
};

/// Those who are sent back come over no less time than this.
const LEAST_SPREAD: Duration = Duration::from_secs(4);

/// What the gateway says to a backend whose client is gone.
const CLIENT_LOST: &str = "the client's connection was lost";

/// What happens to a relay.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A Close frame came.
    Closed(Side, CloseFrame),
    /// A transport ended or failed.
    Lost(Side, Cause, Detail, Finish),
    /// A side broke a rule.
    Broke(Side, ProtocolError),
    /// A side showed no sign of life.
    Silent(Side),
    /// The gateway itself closes, as soon as that loses nothing.
    Leave(Goodbye),
    /// The gateway itself closes, now, on this account.
    LeaveNow(Goodbye, EndedBy),
}

impl Relay {
    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, at: &mut Moment<'_>) {
        for side in [Side::Client, Side::Backend] {
            let due = self
                .hop_mut(side)
                .and_then(|hop| hop.on_timeout(at.now, at.random));
            match due {
                None => {}
                Some(cause) if side == Side::Backend && self.falls_silent(at.now, cause) => {}
                Some(Cause::PongTimeout) => self.on(at, Event::Silent(side)),
                Some(cause) => {
                    let event = Event::Lost(side, cause, Detail::None, Finish::Timeout);
                    self.on(at, event);
                }
            }
        }
        self.look_at_move(at);
        self.look_at_silence(at);
        self.adapter_timeout(at);
        self.look_at_gate(at);
        if let Stage::Holding(hold) = &mut self.stage {
            let accepted = (at.outlook)().accepted;
            let accepts = accepted.is_some_and(|accepted| accepted >= hold.since);
            hold.note(at.now, accepts, &self.rules);
            let (deadline, ran_out) = hold.deadline();
            if deadline <= at.now {
                let (why, is_invalid, is_crowded) = (hold.why, hold.is_invalid, hold.is_crowded);
                let is_full = is_crowded || self.is_full();
                let goodbye = after_hold(why, ran_out, is_full, is_invalid);
                self.on(at, Event::LeaveNow(goodbye, EndedBy::NoBackend));
            }
        }
        if let Stage::Closing { deadline } = self.stage
            && deadline <= at.now
        {
            self.give_up(at);
        }
        self.settle(at.now);
    }

    /// A re-dial was answered with something else than what was agreed, or not at all.
    pub(crate) fn redial_failed(&mut self, at: &mut Moment<'_>, redialed: &RedialFailure) {
        let advice = match after_redial(redialed) {
            AfterRedial::Again(advice) => advice,
            AfterRedial::End(goodbye) => {
                return self.on(at, Event::LeaveNow(goodbye, EndedBy::NoBackend));
            }
        };
        if let Stage::Holding(hold) = &mut self.stage {
            hold.is_invalid = *redialed == RedialFailure::Invalid;
            let is_answered = *redialed != RedialFailure::Unreachable;
            hold.search.failed(at.now, is_answered, advice);
        }
    }

    /// The gateway ends both sides now: what waits for them leaves if it can.
    pub(crate) fn cut_off(&mut self, at: &mut Moment<'_>) {
        self.give_up(at);
        self.settle(at.now);
    }

    /// The gateway closes the connection, whatever it is doing. One that may come back, and has a session, waits until
    /// its backend has said everything.
    pub(crate) fn leave(&mut self, at: &mut Moment<'_>, goodbye: Goodbye) {
        self.on(at, Event::Leave(goodbye));
    }

    /// As [`leave`](Self::leave), and nobody waits for the backend.
    pub(crate) fn leave_now(&mut self, at: &mut Moment<'_>, goodbye: Goodbye) {
        self.on(at, Event::LeaveNow(goodbye, EndedBy::Gateway));
    }

    /// The one function that changes the stage.
    pub(super) fn on(&mut self, at: &mut Moment<'_>, event: Event) {
        let ends = match event {
            Event::Closed(side, _)
            | Event::Lost(side, ..)
            | Event::Broke(side, _)
            | Event::Silent(side) => side == Side::Client,
            Event::Leave(_) | Event::LeaveNow(..) => true,
        };
        // Who ends waits for nobody any more: the backend at least gets what was said.
        if ends && matches!(self.stage, Stage::Attached) && self.is_gated() {
            self.open_gate(at);
        }
        match self.stage {
            Stage::Attached => self.on_attached(at, event),
            Stage::Holding(_) => self.on_holding(at, event),
            Stage::Closing { .. } => self.on_closing(at, event),
            Stage::Done => {}
        }
        self.settle(at.now);
    }

    fn on_attached(&mut self, at: &mut Moment<'_>, event: Event) {
        match event {
            Event::Closed(Side::Client, frame) => {
                self.receive(Side::Client, frame);
                self.begin_closing(at.now);
                self.close(at, Side::Backend, frame, "the client closed");
            }
            Event::Closed(Side::Backend, frame) => {
                self.receive(Side::Backend, frame);
                self.backend_ended(at, &BackendEnd::Closed(frame));
            }
            Event::Lost(Side::Client, cause, detail, finish) => {
                self.end(at.now, Side::Client, (cause, detail, finish), Release::Drop);
                self.begin_closing(at.now);
                self.close(at, Side::Backend, going_away(CLIENT_LOST), CLIENT_LOST);
            }
            Event::Lost(Side::Backend, cause, detail, finish) => {
                self.lose_backend(at, cause, detail, finish);
            }
            Event::Broke(Side::Client, error) => {
                self.fail(at, Side::Client, error);
                self.begin_closing(at.now);
                let text = "the client broke the protocol";
                self.close(at, Side::Backend, going_away(text), text);
            }
            Event::Broke(Side::Backend, error) => {
                self.fail(at, Side::Backend, error);
                self.backend_ended(at, &BackendEnd::Broke(error));
            }
            Event::Silent(Side::Client) => {
                self.close_silent(at, Side::Client);
                self.begin_closing(at.now);
                self.close(at, Side::Backend, going_away(CLIENT_LOST), CLIENT_LOST);
            }
            Event::Silent(Side::Backend) => {
                self.close_silent(at, Side::Backend);
                self.backend_ended(at, &BackendEnd::Lost);
            }
            Event::Leave(goodbye) => {
                if !self.puts_off(at, &goodbye) {
                    self.on_attached(at, Event::LeaveNow(goodbye, EndedBy::Gateway));
                }
            }
            Event::LeaveNow(goodbye, ended_by) => {
                self.begin_closing(at.now);
                self.ended_by = ended_by;
                let frame = self.say(at, &goodbye);
                self.close(at, Side::Backend, frame, "the gateway closes");
            }
        }
    }

    fn on_holding(&mut self, at: &mut Moment<'_>, event: Event) {
        match event {
            Event::Closed(Side::Client, frame) => {
                self.receive(Side::Client, frame);
                self.begin_closing(at.now);
                self.close(at, Side::Client, frame.answer(), "");
            }
            Event::Lost(Side::Client, cause, detail, finish) => {
                self.begin_closing(at.now);
                self.end(at.now, Side::Client, (cause, detail, finish), Release::Drop);
            }
            Event::Broke(Side::Client, error) => {
                self.begin_closing(at.now);
                self.fail(at, Side::Client, error);
            }
            Event::Silent(Side::Client) => {
                self.begin_closing(at.now);
                self.close_silent(at, Side::Client);
            }
            // Another gateway may find a backend for it.
            Event::Leave(goodbye) => {
                self.on_holding(at, Event::LeaveNow(goodbye, EndedBy::Gateway));
            }
            Event::LeaveNow(goodbye, ended_by) => {
                self.begin_closing(at.now);
                self.ended_by = ended_by;
                self.say(at, &goodbye);
            }
            // There is no backend.
            Event::Closed(Side::Backend, _)
            | Event::Lost(Side::Backend, ..)
            | Event::Broke(Side::Backend, _)
            | Event::Silent(Side::Backend) => {}
        }
    }

    fn on_closing(&mut self, at: &mut Moment<'_>, event: Event) {
        match event {
            Event::Closed(side, frame) => {
                self.receive(side, frame);
                let text = match side {
                    Side::Client => "the client closed",
                    Side::Backend => "the backend closed",
                };
                self.close(at, side.other(), frame, text);
                if self.hop(side.other()).is_none() {
                    self.close(at, side, frame.answer(), "");
                }
            }
            Event::Lost(side, cause, detail, finish) => {
                self.end(at.now, side, (cause, detail, finish), Release::Drop);
                self.answer_for_the_other(at, side.other());
            }
            Event::Broke(side, error) => {
                self.fail(at, side, error);
                self.answer_for_the_other(at, side.other());
            }
            Event::Silent(side) => {
                let why = (Cause::PongTimeout, Detail::None, Finish::Timeout);
                self.end(at.now, side, why, Release::Drop);
                self.answer_for_the_other(at, side.other());
            }
            // It closes already.
            Event::Leave(_) | Event::LeaveNow(..) => {}
        }
    }

    /// The backend is gone, and has sent all it will.
    fn backend_ended(&mut self, at: &mut Moment<'_>, end: &BackendEnd) {
        if self.say_farewell(at) {
            if let BackendEnd::Closed(frame) = end {
                self.close(at, Side::Backend, frame.answer(), "");
            }
            return;
        }
        match self.verdict(at, end) {
            Verdict::Hold(why) => {
                if let BackendEnd::Closed(frame) = end {
                    self.close(at, Side::Backend, frame.answer(), "");
                }
                // Its answer to a Close frame of ours, if it is still alive, is not waited for.
                self.hold(at, why, (Cause::Dropped, Detail::None, Finish::Reset));
            }
            Verdict::Pass => {
                self.begin_closing(at.now);
                self.ended_by = EndedBy::Backend;
                if let BackendEnd::Closed(frame) = end {
                    self.close(at, Side::Client, *frame, "the backend closed");
                }
            }
            Verdict::End(goodbye) => {
                self.begin_closing(at.now);
                self.ended_by = EndedBy::NoBackend;
                if let BackendEnd::Closed(frame) = end {
                    self.close(at, Side::Backend, frame.answer(), "");
                }
                self.say(at, &goodbye);
            }
        }
    }

    /// What follows from the end of a backend.
    fn verdict(&mut self, at: &Moment<'_>, end: &BackendEnd) -> Verdict {
        if !self.is_moving() {
            return self.verdict_on(at, end, false);
        }
        // One that was told to close says nothing to the client by that, whatever it answers.
        let verdict = self.verdict_on(at, &BackendEnd::Closed(going_away("")), true);
        match (verdict, end) {
            (Verdict::Pass, BackendEnd::Lost | BackendEnd::Broke(_)) => {
                // It left no frame that could pass.
                Verdict::End(Goodbye::restart("the backend was lost"))
            }
            (verdict, _) => verdict,
        }
    }

    /// As [`verdict`](Self::verdict); `was_asked`: the backend was told to close.
    fn verdict_on(&mut self, at: &Moment<'_>, end: &BackendEnd, was_asked: bool) -> Verdict {
        let restarting = (at.outlook)().restarting;
        if let Some(watched) = &self.watched {
            let said = AdapterReport {
                restarts: was_asked || watched.restarts(end),
                is_ready: watched.adapter.is_ready(),
                objects: watched.adapter.holdable().is_err(),
            };
            let verdict = after_watched_backend(end, said, self.is_holdable(), restarting);
            if !matches!(verdict, Verdict::Hold(_))
                && let Some(why) = self.adapter_objects()
            {
                self.is_tunnel(why);
            }
            return verdict;
        }
        let treatment = self.treatment;
        after_backend(end, treatment, self.is_holdable(), restarting, &self.rules)
    }

    /// The transport of the backend is gone.
    fn lose_backend(&mut self, at: &mut Moment<'_>, cause: Cause, detail: Detail, finish: Finish) {
        let why = (cause, detail, finish);
        if self.say_farewell(at) {
            return self.end(at.now, Side::Backend, why, Release::Drop);
        }
        match self.verdict(at, &BackendEnd::Lost) {
            Verdict::Hold(held) => self.hold(at, held, why),
            // Only a frame passes.
            Verdict::Pass => {}
            Verdict::End(goodbye) => {
                self.begin_closing(at.now);
                self.ended_by = EndedBy::NoBackend;
                self.end(at.now, Side::Backend, why, Release::Drop);
                self.say(at, &goodbye);
            }
        }
    }

    /// Keeps the client, without its backend.
    pub(super) fn hold(
        &mut self,
        at: &mut Moment<'_>,
        why: HoldCause,
        end: (Cause, Detail, Finish),
    ) {
        let Some(backend) = &mut self.backend else {
            return;
        };
        let sent = self.lane.messages() - self.waiting.queued_messages() as u64;
        let previous = backend.so_far(sent);
        let is_gated = backend.gate.is_some();
        let lasted = at.now.saturating_sub(backend.attached);
        let watched = self.watched.as_ref();
        // One that never answered the hello was as good as away.
        let was_ready = watched.is_none_or(|watched| watched.adapter.is_ready());
        if was_ready && lasted >= self.rules.stable_after {
            self.budgets = Budgets::default();
        }
        let mut left = self.budgets.left(why, &self.rules);
        if !was_ready {
            left = left.saturating_sub(lasted);
        }
        let may_answer = backend.hop.sent().is_some() && !backend.hop.out.is_inside_message();
        let release = if may_answer {
            Release::Linger
        } else {
            Release::Drop
        };
        let unsent = backend.hop.out.split_repeatable();
        // What waits for the return of others was not given to it.
        if self.watched.is_none() && !is_gated {
            self.waiting = unsent;
        }
        self.end(at.now, Side::Backend, end, release);
        if let Some(ended) = self.ended.last_mut() {
            ended.held = Some(why);
        }
        let mut hold = Hold::new(at.now, why, left, previous);
        hold.is_moved = self.moving.take().is_some();
        if why == HoldCause::Busy {
            // Not all at once: a second, and up to one more.
            let jitter = (u64::from(at.random.next_u32()) * 1000) >> 32;
            hold.search
                .put_off(at.now + Duration::from_millis(1000 + jitter));
        }
        self.stage = Stage::Holding(Box::new(hold));
        self.adapter_is_held(at);
    }

    /// Whether nothing is half forwarded in either direction.
    pub(super) fn is_holdable(&self) -> bool {
        let is_free =
            |backend: &BackendSide| backend.lane.is_holdable() && backend.hop.out.is_repeatable();
        self.lane.is_holdable() && self.backend.as_ref().is_some_and(is_free)
    }

    pub(super) fn begin_closing(&mut self, now: Duration) {
        (self.moving, self.farewell) = (None, None);
        let deadline = now + self.rules.close_budget;
        self.stage = Stage::Closing { deadline };
    }

    fn receive(&mut self, side: Side, frame: CloseFrame) {
        if let Some(hop) = self.hop_mut(side) {
            hop.receive_close(frame);
        }
    }

    pub(super) fn close(
        &mut self,
        at: &mut Moment<'_>,
        side: Side,
        frame: CloseFrame,
        text: &'static str,
    ) {
        if let Some(hop) = self.hop_mut(side) {
            let detail = Detail::Text(text.into());
            hop.send_close(frame, Cause::ClosedLocally, detail, at.random);
        }
    }

    pub(super) fn close_silent(&mut self, at: &mut Moment<'_>, side: Side) {
        let frame = CloseFrame::new(SendCode::TIMEOUT, Reason::truncated("no sign of life"));
        if let Some(hop) = self.hop_mut(side) {
            // RFC 6455 section 7.1.7: no answer is waited for.
            hop.fail();
            hop.send_close(frame, Cause::PongTimeout, Detail::None, at.random);
        }
    }

    fn fail(&mut self, at: &mut Moment<'_>, side: Side, error: ProtocolError) {
        if let Some(hop) = self.hop_mut(side) {
            hop.fail();
            let reason = Reason::truncated(&error.to_string());
            let frame = CloseFrame::new(error.close_code(), reason);
            hop.send_close(frame, error.cause(), Detail::Rule(error), at.random);
        }
    }

    /// The Close frame that says this now.
    pub(super) fn frame_of(&self, at: &mut Moment<'_>, goodbye: &Goodbye) -> CloseFrame {
        let reason = match goodbye.back {
            None => Reason::truncated(&goodbye.text),
            Some(Back::At(when)) => Slot::new(when.saturating_sub(at.now)).write(&goodbye.text),
            Some(Back::After(from)) => {
                let spread = (at.outlook)().spread.max(LEAST_SPREAD).as_millis() as u64;
                let part = (u128::from(at.random.next_u32()) * u128::from(spread)) >> 32;
                let after = from + Duration::from_millis(part as u64);
                Slot::new(after).write(&goodbye.text)
            }
        };
        CloseFrame::new(goodbye.code, reason)
    }

    /// Closes the client in the gateway's own words.
    pub(super) fn say(&mut self, at: &mut Moment<'_>, goodbye: &Goodbye) -> CloseFrame {
        let frame = self.frame_of(at, goodbye);
        if let Some(hop) = &mut self.client {
            let detail = Detail::Text(goodbye.text.clone());
            hop.send_close(frame, goodbye.cause, detail, at.random);
        }
        frame
    }

    /// Closes a side that has closed, but whose other side can answer no more.
    fn answer_for_the_other(&mut self, at: &mut Moment<'_>, side: Side) {
        let answer = match self.hop(side).map(Hop::received) {
            Some(Some(frame)) => frame.answer(),
            _ => going_away(CLIENT_LOST),
        };
        self.close(at, side, answer, "");
    }

    /// The closing handshakes have taken too long.
    fn give_up(&mut self, at: &mut Moment<'_>) {
        for side in [Side::Client, Side::Backend] {
            self.answer_for_the_other(at, side);
            let why = (Cause::ClosedLocally, Detail::None, Finish::Timeout);
            self.end(at.now, side, why, Release::Linger);
        }
    }

    /// Ends TCP in the middle of a frame.
    fn cut(&mut self, now: Duration, side: Side) {
        let text = "the other side was lost inside a frame";
        let why = (Cause::Dropped, Detail::Text(text.into()), Finish::Reset);
        self.end(now, side, why, Release::Drop);
    }

    /// Ends the sides that have nothing left to do.
    pub(super) fn settle(&mut self, now: Duration) {
        if !matches!(self.stage, Stage::Closing { .. }) {
            return;
        }
        for side in [Side::Client, Side::Backend] {
            if !self.may_insert(side) && !self.hears(side.other()) {
                // It waits for the rest of a frame: no Close frame could be told apart from that.
                self.cut(now, side);
            }
            if self.hop(side).is_some_and(Hop::is_settled) {
                let why = (Cause::ClosedLocally, Detail::None, Finish::Timeout);
                self.end(now, side, why, Release::Linger);
            }
        }
        if self.client.is_none() && self.backend.is_none() {
            self.stage = Stage::Done;
        }
    }
}

fn going_away(text: &str) -> CloseFrame {
    CloseFrame::new(SendCode::GOING_AWAY, Reason::truncated(text))
}
