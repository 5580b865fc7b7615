//! What follows when a backend is gone, when a re-dial is answered, and when a hold is over: the
//! tables of `docs/gateway.md` as functions.

use std::borrow::Cow;
use std::time::Duration;

use revoir::drain::Drain;
use revoir_proto::frame::CloseFrame;
use revoir_proto::{Cause, CloseCode, ProtocolError, SendCode};

use crate::rules::Rules;
use crate::treatment::{Treatment, TunnelCause};

/// How a backend ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackendEnd {
    /// It sent a Close frame.
    Closed(CloseFrame),
    /// Its connection broke, or it showed no sign of life.
    Lost,
    /// It broke a rule.
    Broke(ProtocolError),
}

/// Why a client is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// The backend announced a restart.
    Planned,
    /// The backend has too much to do.
    Busy,
    /// The backend was lost without a word.
    Lost,
}

impl HoldCause {
    /// A stable identifier in kebab case.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Busy => "busy",
            Self::Lost => "lost",
        }
    }

    /// How long the backend may be away.
    pub(crate) fn budget(self, rules: &Rules) -> Duration {
        match self {
            Self::Planned | Self::Busy => rules.planned_budget,
            Self::Lost => rules.lost_budget,
        }
    }
}

/// A Close frame of the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    pub(crate) code: SendCode,
    pub(crate) text: Cow<'static, str>,
    /// What began the ending.
    pub(crate) cause: Cause,
    /// When to come back, where that helps.
    pub(crate) back: Option<Back>,
}

/// When a client is to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// After this time at least; all who are sent away are spread.
    After(Duration),
    /// At this time of the gateway.
    At(Duration),
}

impl Goodbye {
    /// 1012: come back soon.
    pub fn restart(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: SendCode::SERVICE_RESTART,
            text: text.into(),
            cause: Cause::ClosedLocally,
            back: Some(Back::After(Duration::from_secs(1))),
        }
    }

    /// 1013: come back later.
    pub const fn later(text: &'static str) -> Self {
        Self {
            code: SendCode::TRY_AGAIN_LATER,
            text: Cow::Borrowed(text),
            cause: Cause::ClosedLocally,
            back: Some(Back::After(Duration::from_secs(5))),
        }
    }

    /// 1001: this connection is over, and another one is welcome.
    pub(crate) const fn going_away(text: &'static str, cause: Cause) -> Self {
        Self {
            code: SendCode::GOING_AWAY,
            text: Cow::Borrowed(text),
            cause,
            back: Some(Back::After(Duration::from_secs(1))),
        }
    }

    /// A code that says enough.
    pub fn plain(code: SendCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            text: text.into(),
            cause: Cause::ClosedLocally,
            back: None,
        }
    }

    /// As `plan` says; the client may return at this time of the gateway.
    pub(crate) fn drained(plan: &Drain, at: Duration) -> Self {
        Self {
            code: plan.code(),
            text: Cow::Owned(plan.text().to_owned()),
            cause: Cause::Drained,
            back: Some(Back::At(at)),
        }
    }
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Keep the client and dial again.
    Hold(HoldCause),
    /// Pass the backend's Close frame on, unchanged.
    Pass,
    /// Close the client.
    End(Goodbye),
}

/// What follows from a backend's ending. `holdable`: whether nothing is half forwarded.
/// `restarting`: whether this upstream is known to restart.
pub(crate) fn after_backend(
    end: &BackendEnd,
    treatment: Treatment,
    holdable: bool,
    restarting: bool,
    rules: &Rules,
) -> Verdict {
    let why = match end {
        BackendEnd::Closed(frame) => match frame.code() {
            CloseCode::SERVICE_RESTART | CloseCode::GOING_AWAY => HoldCause::Planned,
            CloseCode::TRY_AGAIN_LATER => HoldCause::Busy,
            CloseCode::INTERNAL_ERROR if rules.hold_on_1011 => HoldCause::Lost,
            // The application decided.
            _ => return Verdict::Pass,
        },
        // A code that no frame may carry says that there was no proper end.
        BackendEnd::Lost | BackendEnd::Broke(ProtocolError::CloseCodeNotAllowed { .. }) => {
            HoldCause::Lost
        }
        BackendEnd::Broke(_) => {
            let text = "the backend broke the protocol";
            return Verdict::End(Goodbye::plain(SendCode::BAD_GATEWAY, text));
        }
    };
    match (treatment, end) {
        (Treatment::Hold(_), _) if holdable => Verdict::Hold(why),
        (Treatment::Tunnel(_), BackendEnd::Closed(_)) => Verdict::Pass,
        (Treatment::Tunnel(TunnelCause::Operator), _) if !restarting => {
            Verdict::End(Goodbye::plain(rules.lost_code, "the backend was lost"))
        }
        // Its return waits here until there is a backend, so coming back soon is what helps.
        (Treatment::Tunnel(_), _) if !restarting => {
            Verdict::End(Goodbye::restart("the backend was lost"))
        }
        (Treatment::Hold(_) | Treatment::Tunnel(_), _) => {
            Verdict::End(Goodbye::restart("the backend restarts"))
        }
    }
}

