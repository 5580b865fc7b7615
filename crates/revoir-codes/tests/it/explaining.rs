//! The text about every code, in every language.

use revoir_codes::catalog::causes::{Phase, causes};
use revoir_codes::catalog::observed::Implementation;
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Locale, explain};
use revoir_codes::{CloseCode, CodeRange};

fn complete() -> impl Iterator<Item = &'static Locale> {
    Locale::all().iter().filter(|locale| locale.is_complete())
}

/// Every registered code, and one of every other range.
pub(crate) fn samples() -> Vec<CloseCode> {
    let unassigned = CodeRange::ProtocolUnassigned.bounds().0;
    let ranges = [0, unassigned, 3001, 4000, 5000].map(CloseCode::new);
    CloseCode::registered().chain(ranges).collect()
}

pub(crate) fn texts(of: &Explanation) -> Vec<String> {
    let text = of.text;
    let single = [
        text.title,
        text.short,
        text.meaning,
        text.trap,
        text.peer,
        text.cause,
        text.usage,
        text.next,
        text.server_next,
    ];
    let lists = text.fix.iter().copied();
    let statements = of.seen().chain(of.notes()).map(|statement| statement.text);
    let all = single.into_iter().chain(lists).chain(statements);
    all.map(str::to_owned)
        .chain(of.on_record())
        .chain([of.browser()])
        .collect()
}

#[test]
fn four_languages_are_complete_and_fifteen_have_labels() {
    assert_eq!(
        complete().map(|locale| locale.tag).collect::<Vec<_>>(),
        ["en", "zh-Hans", "vi", "fr"]
    );
    assert_eq!(Locale::all().len(), 15);
    let rtl: Vec<_> = Locale::all()
        .iter()
        .filter(|locale| locale.rtl)
        .map(|l| l.tag)
        .collect();
    assert_eq!(rtl, ["ar"]);
}

#[test]
fn every_code_has_every_text_in_every_complete_language() {
    for locale in complete() {
        for code in samples() {
            let of = explain(code, locale);
            for text in texts(&of) {
                assert!(!text.is_empty(), "{} {code}", locale.tag);
                assert!(!text.contains(['{', '}']), "{} {code}: {text}", locale.tag);
            }
            assert!(of.seen().count() > 0, "{code}");
            assert!(!of.text.fix.is_empty(), "{code}");
            assert!(of.notes().count() + of.on_record().len() > 0, "{code}");
        }
    }
}

#[test]
fn an_incomplete_language_shows_english() {
    let german = Locale::find("de").unwrap();
    assert!(!german.is_complete());
    assert_eq!(german.text_locale().tag, "en");
    assert_eq!(german.labels.how_to_fix, "Wie man es behebt");
    let of = explain(CloseCode::SERVICE_RESTART, german);
    assert_eq!(of.text.title, "Service Restart");
}

#[test]
fn delays_in_the_text_are_those_of_the_advice() {
    for locale in complete() {
        for (code, delay) in [(1012, "1–5 s"), (1013, "5–20 s"), (3008, "0.25–1 s")] {
            let of = explain(CloseCode::new(code), locale);
            let delay = match locale.tag {
                "fr" => delay
                    .replace('.', ",")
                    .replace(' ', "\u{a0}")
                    .replace('–', "\u{a0}à\u{a0}"),
                "vi" => delay.replace('.', ",").replace('s', "giây"),
                "zh-Hans" => delay.replace('s', "秒"),
                _ => delay.to_owned(),
            };
            let retry = locale.retry(&of.facts.client_advice);
            assert!(retry.contains(&delay), "{} {code}: {retry}", locale.tag);
            assert!(
                of.text.next.contains(&delay),
                "{} {code}: {}",
                locale.tag,
                of.text.next
            );
        }
    }
}

#[test]
fn what_confuses_people_is_said() {
    let trap = |code: u16| explain(CloseCode::new(code), Locale::english()).text.trap;
    assert!(trap(1005).contains("`ws.close()` without arguments"));
    assert!(trap(1006).contains("a failed handshake"));
    assert!(trap(1001).contains("two opposite situations"));
    assert!(trap(1012).contains("wasClean"));
}

#[test]
fn every_statement_has_a_source() {
    for code in samples() {
        let of = explain(code, Locale::english());
        for statement in of.seen().chain(of.notes()) {
            let source = statement.source;
            assert_ne!(
                source.evidence,
                Evidence::Unverified,
                "{code}: {}",
                statement.text
            );
            assert!(!source.place.is_empty(), "{code}: {}", statement.text);
        }
    }
}

