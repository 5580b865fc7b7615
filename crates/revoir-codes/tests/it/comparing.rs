//! How two codes differ: every pair, in every complete language.

use revoir_codes::catalog::{Aspect, Comparison, Locale, compare};
use revoir_codes::{CloseCode, CodeRange};

fn english(a: u16, b: u16) -> Comparison {
    compare(CloseCode::new(a), CloseCode::new(b), Locale::english()).unwrap()
}

fn cells(comparison: &Comparison, aspect: Aspect) -> (&str, &str) {
    let rows = comparison.differences.iter().chain(&comparison.in_common);
    let row = rows.into_iter().find(|row| row.aspect == aspect).unwrap();
    (&row.a, &row.b)
}

/// Every registered code, and some of every range.
fn samples() -> Vec<CloseCode> {
    let (unassigned, _) = CodeRange::ProtocolUnassigned.bounds();
    let others = [0, 404, unassigned, 2999, 3001, 4001, 4999, 5000, 65535];
    CloseCode::registered()
        .chain(others.map(CloseCode::new))
        .collect()
}

#[test]
fn no_pair_has_an_empty_section() {
    for locale in Locale::all().iter().filter(|locale| locale.is_complete()) {
        for a in samples() {
            for b in samples().into_iter().filter(|&b| b != a) {
                let comparison = compare(a, b, locale).unwrap();
                let rows = comparison.differences.iter().chain(&comparison.in_common);
                let cells = rows.flat_map(|row| [&row.a, &row.b]);
                let single = [
                    &comparison.title,
                    &comparison.introduction,
                    &comparison.choice,
                ];
                for text in cells.chain(single) {
                    assert!(!text.is_empty(), "{} {a} {b}", locale.tag);
                    assert!(!text.contains(['{', '}']), "{} {a} {b}: {text}", locale.tag);
                }
                let fewest = match (a.name(), b.name()) {
                    (Some(_), Some(_)) => 3,
                    _ if comparison.a.same_entry(&comparison.b) => 0,
                    _ => 1,
                };
                assert!(
                    comparison.differences.len() >= fewest,
                    "{} {a} {b}",
                    locale.tag
                );
                assert!(comparison.in_common.iter().all(|row| row.a == row.b));
            }
        }
    }
}

#[test]
fn the_order_of_the_two_only_swaps_sides() {
    for a in samples() {
        for b in samples().into_iter().filter(|&b| b > a) {
            let forth = english(a.get(), b.get());
            let back = english(b.get(), a.get());
            assert_eq!(forth.differences.len(), back.differences.len(), "{a} {b}");
            for (one, other) in forth.differences.iter().zip(&back.differences) {
                assert_eq!(one.aspect, other.aspect, "{a} {b}");
                if one.aspect != Aspect::Browser {
                    assert_eq!((&one.a, &one.b), (&other.b, &other.a), "{a} {b}");
                }
            }
        }
    }
}

#[test]
fn a_code_is_not_compared_with_itself() {
    let same = compare(
        CloseCode::GOING_AWAY,
        CloseCode::GOING_AWAY,
        Locale::english(),
    );
    assert_eq!(
        same.unwrap_err().to_string(),
        "1001 was given twice; name two different codes"
    );
}

#[test]
fn nobody_is_told_to_send_a_code_that_cannot_be_sent() {
    assert_eq!(
        english(1005, 1006).choice,
        "You cannot choose: nobody may send 1005 or 1006."
    );
    assert_eq!(
        english(1012, 1005).choice,
        "You can only choose 1012: nobody may send 1005."
    );
    assert_eq!(
        english(1002, 1003).choice,
        "The WebSocket implementation sends 1002 on its own. Of the two, an application can only choose 1003."
    );
    assert_eq!(
        english(1007, 1002).choice,
        "Neither is for applications: the WebSocket implementation sends 1007 or 1002 on its own."
    );
}

#[test]
fn what_is_compared_is_computed_from_the_facts() {
    let comparison = english(1005, 1012);
    assert_eq!(
        cells(&comparison, Aspect::Wire),
        (
            "must not be sent; your own library or browser reports it",
            "sent in a Close frame"
        )
    );
    assert_eq!(
        cells(&comparison, Aspect::Senders),
        ("nobody", "server application, server library")
    );
    assert_eq!(
        cells(&english(1000, 1012), Aspect::Reconnect),
        (
            "no",
            "yes: the first attempt after 1–5 s, then with increasing delays of at most 30 s"
        )
    );
}

#[test]
fn implementations_that_mistake_one_for_the_other_are_named() {
    assert_eq!(
        cells(&english(1006, 1012), Aspect::Mistaken),
        (
            "1006 instead of 1012: Hypercorn 0.18.0, socketify 0.0.31, uWebSockets 2026-08, WebKitGTK 2.50.6",
            "none on record"
        )
    );
}

#[test]
fn private_codes_are_told_apart_by_the_products_that_use_them() {
    let comparison = english(4001, 4004);
    let aspects: Vec<_> = comparison
        .differences
        .iter()
        .map(|row| row.aspect)
        .collect();
    assert_eq!(aspects, [Aspect::Uses]);
    let (a, b) = cells(&comparison, Aspect::Uses);
    assert!(a.contains("Discord Gateway (Unknown opcode)"), "{a}");
    assert!(b.contains("Discord Gateway (Authentication failed)"), "{b}");
}

#[test]
fn two_codes_of_one_range_have_no_difference_and_say_so() {
    let comparison = english(2000, 2001);
    assert!(comparison.differences.is_empty());
    let introduction = &comparison.introduction;
    assert!(
        introduction.starts_with("You cannot choose: nobody may send 2000 or 2001."),
        "{introduction}"
    );
    let comparison = english(3900, 3901);
    assert!(
        comparison
            .introduction
            .starts_with("Only the agreement between client and server")
    );
}
