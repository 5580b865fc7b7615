//! Deadlines.

use std::time::Duration;

use revoir_codes::{Reason, SendCode};

use crate::connection::Connection;
use crate::ending::{Cause, Detail, Finish};
use crate::frame::{CloseFrame, Opcode};
use crate::random::Random;
use crate::state::State;

/// An empty output queue gives its memory back after so long without a write.
const RELEASE_AFTER: Duration = Duration::from_secs(1);

impl<R: Random> Connection<R> {
    /// When to call [`handle_timeout`](Self::handle_timeout) next, in the caller's epoch.
    ///
    /// Every other call may change it. A driver may also wake up late, or at an earlier time it was
    /// told: the call then does what is due, and nothing else.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.parts.state {
            State::Open => self.open_deadline(),
            State::Closing => self.closing().map(|closing| closing.next_deadline()),
            State::Connecting | State::Closed => None,
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.parts.state {
            State::Open => self.on_open_timeout(now),
            State::Closing => {
                if self
                    .closing()
                    .is_some_and(|closing| closing.next_deadline() <= now)
                {
                    self.expire(now);
                }
            }
            State::Connecting | State::Closed => {}
        }
    }

    /// The driver stops reading, because the application takes no messages: until
    /// [`resume_reading`](Self::resume_reading) the peer cannot be heard, and only the progress of
    /// writing counts.
    pub fn pause_reading(&mut self) {
        self.parts.paused = true;
        self.parts.stalled = true;
    }

    /// The driver reads again. The deadlines that were suspended start anew.
    pub fn resume_reading(&mut self, now: Duration) {
        self.parts.paused = false;
        if !self.has_pending_input() {
            self.end_stall(now);
        }
    }

    pub(crate) fn end_stall(&mut self, now: Duration) {
        if self.parts.paused {
            return;
        }
        self.parts.stalled = false;
        self.parts.liveness.on_reading_resumed(now);
        self.parts.last_message = self.parts.last_message.max(now);
    }

    /// Whether the peer cannot be heard because nobody takes what it has sent.
    fn is_deaf(&self) -> bool {
        self.parts.paused || self.has_pending_input()
    }

    fn on_open_timeout(&mut self, now: Duration) {
        if self.parts.input_end.is_some() {
            return;
        }
        let is_due = |deadline: Option<Duration>| deadline.is_some_and(|at| at <= now);
        if is_due(self.write_deadline()) {
            self.discard_pending(now);
            self.lose(now, Cause::WriteTimeout, Detail::None, Finish::Timeout);
            return;
        }
        if is_due(self.release_at()) {
            self.parts.output.release();
        }
        if self.is_deaf() {
            self.parts.stalled = true;
            return;
        }
        if is_due(self.dead_at()) {
            let frame = CloseFrame::new(SendCode::TIMEOUT, Reason::truncated("no sign of life"));
            self.close_locally(now, Cause::PongTimeout, frame);
        } else if is_due(self.idle_at()) {
            let frame = CloseFrame::new(SendCode::GOING_AWAY, Reason::truncated("idle"));
            self.close_locally(now, Cause::IdleTimeout, frame);
        } else if is_due(self.ping_at()) {
            self.push_keepalive_ping(now);
        }
    }

    fn push_keepalive_ping(&mut self, now: Duration) {
        let id = self.random.next_u32().to_ne_bytes();
        self.push_control(now, Opcode::Ping, &id);
        let end = self.parts.output.pushed();
        let jitter = self.random.next_u32();
        let liveness = &mut self.parts.liveness;
        liveness.on_ping_queued(id, end, jitter);
        let keepalive = self.parts.config.keepalive.as_ref();
        self.parts.ping_interval = keepalive.map(|config| liveness.interval(config));
    }

    fn open_deadline(&self) -> Option<Duration> {
        if self.parts.input_end.is_some() {
            // Only the application is waited for: it takes the last messages.
            return None;
        }
        let progress = earlier(self.write_deadline(), self.release_at());
        if self.is_deaf() {
            return progress;
        }
        let life = earlier(self.dead_at(), self.ping_at());
        earlier(progress, earlier(life, self.idle_at()))
    }

    fn write_deadline(&self) -> Option<Duration> {
        let stuck_since = self.parts.output.stuck_since()?;
        Some(stuck_since.saturating_add(self.parts.config.write_timeout?))
    }

    fn release_at(&self) -> Option<Duration> {
        let output = &self.parts.output;
        let idle = output.queued() == 0 && output.holds_memory();
        idle.then(|| self.parts.liveness.sent.saturating_add(RELEASE_AFTER))
    }

    fn dead_at(&self) -> Option<Duration> {
        self.parts
            .liveness
            .dead_at(self.parts.config.keepalive.as_ref()?)
    }

    fn ping_at(&self) -> Option<Duration> {
        self.parts.liveness.ping_at(self.parts.ping_interval?)
    }

    fn idle_at(&self) -> Option<Duration> {
        Some(
            self.parts
                .last_message
                .saturating_add(self.parts.config.idle_timeout?),
        )
    }
}

/// The earlier one of two deadlines that may be absent.
#[inline]
fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
