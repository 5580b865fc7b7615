//! What the server says by itself, the round trip of pings, and a pong that nobody asked for.

use std::time::Duration;

use revoir::Message;
use revoir_proto::frame::Opcode;
use tokio::time::Instant;

use crate::diagnose::conversation::{Broken, Conversation, Happened};
use crate::diagnose::log::short;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// How many pings measure the round trip.
const PINGS: usize = 10;

/// How long the server has to say something by itself.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// What became of the pings.
#[derive(Debug, Default)]
pub(crate) struct PingSeen {
    pub(super) unanswered: bool,
    /// So many were answered before.
    pub(super) answered: usize,
    /// A pong that nobody asked for ended the connection, or made it deaf.
    pub(super) pong_failed: bool,
}

/// Waits a moment for what the server says by itself. That it says nothing is no fault.
pub(super) async fn first_message(
    conversation: &mut Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
) -> Result<(), Broken> {
    let begin = Instant::now();
    let mut first = None;
    let limit = plan.limit.min(FIRST_WORD);
    let came = conversation.wait_for(limit, |happened| {
        if let Happened::Message(message) = happened {
            first = Some(match message {
                Message::Text(text) => format!("text, {} bytes", text.as_str().len()),
                Message::Binary(bytes) => format!("binary, {} bytes", bytes.len()),
            });
        }
        first.is_some()
    });
    let came = came.await;
    let took = begin.elapsed();
    if came? {
        let text = format!("after {}: {}", short(took), first.unwrap_or_default());
        log.step(StepId::FirstMessage, Outcome::Passed, took, &text);
    } else {
        let text = format!("none within {}; that is no fault", short(limit));
        log.step(StepId::FirstMessage, Outcome::Passed, took, &text);
    }
    Ok(())
}

/// Measures the round trip.
pub(super) async fn measure(
    conversation: &mut Conversation,
    plan: &LookPlan,
    seen: &mut PingSeen,
    log: &Log<'_>,
) -> Result<(), Broken> {
    let begin = Instant::now();
    let mut times = Vec::new();
    for number in 1..=PINGS {
        let payload = format!("ping {number}");
        let Some(time) = conversation.ping(&payload, plan.limit).await? else {
            seen.unanswered = true;
            break;
        };
        times.push(time);
    }
    let took = begin.elapsed();
    seen.answered = times.len();
    times.sort_unstable();
    let (median, highest) = (times.get(times.len() / 2), times.last());
    let round_trips = match (median, highest) {
        (Some(median), Some(slowest)) => format!(
            "round trip: median {}, the slowest of {} {}",
            short(*median),
            times.len(),
            short(*slowest)
        ),
        _ => "no round trip".to_owned(),
    };
    let answered = times.len();
    if seen.unanswered {
        let text = format!(
            "{answered} answered, then no pong within {}; {round_trips}",
            short(plan.limit)
        );
        log.step(StepId::Ping, Outcome::Failed, took, &text);
    } else {
        let text = format!("{answered} answered; {round_trips}");
        log.step(StepId::Ping, Outcome::Passed, took, &text);
    }
    Ok(())
}

/// Sends a pong that nobody asked for, which RFC 6455 section 5.5.3 allows, and sees whether the
/// server still answers.
pub(super) async fn unasked_pong(
    conversation: &mut Conversation,
    plan: &LookPlan,
    seen: &mut PingSeen,
    log: &Log<'_>,
) -> Result<(), Broken> {
    let begin = Instant::now();
    // A stream that takes nothing is told by the ping behind it.
    let _ = conversation
        .write_frame(true, Opcode::Pong, b"unasked", plan.limit)
        .await;
    let answered = conversation.ping("after a pong", plan.limit).await;
    seen.pong_failed = !matches!(answered, Ok(Some(_)));
    let answered = answered?;
    let took = begin.elapsed();
    match answered {
        Some(_) => log.step(
            StepId::Pong,
            Outcome::Passed,
            took,
            "an unasked pong does no harm",
        ),
        None => log.step(
            StepId::Pong,
            Outcome::Failed,
            took,
            "after an unasked pong the server answers no ping",
        ),
    }
    Ok(())
}
