//! From what somebody types to a code.

use revoir_codes::CloseCode;
use revoir_codes::catalog::{Found, Locale, search};

fn find(text: &str) -> Found {
    search(text, Locale::english())
}

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
fn a_number_past_two_bytes_is_no_code() {
    assert_eq!(find("99999"), Found::TooLarge);
    assert_eq!(find("123456789012345678901234567890"), Found::TooLarge);
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
fn names_are_found_in_the_language_of_the_reader() {
    let french = Locale::find("fr").unwrap();
    let found = search("fermeture anormale", french);
    assert_eq!(found, Found::Name(CloseCode::ABNORMAL_CLOSURE));
    // English still works.
    assert_eq!(
        search("abnormal", french),
        Found::Name(CloseCode::ABNORMAL_CLOSURE)
    );
}

#[test]
fn an_exact_name_wins_over_a_part() {
    // "reserved" is a name; nothing else is called so, though ranges are.
    assert_eq!(find("reserved"), Found::Name(CloseCode::RESERVED));
    assert_eq!(find("error"), codes([1002, 1011]));
}

#[test]
fn what_fits_nothing_is_nothing() {
    for text in ["nonsense", "", "  ", "-", "💥", "4", "12"] {
        let found = find(text);
        let number = text.parse().map(CloseCode::new).map(Found::Number);
        assert_eq!(found, number.unwrap_or(Found::Nothing), "{text}");
    }
}
