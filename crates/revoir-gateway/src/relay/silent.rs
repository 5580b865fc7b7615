//! What a relay does with a backend that is silent.
//!
//! A process that is frozen, or busy, has its sockets: what is written to it, it reads later, and answers.
//! So the connection stays as it is, and its upstream is asked how it is, with a request that is nobody's.
//! While it does not answer that either, it is frozen. If it does, or is gone, this connection will not go
//! on, and is left.

use std::time::Duration;

use revoir_proto::{Cause, Detail, Finish};

use crate::relay::silence::Silence;
use crate::relay::stage::Event;
use crate::relay::state::{Moment, Relay, Side, Stage};

impl Relay {
    /// The backend has shown no sign of life for so long that it counts as silent, for this reason. Returns
    /// whether it is kept for all that.
    pub(super) fn falls_silent(&mut self, now: Duration, cause: Cause) -> bool {
        let is_attached = self.is_attached();
        let time = self.rules.silent_budget;
        let Some(backend) = self.backend.as_mut().filter(|_| is_attached) else {
            return false;
        };
        let closes = backend.hop.sent().is_some() || !backend.hop.is_heard();
        if closes || time.is_zero() {
            return false;
        }
        backend.hop.silence = Some(Box::new(Silence::new(cause, now, now + time)));
        true
    }

    /// The backend has sent something, or taken something that had to wait.
    #[inline]
    pub(super) fn speaks(&mut self, is_read_from: bool) {
        let Some(backend) = &mut self.backend else {
            return;
        };
        let silence = backend.hop.silence.as_ref();
        // The system takes what a frozen process will read, and one that takes nothing may well talk.
        if silence.is_some_and(|silence| (silence.cause == Cause::PongTimeout) == is_read_from) {
            backend.hop.silence = None;
        }
    }

    /// Whether the client has a backend, and that is silent.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_attached() && self.silence().is_some()
    }

    fn silence(&self) -> Option<&Silence> {
        self.backend.as_ref()?.hop.silence.as_deref()
    }

    /// Takes a silent backend for lost once its time is over, or once it is known that it will not go on.
    pub(super) fn look_at_silence(&mut self, at: &mut Moment<'_>) {
        if !self.is_silent() {
            return;
        }
        let heard_of = (at.outlook)().heard_of;
        let Some(hop) = self.hop_mut(Side::Backend) else {
            return;
        };
        let Some(silence) = &mut hop.silence else {
            return;
        };
        silence.note(at.now, heard_of);
        if silence.deadline() > at.now {
            return;
        }
        let cause = silence.cause;
        hop.silence = None;
        let event = match cause {
            Cause::PongTimeout => Event::Silent(Side::Backend),
            cause => Event::Lost(Side::Backend, cause, Detail::None, Finish::Timeout),
        };
        self.on(at, event);
        if let Stage::Holding(hold) = &mut self.stage {
            hold.was_silent = true;
        }
    }

    /// When `look_at_silence` has something to do, while there is a backend.
    pub(super) fn silence_deadline(&self) -> Option<Duration> {
        Some(self.silence()?.deadline())
    }
}