/// What the adapter of a connection says of its backend's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdapterReport {
    /// Whether a backend that ends so is about to restart, and means everybody.
    pub(crate) restarts: bool,
    /// Whether the backend was told all that the client had said before.
    pub(crate) is_ready: bool,
    /// Whether the client must not be held now.
    pub(crate) objects: bool,
}

/// What follows from the ending of a backend whose protocol has an adapter. `is_free`: whether nothing is
/// half forwarded. `restarting`: whether this upstream is known to restart.
pub(crate) fn after_watched_backend(
    end: &BackendEnd,
    said: AdapterReport,
    is_free: bool,
    restarting: bool,
) -> Verdict {
    let may_be_held = is_free && !said.objects;
    match end {
        BackendEnd::Broke(ProtocolError::CloseCodeNotAllowed { .. }) | BackendEnd::Lost => {
            match may_be_held {
                true => Verdict::Hold(HoldCause::Lost),
                false if restarting => Verdict::End(Goodbye::restart("the backend restarts")),
                false => Verdict::End(Goodbye::restart("the backend was lost")),
            }
        }
        BackendEnd::Broke(_) => {
            let text = "the backend broke the protocol";
            Verdict::End(Goodbye::plain(SendCode::BAD_GATEWAY, text))
        }
        // It answers what the gateway said. Whether the client is refused, only its own hello can tell.
        BackendEnd::Closed(_) if !said.restarts && !said.is_ready => {
            Verdict::End(Goodbye::restart("the backend refused what was said again"))
        }
        BackendEnd::Closed(frame) if said.restarts && may_be_held => {
            Verdict::Hold(match frame.code() {
                CloseCode::TRY_AGAIN_LATER => HoldCause::Busy,
                _ => HoldCause::Planned,
            })
        }
        BackendEnd::Closed(_) => Verdict::Pass,
    }
}

/// What a re-dial came to that did not lead to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedialFailure {
    /// The backend answered with another status than 101.
    Refused {
        /// The status.
        status: u16,
        /// Its advice when to ask again, an hour at most.
        retry_after: Option<Duration>,
    },
    /// The backend agreed to something else than it did with the client.
    Changed(&'static str),
    /// The answer breaks a rule of the opening handshake.
    Invalid,
    /// There was no answer.
    Unreachable,
}

/// Whether a backend is there that answers an opening handshake with `status`: what stands before it
/// says 502 to 504 when there is none. A fault of its own, 500 for example, is an answer: others may
/// fare better.
pub(crate) const fn is_there(status: u16) -> bool {
    !matches!(status, 502..=504)
}

/// What follows from a re-dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AfterRedial {
    /// Try again, not before this has passed.
    Again(Option<Duration>),
    End(Goodbye),
}

/// What follows from the answer to a re-dial.
pub(crate) fn after_redial(redialed: &RedialFailure) -> AfterRedial {
    match *redialed {
        RedialFailure::Changed(text) => AfterRedial::End(Goodbye::restart(text)),
        // The backend, or what stands before it, is not ready.
        RedialFailure::Refused {
            status: 408 | 421 | 425 | 429 | 500..,
            retry_after,
        } => AfterRedial::Again(retry_after),
        // It refused what the gateway repeated: a ticket that is good once, for example. Whether the
        // client itself is refused, only a handshake of its own can tell.
        RedialFailure::Refused { status, .. } => {
            let text = format!("the backend refused the return with HTTP {status}");
            AfterRedial::End(Goodbye::restart(text))
        }
        RedialFailure::Invalid | RedialFailure::Unreachable => AfterRedial::Again(None),
    }
}

/// What a hold ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RanOut {
    /// Of time, while the backend did not accept.
    Budget,
    /// Of time, while the backend accepted others.
    Queue,
}

