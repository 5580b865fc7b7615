//! What to do next: the table that the reconnecting client uses.

use revoir_codes::advice::{Basis, DelayClass, Retry};
use revoir_codes::{Advice, CloseCode, Direction, advice};

fn at_client(number: u16) -> Advice {
    advice(CloseCode::new(number), Direction::AtClient)
}

/// Retry, first class, later class, attempts, resume.
type Row = (
    Retry,
    Option<DelayClass>,
    Option<DelayClass>,
    Option<u8>,
    bool,
);

fn row(number: u16) -> Row {
    let advice = at_client(number);
    (
        advice.retry,
        advice.first,
        advice.later,
        advice.attempts,
        advice.resume,
    )
}

#[test]
fn every_code_has_the_advice_of_the_policy() {
    use DelayClass::{Fast, Normal, Restart, Slow};
    use Retry::{AfterFix, AfterRefresh, Always, Limited, Never};

    let (normal, slow) = (Some(Normal), Some(Slow));
    let expected: &[(u16, Row)] = &[
        (1000, (Never, None, None, None, false)),
        (1001, (Always, normal, normal, None, true)),
        (1002, (AfterFix, normal, None, Some(1), false)),
        (1003, (AfterFix, None, None, None, false)),
        (1004, (AfterFix, normal, None, Some(1), false)),
        (1005, (Limited, normal, normal, Some(3), true)),
        (1006, (Always, normal, normal, None, true)),
        (1007, (AfterFix, normal, None, Some(1), true)),
        (1008, (AfterRefresh, normal, None, Some(1), false)),
        (1009, (AfterFix, normal, None, Some(1), true)),
        (1010, (AfterFix, None, None, None, false)),
        (1011, (Limited, normal, slow, Some(3), true)),
        (1012, (Always, Some(Restart), normal, None, true)),
        (1013, (Always, slow, slow, None, true)),
        (1014, (Always, normal, normal, None, true)),
        (1015, (AfterFix, slow, slow, Some(3), true)),
        (2999, (Limited, normal, normal, Some(3), false)),
        (3000, (AfterRefresh, normal, None, Some(1), true)),
        (3001, (Limited, normal, normal, Some(3), true)),
        (3003, (Never, None, None, None, false)),
        (3008, (Always, Some(Fast), normal, None, true)),
        (4001, (Limited, normal, normal, Some(3), true)),
        (999, (AfterFix, normal, None, Some(1), false)),
        (5000, (AfterFix, normal, None, Some(1), false)),
    ];
    for &(number, expected) in expected {
        assert_eq!(row(number), expected, "{number}");
    }
    for code in CloseCode::registered().map(CloseCode::get) {
        assert!(expected.iter().any(|(number, _)| *number == code), "{code}");
    }
}

#[test]
fn after_a_restart_a_client_waits_one_to_five_seconds() {
    let advice = at_client(1012);
    let range = advice.class(1).unwrap().range(1);
    assert_eq!((range.min_ms, range.max_ms), (1_000, 5_000));
    assert_eq!(advice.class(2), Some(DelayClass::Normal));
}

#[test]
fn a_server_never_comes_back_by_itself() {
    for number in 0..=u16::MAX {
        let advice = advice(CloseCode::new(number), Direction::AtServer);
        assert_eq!(advice.retry, Retry::Wait);
        assert_eq!(
            (advice.first, advice.later, advice.attempts),
            (None, None, None)
        );
    }
}

#[test]
fn a_page_that_was_left_may_come_back_and_a_finished_one_may_not() {
    let keeps = |number| advice(CloseCode::new(number), Direction::AtServer).resume;
    assert!(keeps(1001));
    assert!(keeps(1006));
    assert!(!keeps(1000));
}

#[test]
fn backoff_rests_on_the_rfc_and_the_rest_is_our_choice() {
    assert_eq!(at_client(1006).basis, Basis::Rfc);
    // The registration of 1012 asks for 5-30 s, that of 1013 for another address.
    assert_eq!(at_client(1012).basis, Basis::Ours);
    assert_eq!(at_client(1013).basis, Basis::Ours);
}

#[test]
fn rules_have_names_of_their_own() {
    assert_eq!(at_client(1012).rule, "code-1012");
    assert_eq!(at_client(4001).rule, "range-private");
    assert_eq!(at_client(2000).rule, "range-protocol-unassigned");
}
