//! From a request to an open connection to the backend.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::upstream::attempts::Attempts;
use crate::upstream::health::Reached;
use crate::upstream::opening::{DialError, Opened, Opening};
use crate::upstream::path_id::PathId;
use crate::upstream::permits::DialPermit;
use crate::upstream::pool::Pool;
use crate::upstream::server::UpstreamPermit;

/// Uses `permit` to open a connection to an upstream of `pool`, within `limit`. One that is not there,
/// or says that nobody else is, leaves it to the next. What came of it is reported.
///
/// Where an attempt has had half of `limit`, and nobody has had an answer of the upstream since, another one is asked too, and
/// the first answer counts: a handshake is a GET, which may be repeated (RFC 9110 section 9.2.2). One that is only slow
/// can answer all the same.
///
/// Whoever had a backend passes over one that is silent, and has it asked: a process that was frozen reads later
/// what was written to it, and is not to find many handshakes of one connection then. Nor is such a client's handshake
/// sent to two: `Revoir-Resume` gives what a backend kept to one.
pub(crate) async fn dial(
    pool: &Arc<Pool>,
    permit: DialPermit,
    opening: &Opening,
    limit: Duration,
) -> Result<(Opened, UpstreamPermit), DialError> {
    let (deadline, half) = (Instant::now() + limit, limit / 2);
    let path = PathId::of(opening.resource.path());
    let mut tried = Vec::new();
    let mut best: Option<DialError> = None;
    let mut standing = None;
    let mut attempts = Attempts::new(pool, opening, path, permit.is_again());
    loop {
        if attempts.running.is_empty() {
            if deadline <= Instant::now() {
                break;
            }
            let Some(upstream) = pool.fittest(path, &tried, opening.affinity) else {
                break;
            };
            if permit.is_again() && upstream.upstream().health().is_silent() {
                // Nothing is tried: whose turn it is there stays as it was.
                pool.ask(upstream.upstream(), &opening.question());
                standing.get_or_insert(Reached::Badly);
            } else {
                attempts.begin(tried.len(), upstream.upstream());
            }
            tried.push(upstream);
            continue;
        }
        let doubtful = attempts.is_doubtful(&tried, half);
        let (at, answer) = tokio::select! {
            biased;
            done = attempts.next() => done,
            () = sleep_until(deadline) => attempts.give_up(),
            () = doubtful => {
                let other = pool
                    .has_another(path, &tried)
                    .then(|| pool.fittest(path, &tried, opening.affinity));
                if let Some(other) = other.flatten() {
                    attempts.begin(tried.len(), other.upstream());
                    tried.push(other);
                } else {
                    attempts.is_alone = true;
                }
                continue;
            }
        };
        let reached = answer
            .as_ref()
            .map_or_else(DialError::reached, |_| Reached::Well);
        tell(&tried[at], answer.as_ref().err());
        let is_up = pool.tried(&tried[at], path, reached);
        standing = Some(match is_up {
            // Others are there, and this one speaks for none of them.
            _ if reached == Reached::Untried => reached,
            true if reached == Reached::Not => Reached::Badly,
            true => reached,
            false => Reached::Not,
        });
        let error = match answer {
            Ok(opened) => {
                attempts.are_over(&tried, half);
                permit.report(Reached::Well);
                return Ok((opened, tried.swap_remove(at)));
            }
            Err(error) => error,
        };
        let goes_on = match &error {
            DialError::Unreachable(_) | DialError::Untried(_) | DialError::Broken(_) => true,
            DialError::Refused(_) => reached == Reached::Badly && pool.has_another(path, &tried),
            DialError::Silent | DialError::Invalid(_) => false,
        };
        if reached == Reached::Silent && pool.has_several() {
            pool.ask(tried[at].upstream(), &opening.question());
        }
        if best
            .as_ref()
            .is_none_or(|best| best.weight() <= error.weight())
        {
            best = Some(error);
        }
        // While another one may still come, that is not the last word.
        let is_waited_for =
            !attempts.running.is_empty() && !matches!(reached, Reached::Well | Reached::Silent);
        if !goes_on && !is_waited_for {
            // The second one began when a timer had rung for the first: at the deadline it has had little less than
            // the other half.
            attempts.are_over(&tried, half - half / 10);
            break;
        }
    }
    if let Some(standing) = standing {
        permit.report(standing);
    }
    Err(best.unwrap_or_else(|| match standing {
        // Those that there are, are silent.
        Some(_) => DialError::Silent,
        // There was no time for any.
        None => DialError::Unreachable(io::ErrorKind::TimedOut.into()),
    }))
}

/// Tells the log how an upstream was found.
fn tell(upstream: &UpstreamPermit, error: Option<&DialError>) {
    match error {
        Some(DialError::Unreachable(error) | DialError::Untried(error)) => {
            upstream.not_reached(error);
        }
        // There was a connection, which says little: it is not told that it is reached again.
        Some(error @ (DialError::Broken(_) | DialError::Silent)) => {
            tracing::warn!(target: "revoir", upstream = %upstream.name(), "{error}");
        }
        Some(error @ DialError::Invalid(_)) => {
            tracing::warn!(target: "revoir", upstream = %upstream.name(), "{error}");
            upstream.reached();
        }
        Some(DialError::Refused(_)) | None => upstream.reached(),
    }
}
