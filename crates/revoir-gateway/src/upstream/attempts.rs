//! [`Attempts`]: handshakes with upstreams that are under way, one or two at a time.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::upstream::health::Reached;
use crate::upstream::opening::{DialError, Opened, Opening, attempt};
use crate::upstream::path_id::PathId;
use crate::upstream::pool::Pool;
use crate::upstream::server::{Upstream, UpstreamPermit};

/// Handshakes with upstreams that are under way, for one who wants one connection.
pub(super) struct Attempts<'a> {
    pool: &'a Arc<Pool>,
    opening: &'a Opening,
    path: PathId,
    pub(super) running: Vec<Attempt<'a>>,
    /// Whether there is no other to ask.
    pub(super) is_alone: bool,
}

pub(super) struct Attempt<'a> {
    /// Which of those that were tried it is at.
    at: usize,
    began: Instant,
    /// The same in the pool's time.
    since: Duration,
    answer: Pin<Box<dyn Future<Output = Result<Opened, DialError>> + Send + 'a>>,
}

impl<'a> Attempts<'a> {
    /// `path`: of `opening`. `is_alone`: whether nobody but the first may be asked.
    pub(super) const fn new(
        pool: &'a Arc<Pool>,
        opening: &'a Opening,
        path: PathId,
        is_alone: bool,
    ) -> Self {
        Self {
            pool,
            opening,
            path,
            running: Vec::new(),
            is_alone,
        }
    }

    /// Asks `upstream`, the one at this place of those that were tried. Nobody else needs to find out how it is.
    pub(super) fn begin(&mut self, at: usize, upstream: &Arc<Upstream>) {
        upstream.health().tried(self.pool.now(), self.path);
        let (pool, opening, to) = (self.pool, self.opening, Arc::clone(upstream));
        self.running.push(Attempt {
            at,
            began: Instant::now(),
            since: pool.now(),
            answer: Box::pin(async move { attempt(pool, &to.target, opening).await }),
        });
    }

    /// The first of them that is over.
    pub(super) async fn next(&mut self) -> (usize, Result<Opened, DialError>) {
        poll_fn(|cx| {
            let mut running = self.running.iter_mut().enumerate();
            let done = running.find_map(|(at, one)| match one.answer.as_mut().poll(cx) {
                Poll::Ready(answer) => Some((at, answer)),
                Poll::Pending => None,
            });
            match done {
                Some((at, answer)) => Poll::Ready((self.running.remove(at).at, answer)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Gives up the one that has waited longest, which there is.
    pub(super) fn give_up(&mut self) -> (usize, Result<Opened, DialError>) {
        (self.running.remove(0).at, Err(DialError::Silent))
    }

    /// Is ready once another one should be asked: the only one has not answered for so long, and nobody else has
    /// had an answer since.
    pub(super) fn is_doubtful(
        &self,
        tried: &[UpstreamPermit],
        after: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let only = match &self.running[..] {
            [only] if !self.is_alone => {
                let upstream = Arc::clone(tried[only.at].upstream());
                Some((upstream, only.began, only.since))
            }
            _ => None,
        };
        async move {
            let Some((upstream, began, since)) = only else {
                return pending().await;
            };
            sleep_until(began + after).await;
            if upstream.was_heard_of(since) {
                pending().await
            }
        }
    }

    /// Somebody else has answered, or nobody will in time: those that have had so long are silent.
    pub(super) fn are_over(&mut self, tried: &[UpstreamPermit], after: Duration) {
        for one in self.running.drain(..) {
            let permit = &tried[one.at];
            let upstream = permit.upstream();
            if one.began.elapsed() >= after && !upstream.was_heard_of(one.since) {
                tracing::warn!(target: "revoir", upstream = %permit.name(), "{}", DialError::Silent);
                self.pool.tried(permit, self.path, Reached::Silent);
                self.pool.ask(upstream, &self.opening.question());
            }
        }
    }
}
