//! [`Returns`]: held clients that are not back yet.

use tokio::sync::watch;

use crate::relay::Missing;

/// How many clients of a pool are not back.
#[derive(Debug)]
pub(crate) struct Returns(watch::Sender<Counts>);

#[derive(Debug, Default)]
struct Counts {
    hellos: usize,
    turns: usize,
}

impl Counts {
    const fn of(&mut self, missing: Missing) -> &mut usize {
        match missing {
            Missing::Hello => &mut self.hellos,
            Missing::Turn => &mut self.turns,
        }
    }
}

impl Default for Returns {
    fn default() -> Self {
        Self(watch::Sender::new(Counts::default()))
    }
}

impl Returns {
    /// Whether everybody is back.
    pub(super) fn are_over(&self) -> bool {
        let counts = self.0.borrow();
        counts.hellos + counts.turns == 0
    }

    /// Waits until nobody's hello is missing.
    pub(super) async fn all_greeted(&self) {
        let mut counts = self.0.subscribe();
        // The pool has the sender.
        let _ = counts.wait_for(|counts| counts.hellos == 0).await;
    }

    /// Is ready once nobody's hello, or nobody's turn, is missing any more, from now on.
    pub(super) fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut counts = self.0.subscribe();
        async move {
            // The pool lives as long as the connection.
            let _ = counts.changed().await;
        }
    }

    pub(super) fn enter(&self, missing: Missing) {
        self.0.send_if_modified(|counts| {
            *counts.of(missing) += 1;
            false
        });
    }

    pub(super) fn leave(&self, missing: Missing) {
        self.0.send_if_modified(|counts| {
            let left = counts.of(missing);
            *left -= 1;
            *left == 0
        });
    }
}
