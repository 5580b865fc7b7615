//! The gateway leaves a client with a session: its backend is closed first, so that what that still has to say
//! reaches the session.
//!
//! A session promises what it was given. A client without one is told at once: nothing is promised to it, and the time
//! until it may come back runs.

use crate::relay::ended_by::EndedBy;
use crate::relay::state::{Moment, Relay, Side};
use crate::relay::verdict::Goodbye;

impl Relay {
    /// Has this goodbye wait until the backend has said all it has to say, or for as long as a closing handshake may
    /// take. Returns whether it waits.
    pub(super) fn puts_off(&mut self, at: &mut Moment<'_>, goodbye: &Goodbye) -> bool {
        let has_session = self.client.as_ref().is_some_and(|client| client.is_here);
        if !has_session || goodbye.back.is_none() {
            return false;
        }
        if self.farewell.is_none() {
            self.farewell = Some(Box::new(goodbye.clone()));
            let until = at.now + self.rules.close_budget;
            self.moving.get_or_insert(until);
            self.close_ahead(at);
        }
        true
    }

    /// Closes the backend of a client that the gateway leaves, behind the message that is under way to it.
    pub(super) fn close_ahead(&mut self, at: &mut Moment<'_>) {
        if self.farewell.is_none() || self.lane.is_inside_frame() {
            return;
        }
        if let Some(farewell) = self.farewell.take() {
            let frame = self.frame_of(at, &farewell);
            self.close(at, Side::Backend, frame, "the gateway closes");
            self.farewell = Some(farewell);
        }
    }

    /// The backend has ended: the client is told what waited for that. Returns whether something did.
    pub(super) fn say_farewell(&mut self, at: &mut Moment<'_>) -> bool {
        let Some(farewell) = self.farewell.take() else {
            return false;
        };
        self.begin_closing(at.now);
        self.ended_by = EndedBy::Gateway;
        self.say(at, &farewell);
        true
    }
}
