//! A message in two fragments with a ping between them.

use revoir_proto::frame::Opcode;
use tokio::time::Instant;

use crate::diagnose::conversation::{Broken, Conversation};
use crate::diagnose::log::short;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// What became of the fragments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FragmentsSeen {
    pub(super) ping_unanswered: bool,
}

/// Control frames may stand between the fragments of a message (RFC 6455 section 5.4). The message
/// is a short text, which the application may of course refuse.
pub(super) async fn send(
    conversation: &mut Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
) -> Result<FragmentsSeen, Broken> {
    let begin = Instant::now();
    // A stream that takes nothing is told by the pong that does not come.
    let _ = conversation
        .write_frame(false, Opcode::Text, b"revoir ", plan.limit)
        .await;
    let inside = conversation.ping("between fragments", plan.limit).await?;
    let _ = conversation
        .write_frame(true, Opcode::Continuation, b"diagnose", plan.limit)
        .await;
    let behind = conversation.ping("behind the message", plan.limit).await?;
    let took = begin.elapsed();
    let ping_unanswered = inside.is_none() || behind.is_none();
    match (inside, behind) {
        (Some(time), Some(_)) => {
            let text = format!(
                "a ping between two fragments was answered in {}",
                short(time)
            );
            log.step(StepId::Fragments, Outcome::Passed, took, &text);
        }
        (inside, _) => {
            let place = match inside {
                None => "between two fragments",
                Some(_) => "behind a message in two fragments",
            };
            let text = format!("a ping {place} was not answered");
            log.step(StepId::Fragments, Outcome::Failed, took, &text);
        }
    }
    Ok(FragmentsSeen { ping_unanswered })
}
