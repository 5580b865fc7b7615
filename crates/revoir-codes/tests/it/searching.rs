//! From what somebody types to a code.

use revoir_codes::CloseCode;
use revoir_codes::catalog::{Found, search as find};

fn codes<const N: usize>(numbers: [u16; N]) -> Found {
    Found::Several(numbers.map(CloseCode::new).to_vec())
}

#[test]
fn a_number_is_found_in_any_text() {
    let number = |n| Found::Number(CloseCode::new(n));
    assert_eq!(find("1006"), number(1006));
    assert_eq!(find("close 1012"), number(1012));
    assert_eq!(find("WebSocket closed: code=1006, reason=''"), number(1006));
    assert_eq!(find("ws 8.23 closed with 1011"), number(1011));
    assert_eq!(find("404"), number(404));
    assert_eq!(find(" 1000 "), number(1000));
    assert_eq!(find("1006 and again 1006"), number(1006));
}

#[test]
fn numbers_in_addresses_dates_and_times_do_not_count() {
    let number = |n| Found::Number(CloseCode::new(n));
    for text in [
        "Disconnected from wss://x:8443: 1006",
        "2026-11-21T10:00:00 closed 1006",
        "1006 at 127.0.0.1:9000",
        "1006 at localhost:3000",
        "12:30:2026 1006",
        "[::1]:4001 1006",
        "since 2019 code=1006",
        "build 9999 ended with 1006",
        "code:1006",
    ] {
        assert_eq!(find(text), number(1006), "{text}");
    }
    let failed = "WebSocket connection to 'ws://localhost:3000/' failed";
    assert_eq!(find(failed), Found::Nothing);
}

#[test]
fn digits_of_other_scripts_are_digits() {
    let number = Found::Number(CloseCode::ABNORMAL_CLOSURE);
    for text in ["１００６", "١٠٠٦", "۱۰۰۶", "१००६", "๑๐๐๖"] {
        assert_eq!(find(text), number, "{text}");
    }
}

#[test]
fn a_number_past_two_bytes_or_below_zero_is_no_code() {
    assert_eq!(find("99999"), Found::OutOfBounds);
    assert_eq!(find("123456789012345678901234567890"), Found::OutOfBounds);
    assert_eq!(find("-1006"), Found::OutOfBounds);
    assert_eq!(find("+1006"), Found::Number(CloseCode::ABNORMAL_CLOSURE));
}

#[test]
fn several_numbers_are_several_codes() {
    assert_eq!(find("1012 1006"), codes([1006, 1012]));
}

#[test]
fn names_are_found_however_they_are_spelled() {
    let name = |n| Found::Name(CloseCode::new(n));
    for spelling in [
        "service restart",
        "Service Restart",
        "SERVICE_RESTART",
        "ServiceRestart",
        "restart",
    ] {
        assert_eq!(find(spelling), name(1012), "{spelling}");
    }
    assert_eq!(find("again"), name(1013));
    assert_eq!(find("no status received"), name(1005));
    assert_eq!(find("Internal Server Error"), name(1011));
    assert_eq!(find("timeout"), name(3008));
    assert_eq!(find("abnormal"), name(1006));
}

#[test]
fn names_are_found_in_every_complete_language() {
    let name = Found::Name(CloseCode::ABNORMAL_CLOSURE);
    for text in [
        "Fermeture anormale",
        "异常关闭",
        "đóng bất thường",
        "abnormal",
    ] {
        assert_eq!(find(text), name, "{text}");
    }
}

#[test]
fn an_exact_name_wins_over_a_part() {
    // "reserved" is a name; nothing else is called so, though ranges are.
    assert_eq!(find("reserved"), Found::Name(CloseCode::RESERVED));
    assert_eq!(find("error"), codes([1002, 1011]));
}

#[test]
fn what_fits_nothing_is_nothing() {
    for text in ["nonsense", "", "  ", "-", "💥", "x", "in", "4", "12"] {
        let found = find(text);
        let number = text.parse().map(CloseCode::new).map(Found::Number);
        assert_eq!(found, number.unwrap_or(Found::Nothing), "{text}");
    }
}

#[test]
fn slips_of_the_hand_are_forgiven() {
    for (text, number) in [
        ("restrat", 1012),
        ("service restrat", 1012),
        ("abnormel closure", 1006),
        ("polcy violation", 1008),
        ("redemarage", 1012),
    ] {
        assert_eq!(find(text), Found::Name(CloseCode::new(number)), "{text}");
    }
    for text in ["rest", "xyzzy", "retry", "socket"] {
        let found = find(text);
        assert!(!matches!(found, Found::Number(_)), "{text}: {found:?}");
    }
    assert_eq!(find("xyzzy"), Found::Nothing);
}
