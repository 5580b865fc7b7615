//! A client whose upstream is removed gets another one, and what it is told changes while it is open.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::frame::CloseFrame;
use revoir_proto::{Cause, Detail, Finish, Reason, SendCode};

use crate::relay::stage::Event;
use crate::relay::state::{Moment, Relay, Side, Stage};
use crate::rules::Rules;

/// What a backend is told that is removed.
const REMOVED: &str = "the upstream is removed";

impl Relay {
    /// Goes by other rules from here on. How it is treated stays: both sides have agreed on extensions
    /// for that.
    pub(crate) fn set_rules(&mut self, rules: &Arc<Rules>) {
        self.rules = Arc::clone(rules);
        let (limit, keep) = (self.rules.client_message, self.rules.keep);
        self.lane.set_limits(limit, keep);
        if let Some(client) = &mut self.client {
            client.set_rules(&self.rules);
        }
        if let Some(backend) = &mut self.backend {
            backend.hop.set_rules(&self.rules);
            backend.lane.set_limits(u64::MAX, keep);
        }
    }

    /// Whether another backend may take the place of this one now.
    fn may_be_replaced(&self) -> bool {
        self.treatment.is_hold()
            && self.is_holdable()
            && !self.keeps_back()
            && !self.is_moving()
            && self.adapter_objects().is_none()
    }

    /// Has the client held and dialled again, if nothing is half forwarded: the backend gets a Close
    /// frame, and what it still sends is passed on. The client is not read from until the backend has
    /// answered, or for as long as a closing handshake may take. Returns whether that is so.
    pub(crate) fn change_backend(&mut self, at: &mut Moment<'_>) -> bool {
        if !matches!(self.stage, Stage::Attached) || !self.may_be_replaced() {
            return false;
        }
        let Some(backend) = &mut self.backend else {
            return false;
        };
        let frame = CloseFrame::new(SendCode::GOING_AWAY, Reason::truncated(REMOVED));
        let detail = Detail::Text(REMOVED.into());
        let cause = Cause::ClosedLocally;
        backend.hop.send_close(frame, cause, detail, at.random);
        self.moving = Some(at.now + self.rules.close_budget);
        true
    }

    /// Whether the client is on its way to another backend.
    pub(super) const fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Gives the old backend up, once its time is over.
    pub(super) fn look_at_move(&mut self, at: &mut Moment<'_>) {
        let is_late = |until: Duration| until <= at.now;
        if self.moving.is_some_and(is_late) && matches!(self.stage, Stage::Attached) {
            let cause = Cause::ClosedLocally;
            let lost = Event::Lost(Side::Backend, cause, Detail::None, Finish::Timeout);
            self.on(at, lost);
        }
    }
}
