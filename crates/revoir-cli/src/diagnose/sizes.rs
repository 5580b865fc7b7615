//! Large messages.

use revoir::CloseCode;
use tokio::time::Instant;

use crate::diagnose::conversation::{Broken, Conversation};
use crate::diagnose::log::short;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// The lengths, in bytes, and their names.
const SIZES: [(usize, &str); 2] = [(64 * 1024, "64 KiB"), (1024 * 1024, "1 MiB")];

/// What became of a large message.
#[derive(Debug)]
pub(crate) struct SizeSeen {
    pub(super) size: &'static str,
    pub(super) result: SizeResult,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum SizeResult {
    /// The connection lives on.
    Passed,
    /// No answer to the ping behind it.
    Silence,
    Ended(Broken),
}

/// Sends one message after the other, each with a ping behind it whose pong says that the message
/// was read to its end. Stops at the first that ends the connection.
pub(super) async fn send(
    conversation: &mut Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
) -> Vec<SizeSeen> {
    let mut seen = Vec::new();
    for (bytes, size) in SIZES {
        let begin = Instant::now();
        conversation.send(vec![0x55; bytes]);
        let pong = conversation.ping(size, plan.limit).await;
        let took = begin.elapsed();
        let (result, outcome, text) = match pong {
            Ok(Some(_)) => {
                let text = format!("{size} went through in {}", short(took));
                (SizeResult::Passed, Outcome::Passed, text)
            }
            Ok(None) => {
                let text = format!("{size}: no pong behind it within {}", short(plan.limit));
                (SizeResult::Silence, Outcome::Failed, text)
            }
            Err(broken) => {
                let code = broken.ending.code();
                let outcome = match code {
                    CloseCode::MESSAGE_TOO_BIG => Outcome::Noted,
                    _ => Outcome::Failed,
                };
                let text = format!("{size} ended it: {}", broken.ending);
                (SizeResult::Ended(broken), outcome, text)
            }
        };
        log.step(StepId::Sizes, outcome, took, &text);
        let goes_on = matches!(result, SizeResult::Passed);
        seen.push(SizeSeen { size, result });
        if !goes_on {
            break;
        }
    }
    seen
}
