//! Deadlines.

use std::time::Duration;

use revoir_codes::{Reason, SendCode};

use crate::connection::Connection;
use crate::connection::step::Incident;
use crate::ending::{Cause, Detail, Finish};
use crate::frame::{CloseFrame, Opcode};
use crate::keepalive::moved;
use crate::nanos::Nanos;
use crate::random::Random;
use crate::state::State;

/// An empty output queue gives its memory back after so long without a write.
const RELEASE_AFTER: Nanos = Nanos::from_secs(1);

impl<R: Random> Connection<R> {
    /// When to call [`handle_timeout`](Self::handle_timeout) next, in the caller's epoch: no later
    /// than something is due. The call then does what is due, and tells a later time.
    ///
    /// Every other call may change it. A driver may also wake up late, or at an earlier time it was
    /// told.
    #[inline]
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.quiet_deadline() {
            Some(at) => Some(at.into()),
            None => self.deadline(),
        }
    }

    /// [`poll_timeout`](Self::poll_timeout) while nothing but messages comes and goes.
    #[inline]
    fn quiet_deadline(&self) -> Option<Nanos> {
        let parts = &self.parts;
        let is_quiet = parts.state == State::Open
            && parts.output.queued() == 0
            && parts.deaf_since.is_none()
            && parts.input_end.is_none()
            && parts.rare.is_none();
        let at = parts.life_at.filter(|&at| is_quiet && at > parts.now)?;
        Some(match parts.output.holds_memory() {
            true => at.min(parts.liveness.sent().saturating_add(RELEASE_AFTER)),
            false => at,
        })
    }

    #[inline(never)]
    fn deadline(&self) -> Option<Duration> {
        let deadline = match self.parts.state {
            State::Open => self.open_deadline(),
            State::Closing => self.closing().map(|closing| closing.next_deadline().into()),
            State::Connecting | State::Closed => None,
        };
        let deadline = match &self.parts.rare {
            None => deadline,
            Some(rare) => deadline.map(|at| at.saturating_sub(rare.ahead)),
        };
        deadline.map(Into::into)
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        let now = self.own_time(now);
        match self.parts.state {
            State::Open => {
                self.on_open_timeout(now);
                self.renew_life();
            }
            State::Closing => {
                if self
                    .closing()
                    .is_some_and(|closing| Nanos::from(closing.next_deadline()) <= now)
                {
                    self.expire(now);
                }
            }
            State::Connecting | State::Closed => {}
        }
    }

    /// The driver stops reading, because the application takes no messages: until
    /// [`resume_reading`](Self::resume_reading) the peer cannot be heard. Its silence does not
    /// count then, nor does the lack of messages; pings go on, and writing must progress.
    pub fn pause_reading(&mut self) {
        let parts = &mut self.parts;
        parts.paused = true;
        // There is no `now` here. It was after the last byte in either direction.
        let latest = parts.liveness.latest();
        parts.deaf_since = parts.deaf_since.or(Some(latest));
    }

    /// The driver reads again. The deadlines that were suspended move by the time in between.
    pub fn resume_reading(&mut self, now: Duration) {
        let now = self.own_time(now);
        self.parts.paused = false;
        self.listen(now);
    }

    /// Ends the time in which the peer could not be heard, if it is over.
    #[inline(always)]
    pub(super) fn listen(&mut self, now: Nanos) {
        let parts = &mut self.parts;
        let Some(deaf_since) = parts.deaf_since else {
            return;
        };
        if parts.has_input() || parts.paused {
            if parts.input_end.is_some() {
                // The application has taken something.
                parts.deaf_since = Some(now);
            }
        } else if deaf_since == now && parts.life_at.is_some() {
            // No time has passed.
            parts.deaf_since = None;
        } else {
            self.hear_again(now, deaf_since);
        }
    }

    #[inline(never)]
    fn hear_again(&mut self, now: Nanos, deaf_since: Nanos) {
        let parts = &mut self.parts;
        parts.deaf_since = None;
        if deaf_since < now {
            parts
                .liveness
                .on_hearing_again(now.into(), deaf_since.into());
            parts.last_message = moved(parts.last_message, now, deaf_since);
        }
        if parts.life_at.is_none() {
            self.renew_life();
        }
    }

    fn on_open_timeout(&mut self, now: Nanos) {
        let is_due = |deadline: Option<Nanos>| deadline.is_some_and(|at| at <= now);
        if is_due(self.write_deadline()) {
            self.discard_pending(now);
            let (cause, detail, finish) = (Cause::WriteTimeout, Detail::None, Finish::Timeout);
            let lost = Incident::Lost {
                cause,
                detail,
                finish,
            };
            self.step(now, lost);
            return;
        }
        if is_due(self.release_at()) {
            self.parts.output.release();
        }
        if self.parts.input_end.is_some() {
            if is_due(self.take_at()) {
                self.discard_pending(now);
                self.apply_end(now);
            }
            return;
        }
        if is_due(self.dead_at()) {
            let frame = CloseFrame::new(SendCode::TIMEOUT, Reason::truncated("no sign of life"));
            self.close_for(now, Cause::PongTimeout, frame);
        } else if is_due(self.idle_at()) {
            let frame = CloseFrame::new(SendCode::GOING_AWAY, Reason::truncated("idle"));
            self.close_for(now, Cause::IdleTimeout, frame);
        } else if is_due(self.ping_at()) {
            self.push_keepalive_ping(now);
        }
    }

    /// Closes because of a deadline.
    fn close_for(&mut self, now: Nanos, cause: Cause, frame: CloseFrame) {
        let (detail, closed_at) = (Detail::None, None);
        self.step(
            now,
            Incident::Close {
                cause,
                detail,
                frame,
                closed_at,
            },
        );
    }

    fn push_keepalive_ping(&mut self, now: Nanos) {
        let id = self.random.next_u32().to_ne_bytes();
        self.push_control(now, Opcode::Ping, &id);
        let end = self.parts.output.pushed();
        let jitter = self.random.next_u32();
        self.parts.liveness.on_ping_queued(id, end, jitter);
    }

    fn open_deadline(&self) -> Option<Nanos> {
        let parts = &self.parts;
        let output = match parts.output.queued() {
            0 => self.release_at(),
            _ => self.write_deadline(),
        };
        if parts.input_end.is_some() {
            // The peer has no more to say: only the application is waited for.
            return earlier(output, self.take_at());
        }
        let life = match parts.life_at {
            Some(at) if at > parts.now && parts.deaf_since.is_none() => Some(at),
            Some(_) | None => self.life_deadline(),
        };
        earlier(output, life)
    }

    /// When the keepalive or the idle limit is due.
    #[inline(never)]
    fn life_deadline(&self) -> Option<Nanos> {
        earlier(earlier(self.dead_at(), self.ping_at()), self.idle_at())
    }

    /// Works the earliest deadline out again, where it may have come closer.
    #[inline(never)]
    pub(super) fn renew_life(&mut self) {
        self.parts.life_at = match self.parts.deaf_since {
            // Some deadlines are suspended, and come back when the peer can be heard again.
            Some(_) => None,
            None => self.life_deadline(),
        };
    }

    fn write_deadline(&self) -> Option<Nanos> {
        let stuck_since = self.parts.output.stuck_since()?;
        Some(stuck_since.saturating_add(self.parts.config.write_timeout?.into()))
    }

    fn release_at(&self) -> Option<Nanos> {
        let output = &self.parts.output;
        let idle = output.queued() == 0 && output.holds_memory();
        idle.then(|| self.parts.liveness.sent().saturating_add(RELEASE_AFTER))
    }

    /// When the application has left the last messages for too long.
    fn take_at(&self) -> Option<Nanos> {
        let untaken_since = self.parts.deaf_since?;
        Some(untaken_since.saturating_add(self.parts.config.take_timeout?.into()))
    }

    fn dead_at(&self) -> Option<Nanos> {
        if self.parts.deaf_since.is_some() {
            return None;
        }
        self.parts
            .liveness
            .dead_due(self.parts.config.keepalive.as_ref()?)
    }

    fn ping_at(&self) -> Option<Nanos> {
        let (liveness, is_deaf) = (&self.parts.liveness, self.parts.deaf_since.is_some());
        let interval = liveness.interval(self.parts.config.keepalive.as_ref()?);
        liveness.ping_due(interval.into(), is_deaf)
    }

    fn idle_at(&self) -> Option<Nanos> {
        if self.parts.deaf_since.is_some() {
            return None;
        }
        Some(
            self.parts
                .last_message
                .saturating_add(self.parts.config.idle_timeout?.into()),
        )
    }
}

/// The earlier one of two deadlines that may be absent.
#[inline]
fn earlier(one: Option<Nanos>, other: Option<Nanos>) -> Option<Nanos> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
