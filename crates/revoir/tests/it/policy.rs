//! What the policy decides, rule by rule.

use std::time::{Duration, SystemTime};

use revoir::reconnect::{Class, Decision, DelayClass, History, Profile, Rule, Stop};
use revoir::{Cause, Ending, Policy, SendCode};
use revoir_codes::advice::Retry;
use revoir_codes::{CloseCode, Direction, advice};

use crate::support::endings::{after, closed, refused, with_cause};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const SECOND: Duration = Duration::from_secs(1);

fn first(policy: &Policy, ending: &Ending) -> Decision {
    policy.decide(ending, &History::new(), NOW, 0)
}

/// The smallest and the largest delay of attempt `attempt` after `ending`, in milliseconds.
fn range(policy: &Policy, ending: &Ending, attempt: u32) -> (u128, u128) {
    let history = History::after(attempt - 1, Duration::ZERO);
    let drawn = |random| {
        let decision = policy.decide(ending, &history, NOW, random);
        decision.delay.unwrap().as_millis()
    };
    (drawn(0), drawn(u32::MAX))
}

/// The decisions of a row of equal endings, up to a stop or the fifth.
fn row(policy: &Policy, ending: &Ending) -> Vec<Decision> {
    let mut history = History::new();
    let mut decisions = Vec::new();
    while decisions.len() < 5 && decisions.last().is_none_or(Decision::is_retry) {
        let decision = policy.decide(ending, &history, NOW, 0);
        history.record(ending, &decision);
        decisions.push(decision);
    }
    decisions
}

/// Every ending that a code alone describes.
fn by_code() -> impl Iterator<Item = (CloseCode, Ending)> {
    let received = (0..=u16::MAX).filter(|code| SendCode::try_from(*code).is_ok());
    received
        .chain([1005])
        .map(|code| (CloseCode::new(code), closed(code, "")))
        .chain([
            (CloseCode::ABNORMAL_CLOSURE, with_cause(Cause::Eof)),
            (CloseCode::TLS_HANDSHAKE, with_cause(Cause::TlsFailed)),
        ])
}

#[test]
fn every_code_is_decided_as_its_advice_says() {
    let policy = Policy::new().with_refresh(true);
    for (code, ending) in by_code() {
        let advice = advice(code, Direction::AtClient);
        let decision = first(&policy, &ending);
        assert_eq!(decision.rule, advice.rule);
        assert_eq!(decision.attempt, 1, "{code}");
        let Some(class) = advice.first.filter(|_| advice.retry != Retry::Never) else {
            assert_eq!(decision.class, Class::Stop(Stop::Final), "{code}");
            continue;
        };
        assert_eq!(decision.class.id(), class.id(), "{code}");
        assert_eq!(decision.resume, advice.resume, "{code}");
        assert_eq!(
            decision.refresh,
            advice.retry == Retry::AfterRefresh,
            "{code}"
        );
        let later = advice.later.unwrap_or(class);
        for (attempt, class) in [(1, class), (2, later), (9, later), (1_000_000, later)] {
            let expected = class.range(attempt);
            let expected = (u128::from(expected.min_ms), u128::from(expected.max_ms));
            assert_eq!(range(&policy, &ending, attempt), expected, "{code}");
        }
        let made = row(&policy, &ending);
        let made = made.iter().filter(|decision| decision.is_retry()).count();
        assert_eq!(
            made,
            usize::from(advice.attempts.unwrap_or(5)),
            "{code}: attempts"
        );
    }
}

#[test]
fn what_went_wrong_here_is_decided_as_the_code_that_names_it() {
    let policy = Policy::new();
    for (cause, code) in [
        (Cause::PongTimeout, 3008),
        (Cause::IdleTimeout, 1001),
        (Cause::HandlerFailed, 1011),
        (Cause::ProtocolError, 1002),
        (Cause::InvalidData, 1007),
        (Cause::MessageTooBig, 1009),
    ] {
        let here = first(&policy, &with_cause(cause));
        let there = first(&policy, &closed(code, ""));
        assert_eq!((here.class, here.delay), (there.class, there.delay));
        assert_eq!(here.rule, cause.id());
    }
}

