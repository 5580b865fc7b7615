//! The closing handshake: with 1000, and with a Close frame without a code.

use std::time::Duration;

use revoir::SendCode;
use revoir::ending::{Detail, ProtocolError};
use revoir_proto::frame::CloseFrame;
use tokio::time::Instant;

use crate::diagnose::conversation::{Conversation, Happened, StreamEnd};
use crate::diagnose::log::short;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// What became of a closing handshake that this side began.
#[derive(Debug)]
pub(crate) struct ClosingSeen {
    /// The peer's Close frame, and how long it took.
    pub(super) answer: Option<(CloseFrame, Duration)>,
    /// What came instead of a Close frame that keeps the rules: an answer all the same.
    pub(super) broken_rule: Option<ProtocolError>,
    /// How TCP ended on the peer's side, and how long after our Close frame.
    pub(super) stream_end: Option<(StreamEnd, Duration)>,
    /// How long after its answer the server had not ended TCP, which is its part (RFC 6455 section 7.1.1).
    pub(super) left_open: Option<Duration>,
}

/// A server that ends TCP later than this leaves it open.
const PROMPT: Duration = Duration::from_secs(1);

impl ClosingSeen {
    /// Whether the answer has the code that was sent (RFC 6455 section 5.5.1).
    pub(super) fn echoes(&self, code: Option<u16>) -> bool {
        let answered = self.answer.as_ref();
        let wire = |frame: &CloseFrame| frame.wire_code().map(revoir::CloseCode::get);
        answered.is_some_and(|(frame, _)| wire(frame) == code)
    }
}

/// Closes with 1000 and watches to the end of TCP.
pub(super) async fn close(
    mut conversation: Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
) -> ClosingSeen {
    conversation.close(SendCode::NORMAL_CLOSURE);
    let seen = watch_to_the_end(&mut conversation, plan).await;
    report(&seen, StepId::Close, Some(1000), plan, log);
    seen
}

/// Closes without a code and watches to the end of TCP.
pub(super) async fn close_empty(
    mut conversation: Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
) -> ClosingSeen {
    // A stream that takes nothing is told by the answer that does not come.
    let _ = conversation.write_empty_close(plan.limit).await;
    let seen = watch_to_the_end(&mut conversation, plan).await;
    report(&seen, StepId::EmptyClose, None, plan, log);
    seen
}

/// A goodbye that nobody watches.
pub(super) async fn part(mut conversation: Conversation, limit: Duration) {
    conversation.close(SendCode::NORMAL_CLOSURE);
    watch(&mut conversation, limit).await;
}

/// As [`watch`]. What a proxy does with the end of TCP is its own affair.
async fn watch_to_the_end(conversation: &mut Conversation, plan: &LookPlan) -> ClosingSeen {
    let mut seen = watch(conversation, plan.limit).await;
    seen.left_open = seen.left_open.filter(|_| plan.proxy.is_none());
    seen
}

async fn watch(conversation: &mut Conversation, limit: Duration) -> ClosingSeen {
    let begin = conversation.age();
    let until = Instant::now() + limit;
    let (mut answer, mut broken_rule) = (None, None);
    loop {
        let happened = conversation.next(until).await;
        if answer.is_none()
            && let Some(frame) = conversation.close_received()
        {
            answer = Some((frame, conversation.age().saturating_sub(begin)));
        }
        if let Happened::Ended(ending) = &happened
            && let Detail::Rule(rule) = &ending.detail
        {
            broken_rule = Some(*rule);
        }
        if matches!(happened, Happened::Ended(_) | Happened::Late) {
            break;
        }
    }
    let stream_end = conversation.stream_end();
    let waited =
        |(_, took): &(CloseFrame, Duration)| conversation.age().saturating_sub(begin + *took);
    let left_open = match stream_end {
        Some(_) => None,
        None => answer
            .as_ref()
            .map(waited)
            .filter(|waited| *waited > PROMPT),
    };
    ClosingSeen {
        left_open,
        answer,
        broken_rule,
        stream_end: stream_end.map(|(at, end)| (end, at.saturating_sub(begin))),
    }
}

fn report(seen: &ClosingSeen, id: StepId, code: Option<u16>, plan: &LookPlan, log: &Log<'_>) {
    let sent = code.map_or_else(
        || "without a code".to_owned(),
        |code| format!("with {code}"),
    );
    let mut text = format!("we closed {sent}; ");
    match &seen.answer {
        Some((frame, took)) => {
            let echo = match seen.echoes(code) {
                true => "the same",
                false => "another code",
            };
            text += &format!("answered with {frame}, {echo}, after {}", short(*took));
        }
        None => match &seen.broken_rule {
            Some(rule) => text += &format!("the answer breaks a rule: {rule}"),
            None => text += &format!("no Close frame within {}", short(plan.limit)),
        },
    }
    text += &match seen.stream_end {
        Some((StreamEnd::Fin, at)) => format!("; the server ended TCP after {}", short(at)),
        Some((StreamEnd::Reset, at)) => format!("; TCP was reset after {}", short(at)),
        Some((StreamEnd::TlsCut, at)) => {
            format!(
                "; the server ended TCP after {} without close_notify",
                short(at)
            )
        }
        None => match seen.left_open {
            Some(waited) => format!("; the server left TCP open, for {}", short(waited)),
            None => "; the server left TCP to us".to_owned(),
        },
    };
    let was_reset = matches!(seen.stream_end, Some((StreamEnd::Reset, _)));
    let clean_end = !was_reset && seen.left_open.is_none();
    let outcome = match &seen.answer {
        None => Outcome::Failed,
        Some(_) if seen.echoes(code) && clean_end => Outcome::Passed,
        Some(_) => Outcome::Noted,
    };
    let took = seen.answer.as_ref().map_or(plan.limit, |(_, took)| *took);
    log.step(id, outcome, took, &text);
}