#[test]
fn every_cause_of_1006_has_signs_a_check_and_a_fix() {
    for locale in complete() {
        let all: Vec<_> = causes(locale).collect();
        assert_eq!(all.len(), 61);
        for (facts, text) in &all {
            assert!(
                !text.title.is_empty() && !text.confirm.is_empty(),
                "{}",
                facts.id
            );
            assert!(
                !text.evidence.is_empty() && !text.fix.is_empty(),
                "{}",
                facts.id
            );
            assert!(!facts.seen_by.is_empty(), "{}", facts.id);
        }
        for phase in Phase::ALL.iter().copied() {
            assert!(all.iter().any(|(facts, _)| facts.phase == phase));
        }
    }
}

#[test]
fn refusals_on_record_come_from_the_table() {
    let lines = explain(CloseCode::BAD_GATEWAY, Locale::english()).on_record();
    assert_eq!(
        lines,
        [
            "reported as 1006 whatever the code: Hypercorn 0.18.0",
            "not reported to the application, whatever the code: golang.org/x/net/websocket 0.7.0",
            "rejected, and reported as 0: Deno 2.9.6",
            "rejected, and reported as 1002: faye-websocket 0.11.4, libwebsockets 4.1.6, Qt WebSockets 6.11.2, soketto 0.8.1, \
             Tomcat 10.1.60.0, tungstenite 0.30.0, websocket-driver (Ruby) 0.6.3, wsproto 1.3.2",
            "rejected, and reported as 1006: autobahn-python 26.10.2, Daphne 4.2.3, socketify 0.0.31, uWebSockets 2026-08, \
             WebKitGTK 2.50.6",
            "rejected with an error that is not a close code: Boost.Beast 1_74, fastwebsockets 0.10.0, gorilla/websocket 2025-03, \
             lomond 0.3.4, Mono 6.8.0.105, yawc 0.5.0",
        ]
    );
}

#[test]
fn mistakes_come_from_the_table() {
    let mistaken = |real: u16, shown: u16| -> Vec<&str> {
        let (real, shown) = (CloseCode::new(real), CloseCode::new(shown));
        let mut names: Vec<_> = Implementation::current()
            .filter(|one| one.mistakes(real, shown))
            .map(|one| one.name)
            .collect();
        names.dedup();
        names
    };
    let ruby = "websocket-driver (Ruby)";
    assert_eq!(
        mistaken(1005, 1000),
        ["faye-websocket", "Mono", "Qt WebSockets", "Tomcat", ruby]
    );
    assert_eq!(
        mistaken(1012, 1006),
        ["Hypercorn", "socketify", "uWebSockets", "WebKitGTK"]
    );
    let older = [
        "faye-websocket",
        "libwebsockets",
        "Qt WebSockets",
        "Tomcat",
        ruby,
    ];
    assert_eq!(mistaken(1012, 1002), older);
    assert!(mistaken(1007, 1002).contains(&"Chromium"));
    assert_eq!(mistaken(1006, 0), ["Deno"]);
    // Browsers have to show a failed TLS handshake as 1006: that is no mistake.
    assert!(mistaken(1015, 1006).is_empty());
    assert!(mistaken(1000, 1001).is_empty());
}

#[test]
fn products_say_what_a_private_code_means() {
    let uses: Vec<_> = explain(CloseCode::new(4004), Locale::english())
        .uses()
        .map(|product| (product.vendor.name, product.name, product.reconnect))
        .collect();
    assert!(uses.contains(&(
        "Discord Gateway",
        Some("Authentication failed"),
        Some(false)
    )));
    // A rule for the whole band, without a name of its own.
    assert!(uses.contains(&("Pusher Channels", None, Some(false))));
}

#[test]
fn links_lead_to_the_sections_that_define_the_code() {
    let links = explain(CloseCode::ABNORMAL_CLOSURE, Locale::english()).links();
    assert_eq!(
        links,
        [
            "https://www.rfc-editor.org/rfc/rfc6455#section-7.1.5",
            "https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1",
            "https://www.iana.org/assignments/websocket/",
        ]
    );
    for code in samples() {
        let of = explain(code, Locale::english());
        let sections = of.facts.reference.matches('§').count();
        assert_eq!(of.links().len(), sections + 1, "{code}");
    }
}