#[test]
fn a_connection_that_the_application_closed_does_not_come_back() {
    for cause in [Cause::ClosedLocally, Cause::Dropped] {
        let decision = first(&Policy::new(), &with_cause(cause));
        assert_eq!(decision.class, Class::Stop(Stop::Final));
        assert_eq!(decision.rule, cause.id());
    }
}

#[test]
fn after_a_restart_it_waits_1_to_5_s_and_as_registered_5_to_30_s() {
    for ending in [closed(1012, ""), refused(503, None)] {
        assert_eq!(range(&Policy::new(), &ending, 1), (1_000, 5_000));
        assert_eq!(range(&Policy::registered(), &ending, 1), (5_000, 30_000));
        assert_eq!(range(&Policy::registered(), &ending, 2), (500, 5_000));
    }
    assert_eq!(range(&Policy::new(), &closed(1001, ""), 1), (250, 5_000));
}

#[test]
fn statuses_are_told_apart() {
    let policy = Policy::new().with_refresh(true);
    let class = |status| first(&policy, &refused(status, None)).class.id();
    for stop in [
        300, 302, 400, 402, 405, 406, 407, 410, 415, 426, 451, 501, 505, 510, 511, 100, 999,
    ] {
        assert_eq!(class(stop), "stop", "{stop}");
    }
    for normal in [401, 403, 408, 425, 500, 502, 504, 520, 527, 530] {
        assert_eq!(class(normal), "normal", "{normal}");
    }
    for slow in [200, 404, 421, 429] {
        assert_eq!(class(slow), "slow", "{slow}");
    }
    for (status, attempts) in [(401, 1), (403, 1), (404, 3), (421, 3), (200, 3), (429, 5)] {
        let made = row(&policy, &refused(status, None));
        let made = made.iter().filter(|decision| decision.is_retry()).count();
        assert_eq!(made, attempts, "{status}");
    }
}

