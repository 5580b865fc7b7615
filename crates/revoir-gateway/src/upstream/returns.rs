//! [`Returns`]: held clients whose hello has still to be said again, and since when there are none.

use std::time::Duration;

use tokio::sync::watch;

/// How many clients of a pool have still to return.
#[derive(Debug)]
pub(crate) struct Returns(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    /// When the last one was over.
    over_since: Duration,
}

impl Default for Returns {
    fn default() -> Self {
        Self(watch::Sender::new(State::default()))
    }
}

impl Returns {
    /// Since when nobody has to return.
    pub(super) fn over_since(&self) -> Option<Duration> {
        let state = self.0.borrow();
        (state.under_way == 0).then_some(state.over_since)
    }

    /// Waits until nobody has to return.
    pub(super) async fn are_over(&self) {
        let mut state = self.0.subscribe();
        // The pool has the sender.
        let _ = state.wait_for(|state| state.under_way == 0).await;
    }

    /// Is ready once the last return is over, from now on.
    pub(super) fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.0.subscribe();
        async move {
            // The pool lives as long as the connection.
            let _ = state.changed().await;
        }
    }

    pub(super) fn enter(&self) {
        self.0.send_if_modified(|state| {
            state.under_way += 1;
            false
        });
    }

    pub(super) fn leave(&self, now: Duration) {
        self.0.send_if_modified(|state| {
            state.under_way -= 1;
            state.over_since = now;
            state.under_way == 0
        });
    }
}
