//! Every number, against the rules of RFC 6455 section 7.4 and the registry.

use revoir_codes::facts::{Facts, Scope, Sender, Wire};
use revoir_codes::{CloseCode, CodeRange, Direction, REASON_MAX_BYTES, Reason, SendCode, advice};

/// The registry: number, constant, name.
const REGISTRY: &[(CloseCode, u16, &str, &str)] = &[
    (
        CloseCode::NORMAL_CLOSURE,
        1000,
        "NORMAL_CLOSURE",
        "Normal Closure",
    ),
    (CloseCode::GOING_AWAY, 1001, "GOING_AWAY", "Going Away"),
    (
        CloseCode::PROTOCOL_ERROR,
        1002,
        "PROTOCOL_ERROR",
        "Protocol error",
    ),
    (
        CloseCode::UNSUPPORTED_DATA,
        1003,
        "UNSUPPORTED_DATA",
        "Unsupported Data",
    ),
    (CloseCode::RESERVED, 1004, "RESERVED", "Reserved"),
    (
        CloseCode::NO_STATUS_RCVD,
        1005,
        "NO_STATUS_RCVD",
        "No Status Rcvd",
    ),
    (
        CloseCode::ABNORMAL_CLOSURE,
        1006,
        "ABNORMAL_CLOSURE",
        "Abnormal Closure",
    ),
    (
        CloseCode::INVALID_FRAME_PAYLOAD_DATA,
        1007,
        "INVALID_FRAME_PAYLOAD_DATA",
        "Invalid frame payload data",
    ),
    (
        CloseCode::POLICY_VIOLATION,
        1008,
        "POLICY_VIOLATION",
        "Policy Violation",
    ),
    (
        CloseCode::MESSAGE_TOO_BIG,
        1009,
        "MESSAGE_TOO_BIG",
        "Message Too Big",
    ),
    (
        CloseCode::MANDATORY_EXT,
        1010,
        "MANDATORY_EXT",
        "Mandatory Ext.",
    ),
    (
        CloseCode::INTERNAL_ERROR,
        1011,
        "INTERNAL_ERROR",
        "Internal Error",
    ),
    (
        CloseCode::SERVICE_RESTART,
        1012,
        "SERVICE_RESTART",
        "Service Restart",
    ),
    (
        CloseCode::TRY_AGAIN_LATER,
        1013,
        "TRY_AGAIN_LATER",
        "Try Again Later",
    ),
    (CloseCode::BAD_GATEWAY, 1014, "BAD_GATEWAY", "Bad Gateway"),
    (
        CloseCode::TLS_HANDSHAKE,
        1015,
        "TLS_HANDSHAKE",
        "TLS handshake",
    ),
    (
        CloseCode::UNAUTHORIZED,
        3000,
        "UNAUTHORIZED",
        "Unauthorized",
    ),
    (CloseCode::FORBIDDEN, 3003, "FORBIDDEN", "Forbidden"),
    (CloseCode::TIMEOUT, 3008, "TIMEOUT", "Timeout"),
];

fn every_code() -> impl Iterator<Item = CloseCode> {
    (0..=u16::MAX).map(CloseCode::new)
}

/// RFC 6455 section 7.4 in its own order: defined codes that may be sent, then the two ranges.
fn may_stand_in_a_frame(number: u16) -> bool {
    let defined = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];
    let registered_later = [1012, 1013, 1014];
    defined.contains(&number)
        || registered_later.contains(&number)
        || (3000..5000).contains(&number)
}

#[test]
fn registered_codes_are_those_of_the_registry() {
    let known: Vec<_> = CloseCode::registered().collect();
    let expected: Vec<_> = REGISTRY.iter().map(|row| row.0).collect();
    assert_eq!(known, expected);
    for &(code, number, id, name) in REGISTRY {
        assert_eq!(code.get(), number);
        assert_eq!(code.name(), Some(name));
        assert_eq!(code.facts().id, id);
        assert_eq!(code.to_string(), format!("{number} {name}"));
        let expected = if number < 3000 {
            CodeRange::Protocol
        } else {
            CodeRange::Registered
        };
        assert_eq!(code.range(), expected, "{code}");
    }
}