/// What a client is told whose hold is over. `is_full`: whether its messages found no room any
/// more. `is_invalid`: whether the last answer to a re-dial broke a rule.
pub(crate) fn after_hold(
    why: HoldCause,
    ran_out: RanOut,
    is_full: bool,
    is_invalid: bool,
) -> Goodbye {
    match (ran_out, why) {
        _ if is_full => Goodbye::later("the messages held back found no room"),
        (RanOut::Queue, _) => Goodbye::restart("the return took too long"),
        (RanOut::Budget, _) if is_invalid => {
            let text = "the backend's handshake is invalid";
            Goodbye::plain(SendCode::BAD_GATEWAY, text)
        }
        (RanOut::Budget, HoldCause::Planned) => Goodbye::restart("the restart takes too long"),
        (RanOut::Budget, HoldCause::Busy | HoldCause::Lost) => {
            Goodbye::later("there is no backend")
        }
    }
}

#[cfg(test)]
mod tests {
    use revoir_proto::Reason;

    use super::*;
    use crate::treatment::HeldBy;

    fn closed(code: u16) -> BackendEnd {
        let code = SendCode::try_from(code).unwrap();
        BackendEnd::Closed(CloseFrame::new(code, Reason::EMPTY))
    }

    const HOLD: Treatment = Treatment::Hold(HeldBy::Operator);
    const TUNNEL: Treatment = Treatment::Tunnel(TunnelCause::Operator);

    fn code(verdict: &Verdict) -> Option<u16> {
        match verdict {
            Verdict::End(goodbye) => Some(goodbye.code.get()),
            Verdict::Hold(_) | Verdict::Pass => None,
        }
    }

    #[test]
    fn in_hold_a_restart_and_a_loss_hold_and_decisions_pass() {
        let rules = Rules::default();
        let verdict = |end| after_backend(&end, HOLD, true, false, &rules);
        assert_eq!(verdict(closed(1012)), Verdict::Hold(HoldCause::Planned));
        assert_eq!(verdict(closed(1001)), Verdict::Hold(HoldCause::Planned));
        assert_eq!(verdict(closed(1013)), Verdict::Hold(HoldCause::Busy));
        assert_eq!(verdict(BackendEnd::Lost), Verdict::Hold(HoldCause::Lost));
        for passed in [
            1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999,
        ] {
            assert_eq!(verdict(closed(passed)), Verdict::Pass, "{passed}");
        }
        assert_eq!(
            verdict(BackendEnd::Closed(CloseFrame::EMPTY)),
            Verdict::Pass
        );
        let code = CloseCode::ABNORMAL_CLOSURE;
        let sent_1006 = BackendEnd::Broke(ProtocolError::CloseCodeNotAllowed { code });
        assert_eq!(verdict(sent_1006), Verdict::Hold(HoldCause::Lost));
    }

    #[test]
    fn in_hold_1011_holds_where_that_is_wanted() {
        let rules = Rules {
            hold_on_1011: true,
            ..Rules::default()
        };
        let verdict = after_backend(&closed(1011), HOLD, true, false, &rules);
        assert_eq!(verdict, Verdict::Hold(HoldCause::Lost));
    }

    #[test]
    fn what_cannot_be_held_is_sent_back_with_1012_and_a_slot() {
        let rules = Rules::default();
        for end in [closed(1012), closed(1001), closed(1013), BackendEnd::Lost] {
            let Verdict::End(goodbye) = after_backend(&end, HOLD, false, false, &rules) else {
                panic!("{end:?}");
            };
            assert_eq!(goodbye.code, SendCode::SERVICE_RESTART);
            assert!(goodbye.back.is_some());
        }
        assert_eq!(
            after_backend(&closed(4000), HOLD, false, false, &rules),
            Verdict::Pass
        );
    }

    #[test]
    fn in_tunnel_every_close_frame_passes_and_a_loss_gets_a_code() {
        let mut rules = Rules::default();
        for passed in [1000, 1001, 1011, 1012, 1013, 4000] {
            let verdict = after_backend(&closed(passed), TUNNEL, true, true, &rules);
            assert_eq!(verdict, Verdict::Pass, "{passed}");
        }
        let lost = |restarting, rules: &Rules| {
            let lost = &BackendEnd::Lost;
            code(&after_backend(lost, TUNNEL, true, restarting, rules))
        };
        assert_eq!(lost(false, &rules), Some(1011));
        assert_eq!(lost(true, &rules), Some(1012));
        rules.lost_code = SendCode::BAD_GATEWAY;
        assert_eq!(lost(false, &rules), Some(1014));
    }

    #[test]
    fn a_backend_that_breaks_the_protocol_is_a_bad_gateway() {
        let rules = Rules::default();
        for treatment in [HOLD, TUNNEL, Treatment::Tunnel(TunnelCause::Nobody)] {
            let end = BackendEnd::Broke(ProtocolError::MaskUnexpected);
            let verdict = after_backend(&end, treatment, true, true, &rules);
            assert_eq!(code(&verdict), Some(1014));
        }
    }