#[test]
fn failures_before_the_connection_opened_are_told_apart() {
    for cause in Cause::ALL.iter().copied().filter(|cause| !cause.was_open()) {
        let expected = match cause {
            Cause::TlsFailed => "slow",
            Cause::HandshakeInvalid => "stop",
            _ => "normal",
        };
        let decision = first(&Policy::new(), &with_cause(cause));
        assert_eq!(decision.class.id(), expected, "{cause:?}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_asked_for_slowly() {
    let mut ending = with_cause(Cause::Dns);
    let said = "a.invalid: failed to lookup address information: Name or service not known";
    ending.detail = revoir::ending::Detail::Text(said.into());
    let decision = first(&Policy::new(), &ending);
    assert_eq!(
        (&*decision.rule, decision.class),
        ("dns-unknown-name", Class::Slow)
    );
}

#[test]
fn an_answer_that_is_no_http_is_tried_again_and_a_wrong_101_is_not() {
    let policy = Policy::new();
    let garbled = Ending::from(revoir::handshake::HandshakeError::BareLineFeed);
    assert_eq!(first(&policy, &garbled).class, Class::Slow);
    assert_eq!(row(&policy, &garbled).len(), 4);
    let wrong = Ending::from(revoir::handshake::HandshakeError::ConnectionMissing { got: None });
    assert_eq!(first(&policy, &wrong).class, Class::Stop(Stop::Final));
}

#[test]
fn without_a_way_to_fresh_credentials_what_asks_for_them_stops() {
    for ending in [
        closed(3000, ""),
        closed(1008, ""),
        refused(401, None),
        refused(403, None),
    ] {
        let decision = first(&Policy::new(), &ending);
        assert_eq!(decision.class, Class::Stop(Stop::NoCredentials));
        assert!(!decision.refresh);
        let hooked = row(&Policy::new().with_refresh(true), &ending);
        assert!(hooked[0].refresh && hooked[0].is_retry());
        assert_eq!(hooked[1].class, Class::Stop(Stop::Exhausted));
    }
}

#[test]
fn retry_after_replaces_the_delay_with_a_spread_of_a_quarter() {
    let policy = Policy::new();
    let asked = |value| range(&policy, &refused(503, Some(value)), 1);
    assert_eq!(asked("120"), (120_000, 150_000));
    assert_eq!(asked("2"), (2_000, 3_000));
    assert_eq!(asked("0"), (250, 1_250));
    assert_eq!(asked("86400"), (3_600_000, 4_500_000));
    assert_eq!(asked("Thu, 01 Jan 1970 00:01:00 GMT"), (60_000, 75_000));
    assert_eq!(asked("soon"), (1_000, 5_000));
    assert!(first(&policy, &refused(503, Some("120"))).is_advised());
}

#[test]
fn retry_after_does_not_bring_back_what_stops() {
    let decision = first(&Policy::new(), &refused(400, Some("1")));
    assert_eq!(decision.class, Class::Stop(Stop::Final));
    let decisions = row(&Policy::new(), &refused(404, Some("1")));
    assert_eq!(decisions.len(), 4);
    assert!(decisions[0].is_advised());
}

#[test]
fn a_slot_in_the_reason_replaces_the_delay_of_three_codes() {
    let policy = Policy::new();
    for code in [1001, 1012, 1013] {
        let ending = closed(code, "restart [after=3217ms]");
        assert_eq!(range(&policy, &ending, 1), (3_217, 3_217));
        assert_eq!(range(&policy, &ending, 9), (3_217, 3_217));
        let ending = closed(code, "restart [after=0ms spread=500ms]");
        assert_eq!(range(&policy, &ending, 1), (250, 750));
    }
    for code in [1000, 1011, 4000] {
        assert!(!first(&policy, &closed(code, "x [after=3217ms]")).is_advised());
    }
}

#[test]
fn only_a_stable_connection_forgets_the_attempts() {
    let policy = Policy::new();
    let history = History::after(7, 20 * SECOND);
    let attempt = |open_for| {
        let ending = after(open_for, closed(1012, ""));
        policy.decide(&ending, &history, NOW, 0).attempt
    };
    assert_eq!(attempt(Duration::ZERO), 8);
    assert_eq!(attempt(19 * SECOND), 8);
    assert_eq!(attempt(20 * SECOND), 1);
    let history = History::after(7, SECOND);
    let attempt = |open_for| {
        let ending = after(open_for, closed(1012, ""));
        policy.decide(&ending, &history, NOW, 0).attempt
    };
    assert_eq!(attempt(9 * SECOND), 8);
    assert_eq!(attempt(10 * SECOND), 1);
}

#[test]
fn a_stable_connection_also_forgets_the_bounded_attempts() {
    let policy = Policy::new();
    let mut history = History::new();
    for round in 0..20 {
        let ending = after(u32::from(round % 3 == 2) * 60 * SECOND, closed(4001, ""));
        let decision = policy.decide(&ending, &history, NOW, 0);
        assert!(decision.is_retry(), "{round}");
        history.record(&ending, &decision);
    }
}

#[test]
fn codes_that_take_turns_have_their_attempts_each() {
    let policy = Policy::new();
    let mut history = History::new();
    let mut made = 0;
    for code in [4001, 1006, 4002].into_iter().cycle() {
        let ending = match code {
            1006 => with_cause(Cause::Eof),
            code => closed(code, ""),
        };
        let decision = policy.decide(&ending, &history, NOW, 0);
        history.record(&ending, &decision);
        if !decision.is_retry() {
            assert_eq!(decision.class, Class::Stop(Stop::Exhausted));
            break;
        }
        made += 1;
    }
    assert_eq!(made, 9);
}

#[test]
fn rules_of_the_user_come_first_in_their_order() {
    let policy = Policy::new()
        .with_profile(Profile::Pusher)
        .with_rule(Rule::code(4001).named("superseded").stop())
        .with_rule(
            Rule::codes(4000..=4199)
                .with_class(DelayClass::Slow)
                .at_most(2),
        )
        .with_rule(Rule::status(404).with_delay(30 * SECOND..=60 * SECOND))
        .with_rule(Rule::cause(Cause::HandshakeInvalid))
        .with_rule(Rule::code(1000).at_most(3).afresh());
    let decision = first(&policy, &closed(4001, ""));
    assert_eq!(
        (&*decision.rule, decision.is_retry()),
        ("superseded", false)
    );
    let decision = first(&policy, &closed(4050, ""));
    assert_eq!(
        (&*decision.rule, decision.class),
        ("user-code-4000-4199", Class::Slow)
    );
    assert_eq!(row(&policy, &closed(4050, "")).len(), 3);
    assert_eq!(first(&policy, &closed(4200, "")).rule, "pusher-4200-4299");
    assert_eq!(range(&policy, &refused(404, None), 9), (30_000, 60_000));
    assert_eq!(first(&policy, &refused(404, None)).class, Class::Custom);
    let decision = first(&policy, &with_cause(Cause::HandshakeInvalid));
    assert_eq!(decision.rule, "user-cause-handshake-invalid");
    let decision = first(&policy, &closed(1000, ""));
    assert!(decision.is_retry() && !decision.resume);
}

#[test]
fn a_delay_of_the_user_starts_at_250_ms_too() {
    let policy = Policy::new().with_rule(Rule::code(1006).with_delay(Duration::ZERO..=SECOND));
    assert_eq!(range(&policy, &with_cause(Cause::Eof), 1), (250, 1_000));
    let policy = Policy::new().with_rule(Rule::code(1006).with_delay(SECOND..=Duration::ZERO));
    assert_eq!(range(&policy, &with_cause(Cause::Eof), 1), (1_000, 1_000));
}

#[test]
fn a_limit_of_attempts_stops_whatever_the_table_says() {
    let ending = with_cause(Cause::Refused);
    assert_eq!(row(&Policy::new().with_max_attempts(2), &ending).len(), 3);
    let never = first(&Policy::new().with_max_attempts(0), &ending);
    assert_eq!(never.class, Class::Stop(Stop::MaxAttempts));
    assert_eq!(never.rule, "refused");
}

#[test]
fn profiles_come_back_where_their_products_do() {
    // The tables of products in revoir-codes say it in another form.
    for (profile, name) in [
        (Profile::Centrifugo, "Centrifugo"),
        (Profile::Discord, "Discord Gateway"),
        (Profile::GraphqlWs, "graphql-ws"),
        (Profile::Pusher, "Pusher Channels"),
    ] {
        let policy = Policy::new().with_profile(profile);
        let mut compared = 0;
        for code in 3000..=4999 {
            let uses = revoir_codes::catalog::vendor::uses(CloseCode::new(code));
            let product = uses.into_iter().find(|it| it.vendor.name == name);
            if let Some(reconnect) = product.and_then(|it| it.reconnect) {
                let decision = first(&policy, &closed(code, ""));
                assert_eq!(decision.is_retry(), reconnect, "{name} {code}");
                compared += 1;
            }
        }
        assert!(compared > 10, "{name}: {compared}");
    }
}

#[test]
fn a_decision_reads_as_a_sentence() {
    let policy = Policy::new().with_refresh(true);
    let show = |ending: &Ending| first(&policy, ending).to_string();
    assert_eq!(
        show(&closed(1012, "x [after=3217ms]")),
        "attempt 1 in 3.217 s (rule code-1012, advised)"
    );
    assert_eq!(
        show(&refused(401, None)),
        "attempt 1 with fresh credentials in 0.250 s (rule status-401, normal)"
    );
    assert_eq!(
        show(&closed(1000, "")),
        "no further attempt: coming back would not help (rule code-1000)"
    );
}
