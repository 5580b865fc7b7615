//! What a relay does with a backend that is silent.
//!
//! A process that is frozen, or busy, has its sockets: what is written to it, it reads later. So the
//! connection stays as it is. If the client may be held, another backend is looked for meanwhile, and only
//! one that has answered takes its place.

use std::time::Duration;

use revoir_proto::{Cause, Detail, Finish};

use crate::relay::search::Search;
use crate::relay::silence::{LAST_CHANCE, Silence};
use crate::relay::stage::Event;
use crate::relay::state::{Moment, Relay, Side, Stage};
use crate::relay::verdict::HoldCause;

impl Relay {
    /// The backend has shown no sign of life for so long that it counts as silent, for this reason. Returns
    /// whether it is kept for all that.
    pub(super) fn falls_silent(&mut self, now: Duration, cause: Cause) -> bool {
        let is_attached = matches!(self.stage, Stage::Attached);
        let time = self.rules.silent_budget;
        let Some(backend) = self.backend.as_mut().filter(|_| is_attached) else {
            return false;
        };
        let closes = backend.hop.sent().is_some() || !backend.hop.is_heard();
        if closes || time.is_zero() {
            return false;
        }
        backend.hop.set_silent(true);
        backend.silence = Some(Box::new(Silence {
            cause,
            since: now,
            until: now + time,
            others_since: None,
            search: Search::from(now),
        }));
        true
    }

    /// The backend has sent something, or taken something that had to wait.
    #[inline]
    pub(super) fn speaks(&mut self, is_read_from: bool) {
        let Some(backend) = &mut self.backend else {
            return;
        };
        let is_silent = backend.silence.as_ref();
        // The system takes what a frozen process will read, and one that takes nothing may well talk.
        if is_silent.is_some_and(|silence| (silence.cause == Cause::PongTimeout) == is_read_from) {
            backend.silence = None;
            backend.hop.set_silent(false);
        }
    }

    /// Whether the client has a backend, and that is silent.
    pub(crate) fn is_silent(&self) -> bool {
        let is_attached = matches!(self.stage, Stage::Attached);
        is_attached && self.silence().is_some()
    }

    fn silence(&self) -> Option<&Silence> {
        self.backend.as_ref()?.silence.as_deref()
    }

    /// Whether another backend may take the place of this one now.
    pub(crate) fn may_be_replaced(&self) -> bool {
        self.treatment.is_hold()
            && self.is_holdable()
            && !self.keeps_back()
            && !self.is_moving()
            && self.adapter_objects().is_none()
    }

    /// Leaves a silent backend, if it still is: another one has answered. The client is held until that is
    /// attached.
    pub(crate) fn leave_silent(&mut self, at: &mut Moment<'_>) {
        if !self.is_silent() {
            return;
        }
        let Some(silence) = self.end_silence() else {
            return;
        };
        if silence.cause == Cause::PongTimeout {
            self.close_silent(at, Side::Backend);
        }
        let why = (silence.cause, Detail::None, Finish::Timeout);
        self.hold(at, HoldCause::Lost, why);
        if let Stage::Holding(hold) = &mut self.stage {
            hold.was_silent = true;
        }
    }

    /// Takes a silent backend for lost, once its time is over. One that cannot be replaced is left as
    /// soon as others have got an answer: then its client will get one too.
    pub(super) fn look_at_silence(&mut self, at: &mut Moment<'_>) {
        if !self.is_silent() {
            return;
        }
        let may_be_replaced = self.may_be_replaced();
        let Some(silence) = self.backend.as_mut().and_then(|own| own.silence.as_mut()) else {
            return;
        };
        let accepts_since = (at.outlook)().accepts_since;
        if accepts_since.is_some_and(|accepts| accepts >= silence.since) {
            silence.others_since.get_or_insert(at.now);
        }
        let has_had_its_chance = |since: Duration| since + LAST_CHANCE <= at.now;
        let is_left = !may_be_replaced && silence.others_since.is_some_and(has_had_its_chance);
        if silence.until > at.now && !is_left {
            return;
        }
        let Some(silence) = self.end_silence() else {
            return;
        };
        let event = match silence.cause {
            Cause::PongTimeout => Event::Silent(Side::Backend),
            cause => Event::Lost(Side::Backend, cause, Detail::None, Finish::Timeout),
        };
        self.on(at, event);
        if let Stage::Holding(hold) = &mut self.stage {
            hold.search = silence.search;
        }
    }

    /// When `look_at_silence` has something to do, or a re-dial may begin.
    pub(super) fn silence_deadline(&self) -> Option<Duration> {
        let silence = self.silence()?;
        Some(silence.deadline(self.may_be_replaced()))
    }

    fn end_silence(&mut self) -> Option<Box<Silence>> {
        let backend = self.backend.as_mut()?;
        backend.hop.set_silent(false);
        backend.silence.take()
    }
}