    #[test]
    fn a_tunnel_that_nobody_asked_for_tells_a_loss_as_a_restart_whatever_lost_code_says() {
        let rules = Rules {
            lost_code: SendCode::BAD_GATEWAY,
            ..Rules::default()
        };
        for cause in [
            TunnelCause::Nobody,
            TunnelCause::Backend,
            TunnelCause::Extensions,
        ] {
            let treatment = Treatment::Tunnel(cause);
            for restarting in [false, true] {
                let verdict = after_backend(&BackendEnd::Lost, treatment, true, restarting, &rules);
                let Verdict::End(goodbye) = verdict else {
                    panic!("{verdict:?}");
                };
                assert_eq!(goodbye.code, SendCode::SERVICE_RESTART);
                assert!(goodbye.back.is_some());
            }
            for passed in [1000, 1001, 1011, 1012, 1013, 4000] {
                let verdict = after_backend(&closed(passed), treatment, true, true, &rules);
                assert_eq!(verdict, Verdict::Pass, "{passed}");
            }
        }
    }

    #[test]
    fn refusals_of_a_return_end_it_and_a_backend_that_is_not_ready_is_asked_again() {
        let refused = |status| {
            after_redial(&RedialFailure::Refused {
                status,
                retry_after: Some(Duration::from_secs(2)),
            })
        };
        for status in [301, 400, 401, 403, 404, 410, 426] {
            let AfterRedial::End(goodbye) = refused(status) else {
                panic!("{status}");
            };
            assert_eq!(goodbye.code, SendCode::SERVICE_RESTART);
            assert!(goodbye.text.contains(&status.to_string()) && goodbye.back.is_some());
        }
        for status in [429, 500, 502, 503, 504] {
            let again = AfterRedial::Again(Some(Duration::from_secs(2)));
            assert_eq!(refused(status), again, "{status}");
        }
        for failed in [RedialFailure::Invalid, RedialFailure::Unreachable] {
            assert_eq!(after_redial(&failed), AfterRedial::Again(None));
        }
        let AfterRedial::End(goodbye) = after_redial(&RedialFailure::Changed("subprotocol")) else {
            panic!("not ended");
        };
        assert_eq!(goodbye.code, SendCode::SERVICE_RESTART);
    }

    #[test]
    fn a_failed_hold_ends_with_the_code_of_its_reason() {
        let code = |why, ran_out, full, invalid| after_hold(why, ran_out, full, invalid).code.get();
        assert_eq!(code(HoldCause::Planned, RanOut::Budget, false, false), 1012);
        assert_eq!(code(HoldCause::Lost, RanOut::Budget, false, false), 1013);
        assert_eq!(code(HoldCause::Busy, RanOut::Budget, false, false), 1013);
        assert_eq!(code(HoldCause::Lost, RanOut::Queue, false, false), 1012);
        assert_eq!(code(HoldCause::Planned, RanOut::Budget, true, false), 1013);
        assert_eq!(code(HoldCause::Lost, RanOut::Budget, false, true), 1014);
    }

    #[test]
    fn an_adapter_says_which_close_frames_are_a_restart_and_who_may_be_held() {
        let said = AdapterReport {
            restarts: true,
            is_ready: true,
            objects: false,
        };
        let verdict = |end: &BackendEnd, said| after_watched_backend(end, said, true, false);
        let empty = BackendEnd::Closed(CloseFrame::EMPTY);
        assert_eq!(verdict(&empty, said), Verdict::Hold(HoldCause::Planned));
        assert_eq!(verdict(&closed(1013), said), Verdict::Hold(HoldCause::Busy));
        let lost = verdict(&BackendEnd::Lost, said);
        assert_eq!(lost, Verdict::Hold(HoldCause::Lost));
        let kick = AdapterReport {
            restarts: false,
            ..said
        };
        assert_eq!(verdict(&empty, kick), Verdict::Pass);
        let unholdable = AdapterReport {
            objects: true,
            ..said
        };
        assert_eq!(verdict(&closed(1012), unholdable), Verdict::Pass);
        let refused = AdapterReport {
            is_ready: false,
            ..kick
        };
        for verdict in [
            verdict(&BackendEnd::Lost, unholdable),
            verdict(&closed(4403), refused),
            after_watched_backend(&BackendEnd::Lost, said, false, false),
        ] {
            assert_eq!(code(&verdict), Some(1012), "{verdict:?}");
        }
    }
}
