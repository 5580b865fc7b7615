//! The gate: what a client says after its return waits until others are back who are to hear it.
//!
//! Clients talk with each other through their backend. What one says to a new backend before others have
//! subscribed there again meets nobody, and is confirmed for all that.

use std::time::Duration;

use crate::relay::state::{Moment, Nowhere, Relay, Side, Stage};

/// How long the others may take.
pub(crate) const LONGEST_RETURN: Duration = Duration::from_secs(5);

/// How long a client may take to say by itself what its new backend has to know: a round trip, and what a
/// busy program needs.
const ROUND_TRIP: Duration = Duration::from_secs(1);

impl Relay {
    /// The hello has been said again. Where the client itself says what the backend has to know, only what
    /// it said before that waits.
    pub(super) fn shut_gate(&mut self, now: Duration) {
        let has_waiting = self.has_waiting();
        if let Some(watched) = &mut self.watched {
            let opens = now + LONGEST_RETURN;
            let is_shut = has_waiting || !watched.adapter.tells_client();
            watched.gate = is_shut.then_some(opens);
        }
    }

    /// Whether there is a backend, and what the client says waits until others have returned.
    pub(crate) fn is_gated(&self) -> bool {
        let watched = self.watched.as_ref();
        watched.is_some_and(|watched| watched.gate.is_some()) && self.backend.is_some()
    }

    /// Opens the gate once all others have returned.
    pub(super) fn look_at_gate(&mut self, at: &mut Moment<'_>) {
        let Some(watched) = &mut self.watched else {
            return;
        };
        let Some(opens) = &mut watched.gate else {
            return;
        };
        if let Some(since) = (at.outlook)().returned_since {
            let round_trip = match watched.adapter.tells_client() {
                true => ROUND_TRIP,
                false => Duration::ZERO,
            };
            *opens = since.saturating_add(round_trip).min(*opens);
        }
        if *opens <= at.now {
            self.open_gate(at);
        }
    }

    /// What has waited goes on.
    pub(super) fn open_gate(&mut self, at: &mut Moment<'_>) {
        if let Some(watched) = &mut self.watched {
            watched.gate = None;
        }
        if self.waiting.queued_messages() > 0 && matches!(self.stage, Stage::Attached) {
            let kept = std::mem::take(&mut self.waiting).take_rest();
            self.show(at, Side::Client, (&[], &kept), true, &mut Nowhere);
        }
    }
}
