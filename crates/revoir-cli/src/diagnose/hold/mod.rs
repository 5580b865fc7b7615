//! [`hold`]: an idle connection and one with pings, side by side, to see which dies when.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::diagnose::conversation::{Broken, Conversation, Happened};
use crate::diagnose::held::{Fate, Held, HoldSeen};
use crate::diagnose::log::short;
use crate::diagnose::look::reopen;
use crate::diagnose::{Log, LookPlan, Outcome, Seen, StepId, goodbye};

/// The pings of the pinged connection, unless it is held so shortly that there would be few: below
/// the limits of common intermediaries.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How many pings there are at least.
const FEWEST_PINGS: u32 = 8;

/// How often it is told that both still live.
const TOLD_EVERY: Duration = Duration::from_secs(30);

/// Opens two connections and holds them for as long as was asked for, or until `stop`.
pub(crate) async fn hold(
    plan: &LookPlan,
    log: &Log<'_>,
    seen: &mut Seen,
    stop: impl Future<Output = ()>,
) {
    let Some(length) = plan.hold else {
        return;
    };
    if !seen.opened() {
        log.skipped(StepId::Hold, "nothing opened that could be held");
        return;
    }
    let idle = reopen(StepId::Hold, plan, log, seen).await;
    let pinged = reopen(StepId::Hold, plan, log, seen).await;
    if let (Some(idle), Some(pinged)) = (idle, pinged) {
        seen.held = Some(side_by_side(idle, pinged, length, plan.limit, log, stop).await);
    }
}

/// Holds both until each has ended, the time is over, or `stop`.
async fn side_by_side(
    idle: Conversation,
    pinged: Conversation,
    length: Duration,
    limit: Duration,
    log: &Log<'_>,
    stop: impl Future<Output = ()>,
) -> HoldSeen {
    let interval = PING_INTERVAL.min(length / FEWEST_PINGS);
    log.waiting(&format!(
        "holding two connections for {}, one idle, one with a ping every {}; Ctrl-C ends it early",
        humantime::format_duration(length),
        short(interval)
    ));
    let (stopper, stopped) = watch::channel(false);
    let end = Instant::now() + length;
    let both = async {
        tokio::join!(
            watch_one(idle, "idle", None, end, limit, stopped.clone(), log),
            watch_one(
                pinged,
                "pinged",
                Some(interval),
                end,
                limit,
                stopped.clone(),
                log
            ),
        )
    };
    let others = async {
        tokio::select! {
            () = stop => {
                // Both listen until they are over.
                let _ = stopper.send(true);
            }
            never = tell_time(length, log) => match never {},
        }
        std::future::pending::<Infallible>().await
    };
    let (idle, pinged) = tokio::select! {
        both = both => both,
        never = others => match never {},
    };
    report("idle", &idle, log);
    report("pinged", &pinged, log);
    HoldSeen { idle, pinged }
}

async fn tell_time(length: Duration, log: &Log<'_>) -> Infallible {
    let begin = Instant::now();
    loop {
        sleep(TOLD_EVERY).await;
        let held = Duration::from_secs(begin.elapsed().as_secs());
        log.waiting(&format!(
            "held for {} of {}",
            humantime::format_duration(held),
            humantime::format_duration(length)
        ));
    }
}

async fn watch_one(
    mut conversation: Conversation,
    name: &str,
    interval: Option<Duration>,
    end: Instant,
    limit: Duration,
    mut stopped: watch::Receiver<bool>,
    log: &Log<'_>,
) -> Held {
    let end = tokio::select! {
        end = live(&mut conversation, interval, end, limit) => end,
        _ = stopped.wait_for(|stopped| *stopped) => End::Hold,
    };
    let heard = conversation.heard;
    let mut lived = conversation.age();
    let fate = match end {
        End::Hold => last_ping(conversation, limit).await,
        End::Pongs => Fate::SilentlyDead,
        End::Connection(broken) => {
            lived = broken.ending.open_for;
            log.waiting(&format!(
                "the {name} one ended after {}: {}",
                short(lived),
                broken.ending
            ));
            Fate::Ended(broken)
        }
    };
    Held {
        lived,
        fate,
        pings: heard.pings,
        messages: heard.messages,
    }
}

/// What the hold of a connection ends with.
enum End {
    Hold,
    /// No pong came within the limit, or within the interval where that is longer.
    Pongs,
    Connection(Broken),
}

async fn live(
    conversation: &mut Conversation,
    interval: Option<Duration>,
    end: Instant,
    limit: Duration,
) -> End {
    // The next ping, or when the pong of the last one is too late. A short hold has its pings closer
    // together than the round trip to a far server, so a pong has at least the limit.
    let mut next = interval.map(|interval| Instant::now() + interval);
    let mut pinged_at = None;
    loop {
        let until = next.map_or(end, |at| at.min(end));
        match conversation.next(until).await {
            Happened::Ended(ending) => return End::Connection(conversation.broken(ending)),
            Happened::Pong(_) => {
                let due = interval.zip(pinged_at.take());
                next = due.map_or(next, |(interval, at)| Some(at + interval));
            }
            Happened::Late if Instant::now() >= end => return End::Hold,
            Happened::Late if pinged_at.is_some() => return End::Pongs,
            Happened::Late => {
                conversation.send_ping("hold");
                let now = Instant::now();
                pinged_at = Some(now);
                next = interval.map(|interval| now + interval.max(limit));
            }
            Happened::Message(_) | Happened::Ping | Happened::Closing => {}
        }
    }
}

/// Whether a connection that looks alive is alive.
async fn last_ping(mut conversation: Conversation, limit: Duration) -> Fate {
    match conversation.ping("still there?", limit).await {
        Ok(Some(_)) => {
            goodbye::part(conversation, limit).await;
            Fate::Lived
        }
        Ok(None) => Fate::SilentlyDead,
        Err(broken) => Fate::Ended(broken),
    }
}

fn report(name: &str, held: &Held, log: &Log<'_>) {
    let mut text = format!("{name}: ");
    let outcome = match &held.fate {
        Fate::Lived => {
            text += &format!("alive after {}", short(held.lived));
            Outcome::Passed
        }
        Fate::SilentlyDead => {
            let lived = short(held.lived);
            text += &format!("looked alive after {lived}, but does not answer a ping");
            Outcome::Failed
        }
        Fate::Ended(broken) => {
            text += &format!("ended after {}: {}", short(held.lived), broken.ending);
            Outcome::Failed
        }
    };
    if held.pings > 0 || held.messages > 0 {
        text += &format!("; {} pings and {} messages came", held.pings, held.messages);
    }
    log.step(StepId::Hold, outcome, held.lived, &text);
}

#[cfg(test)]
mod tests;
