//! What an end has to do with a store: it is written there, and leaves for another server.

use std::time::Duration;

use revoir_codes::{SendCode, Slot};
use revoir_session::{Close, GoAway, Loss, SessionId};
use revoir_store::{Mark, Write, Written};
use tokio::time::Instant;

use crate::session::end::End;
use crate::session::ending::SessionEnding;
use crate::session::place::Place;
use crate::session::state::EndState;

/// When to come back for a session that cannot be had here, right now.
const ELSEWHERE_AFTER: Duration = Duration::from_millis(100);
const ELSEWHERE_SPREAD: Duration = Duration::from_millis(900);

/// What a connection is told whose session cannot be had here, right now.
pub(super) fn elsewhere(what: &str) -> Close {
    let slot = Slot::new(ELSEWHERE_AFTER).with_spread(ELSEWHERE_SPREAD);
    Close {
        code: SendCode::TRY_AGAIN_LATER,
        reason: slot.write(what).to_string(),
    }
}

/// What a connection is told whose session is about to be another server's.
pub(super) fn leaves() -> Close {
    elsewhere("the session leaves this server")
}

impl End {
    pub(super) fn id(&self) -> SessionId {
        self.look(revoir_session::Session::id)
    }

    /// Whether a store has it, so that it may outlive this process.
    pub(super) fn is_stored(&self) -> bool {
        self.look_at_state(|state| state.place.is_some() && !state.session.is_volatile())
    }

    /// Whether goodbye was said.
    pub(super) fn is_closing(&self) -> bool {
        self.look(revoir_session::Session::is_closing)
    }

    /// Whether no other server has it, or is about to.
    pub(super) fn is_kept(&self) -> bool {
        self.look_at_state(EndState::is_kept)
    }

    /// Whether another server is about to have it.
    pub(super) fn is_leaving(&self) -> bool {
        self.look_at_state(|state| state.place.as_ref().is_some_and(Place::is_leaving))
    }

    /// Whether the store lacks something of it that whoever goes on with it has to know.
    pub(super) fn is_behind(&self) -> bool {
        self.look_at_state(|state| {
            let EndState { session, place, .. } = state;
            place.as_ref().is_some_and(|place| place.is_behind(session))
        })
    }

    /// Whether another server has it.
    pub(super) fn has_left(&self) -> bool {
        self.look_at_state(|state| state.place.as_ref().is_some_and(Place::has_left))
    }

    /// What is to be written of it now, and when it is to be [refreshed](Self::refresh), if nobody was told yet.
    pub(super) fn to_write(&self) -> Option<(Write, Mark, Option<Instant>)> {
        let (write, mark, due) = self.change_state(|state, now| {
            let EndState { session, place, .. } = state;
            let place = place.as_mut()?;
            let (write, mark) = place.write(session, now)?;
            Some((write, mark, place.refresh_at(session)))
        })?;
        Some((write, mark, due.map(|due| self.at(due))))
    }

    /// What came of that.
    pub(super) fn answered(&self, mark: Mark, written: Written) {
        let asks_connection = self.change_state(|state, now| {
            let due = state.session.poll_timeout();
            let EndState { session, place, .. } = state;
            let Some(place) = place else { return false };
            let (was_claimed, may_hold) = (place.is_claimed(session), place.may_hold(session));
            // Once it is not, its client is told so.
            let was_volatile = session.is_volatile();
            match written {
                Written::Done => place.written(session, now, mark),
                Written::Fenced => place.lose(),
            }
            if place.has_left() {
                state.go_elsewhere(elsewhere("another server has the session"));
                return true;
            }
            let is_sooner = |then: Duration| due.is_none_or(|due| then < due);
            !was_claimed
                || was_volatile
                || may_hold
                || state.session.poll_timeout().is_some_and(is_sooner)
        });
        if asks_connection {
            self.for_connection().notify_waiters();
        }
    }

    /// The store has not answered to that.
    pub(super) fn go_without_store(&self) {
        self.stir_state(|state, now| {
            let EndState { session, place, .. } = state;
            if let Some(place) = place {
                place.go_without(session, now);
            }
        });
    }

    /// The store may have lost it.
    pub(super) fn set_back(&self) {
        self.change_state(|state, _| {
            if let Some(place) = &mut state.place {
                place.set_back();
            }
        });
    }

    /// Keeps what the store has of it from looking abandoned; says when to come again, unless its client is away.
    pub(super) fn refresh(&self) -> Option<Instant> {
        let due = self.change_state(|state, now| {
            let EndState { session, place, .. } = state;
            place.as_mut()?.refresh(session, now)
        });
        due.map(|due| self.at(due))
    }

    /// Leaves it to whichever server its client comes to next: its connection is closed, and it is written as it is then,
    /// with its goodbye if one was said. Says whether it does: it has a store, and is not over.
    pub(super) fn leave_to_next(&self, goaway: Option<GoAway>, close: Close) -> bool {
        self.stir_state(|state, _| {
            let is_over = state.over.is_some();
            let Some(place) = state.place.as_mut().filter(|_| !is_over) else {
                return false;
            };
            place.leave();
            state.stop_taking();
            if let Some(goaway) = goaway {
                // A code of the protocol's own announces nothing.
                let _ = state.session.go_away(goaway);
            }
            state.session.close(close);
            true
        })
    }

    /// The same, without the connection, which is as good as gone: its client is at another server.
    pub(super) fn leave_at_once(&self) {
        if self.leave_to_next(None, Close::taken_over())
            && let Some(id) = self.look(revoir_session::Session::connection)
        {
            self.leave(id);
            self.for_connection().notify_waiters();
        }
    }

    /// Another server has it, and has it for longer than this one knew.
    pub(super) fn was_taken(&self) {
        self.stir_state(|state, _| {
            if let Some(place) = &mut state.place {
                place.lose();
                state.go_elsewhere(Close::taken_over());
            }
        });
    }

    /// The server is gone: nobody goes on with it here.
    pub(super) fn abandon(&self) {
        match self.look_at_state(|state| state.place.is_some()) {
            true => self.give_up(SessionEnding::Elsewhere),
            false => self.lose(Loss::Expired),
        }
    }
}
