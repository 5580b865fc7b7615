//! Deadlines.

use std::time::Duration;

use crate::event::{Close, Ended, Loss};
use crate::role::Role;
use crate::session::Session;

/// Whoever opens a connection says HELLO in this time, and WELCOME is there in this time.
pub const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// So much later than the heartbeat an end gives up on a silent peer.
pub const HEARTBEAT_GRACE: Duration = Duration::from_secs(10);

/// A server that is probed answers in this time.
pub const PROBE_LIMIT: Duration = Duration::from_secs(4);

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Ack,
    Welcome,
    Silence,
    Probe,
    Heartbeat,
    Expiry,
}

impl Session {
    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers().map(|(at, _)| at).min()
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. What is to be written then is in
    /// [`poll_transmit`](Self::poll_transmit).
    pub fn handle_timeout(&mut self, now: Duration) {
        let due: Vec<Timer> = self
            .timers()
            .filter(|(at, _)| *at <= now)
            .map(|(_, timer)| timer)
            .collect();
        for timer in due {
            match timer {
                // It is written when it is asked for.
                Timer::Ack => self.receiving.ring(),
                Timer::Welcome => self.close(Close::timeout("no WELCOME in time")),
                Timer::Silence => self.close(Close::timeout("nothing heard in time")),
                Timer::Probe => self.close(Close::timeout("no answer to PING in time")),
                Timer::Heartbeat => {
                    if let Some(line) = &mut self.line {
                        line.ping = true;
                    }
                }
                Timer::Expiry => self.end(Ended::Lost(Loss::Expired)),
            }
        }
    }

    /// Client: asks the server whether it is there, for example when a page comes back. Without any
    /// message of it in 4 s, the connection is closed.
    pub fn probe(&mut self, now: Duration) {
        if let Some(line) = self.line.as_mut().filter(|line| line.is_open) {
            line.ping = true;
            line.probe = Some(now + PROBE_LIMIT);
        }
    }

    /// Client: whether a [probe](Self::probe) of this connection has no answer yet.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.probe.is_some())
    }

    /// Nothing was read, since the application has no room: that the peer is silent is not its fault.
    pub fn hold(&mut self, now: Duration) {
        if let Some(line) = &mut self.line {
            line.heard = now;
        }
    }

    fn timers(&self) -> impl Iterator<Item = (Duration, Timer)> {
        let is_client = self.role == Role::Client;
        let is_over = self.ended.is_some();
        let line = self
            .line
            .as_ref()
            .filter(|line| line.close.is_none() && !line.is_closing);
        let open = line.filter(|line| line.is_open);
        let beats = open.filter(|_| !is_over && !self.heartbeat.is_zero());
        let ack = open.and_then(|_| self.receiving.due());
        let welcome = line
            .filter(|line| !line.is_open)
            .map(|line| line.heard + OPENING_LIMIT);
        let silence = beats.map(|line| line.heard + self.heartbeat + HEARTBEAT_GRACE);
        let probe = open.and_then(|line| line.probe);
        let heartbeat = beats
            .filter(|line| !is_client && !line.ping)
            // A client from which nothing comes is asked, even if something is sent to it.
            .map(|line| line.spoke.min(line.heard.max(line.asked)) + self.heartbeat);
        let expiry = self
            .detached_since
            .filter(|_| !is_client && !is_over)
            .map(|since| since.saturating_add(self.ttl));
        [
            (ack, Timer::Ack),
            (welcome, Timer::Welcome),
            (silence, Timer::Silence),
            (probe, Timer::Probe),
            (heartbeat, Timer::Heartbeat),
            (expiry, Timer::Expiry),
        ]
        .into_iter()
        .filter_map(|(at, timer)| at.map(|at| (at, timer)))
    }
}