#[test]
fn a_frame_may_carry_exactly_the_codes_of_section_7_4() {
    for code in every_code() {
        let legal = may_stand_in_a_frame(code.get());
        assert_eq!(code.may_be_received(), legal, "{code}");
        assert_eq!(SendCode::try_from(code).is_ok(), legal, "{code}");
        assert_eq!(
            SendCode::try_from(code.get()).map(u16::from).ok(),
            legal.then_some(code.get())
        );
        assert_eq!(code.facts().wire == Wire::Frame, legal, "{code}");
        assert_eq!(code.facts().senders.is_empty(), !legal, "{code}");
    }
}

#[test]
fn a_page_may_close_with_1000_and_3000_to_4999() {
    for code in every_code() {
        let allowed = code.get() == 1000 || (3000..5000).contains(&code.get());
        assert_eq!(
            code.facts().senders.contains(Sender::Page),
            allowed,
            "{code}"
        );
    }
}

#[test]
fn only_a_client_sends_1010() {
    let senders: Vec<_> = CloseCode::MANDATORY_EXT.facts().senders.iter().collect();
    assert_eq!(senders, [Sender::ClientApplication, Sender::ClientEngine]);
}

#[test]
fn local_codes_are_1005_1006_and_1015() {
    let local: Vec<u16> = every_code()
        .filter(|code| code.is_local())
        .map(CloseCode::get)
        .collect();
    assert_eq!(local, [1005, 1006, 1015]);
    for code in every_code() {
        assert_eq!(code.facts().wire == Wire::Local, code.is_local(), "{code}");
    }
}

#[test]
fn every_number_belongs_to_one_range_and_has_facts_and_advice() {
    for code in every_code() {
        let ranges = CodeRange::ALL.iter().copied().filter(|range| {
            let (first, last) = range.bounds();
            (first..=last).contains(&code.get())
        });
        assert_eq!(ranges.collect::<Vec<_>>(), [code.range()]);
        let scope = match code.name() {
            Some(_) => Scope::Code(code),
            None => Scope::Range(code.range()),
        };
        assert_eq!(Facts::of(code).scope, scope);
        for direction in [Direction::AtClient, Direction::AtServer] {
            assert!(!advice(code, direction).rule.is_empty());
        }
        assert!(!code.to_string().is_empty());
    }
}

#[test]
fn an_unregistered_code_prints_the_kind_of_its_range() {
    assert_eq!(CloseCode::from(4001).to_string(), "4001 (private use)");
    assert_eq!(CloseCode::from(2000).to_string(), "2000 (unassigned)");
    assert_eq!(CloseCode::from(5000).to_string(), "5000 (out of range)");
}

#[test]
fn a_code_that_may_not_be_sent_says_why() {
    let message = |number: u16| SendCode::try_from(number).unwrap_err().to_string();
    assert_eq!(
        message(1005),
        "1005 No Status Rcvd is a local value and is never sent in a Close frame"
    );
    assert_eq!(
        message(2999),
        format!(
            "2999 (unassigned) may not stand in a Close frame; use {}",
            SendCode::NUMBERS
        )
    );
    assert!(
        SendCode::NUMBERS.starts_with("1000-1003, ")
            && SendCode::NUMBERS.ends_with(" or 3000-4999")
    );
}

#[test]
fn a_reason_holds_123_bytes() {
    assert_eq!(REASON_MAX_BYTES, 123);
    assert_eq!(&*Reason::new("").unwrap(), "");
    assert_eq!(Reason::new(&"x".repeat(123)).unwrap().len(), 123);
    let error = Reason::new(&"x".repeat(124)).unwrap_err();
    assert_eq!(error.bytes, 124);
    assert_eq!(
        error.to_string(),
        "close reason of 124 bytes is longer than the 123 bytes a Close frame can carry"
    );
}
