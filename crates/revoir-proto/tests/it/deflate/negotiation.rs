use proptest::prelude::*;
use revoir_proto::Role;
use revoir_proto::extension::deflate::{
    Agreed, DeflateConfig, DeflateError, Direction, WindowBits,
};
use revoir_proto::extension::{AgreedExtensions, Extension, ExtensionError, Extensions};

use super::direction;

fn config(send: Direction, receive: Direction) -> DeflateConfig {
    DeflateConfig {
        send,
        receive,
        ..DeflateConfig::default()
    }
}

fn list(line: &str) -> Vec<Extension> {
    Extension::parse_lines([line.as_bytes()]).unwrap()
}

/// The server's answer to a header line.
fn answer(config: DeflateConfig, offers: &str) -> Option<String> {
    let (_, answer) = config.accept(&list(offers))?;
    Some(answer.to_string())
}

fn check(config: DeflateConfig, answer: &str) -> Result<Agreed, DeflateError> {
    config.check(&list(answer)[0])
}

#[test]
fn client_offers_what_differs_from_the_defaults() {
    let offer = |send, receive| config(send, receive).offer().to_string();
    assert_eq!(
        offer(direction(true, 15), direction(true, 15)),
        "permessage-deflate; client_max_window_bits"
    );
    assert_eq!(
        offer(direction(false, 10), direction(false, 9)),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=9; client_max_window_bits=10"
    );
}

#[test]
fn server_answers_as_the_examples_of_rfc_7692_section_7_1() {
    let defaults = DeflateConfig::default();
    for (offers, expected) in [
        ("permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10",
            Some("permessage-deflate; server_max_window_bits=10"),
        ),
        (
            "permessage-deflate; client_max_window_bits=\"12\"",
            Some("permessage-deflate; client_max_window_bits=12"),
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        ("x-webkit-deflate-frame", None),
        ("", None),
    ] {
        assert_eq!(answer(defaults, offers).as_deref(), expected, "{offers}");
    }
}

#[test]
fn server_adds_its_own_wishes_where_it_may() {
    let small = config(direction(false, 10), direction(false, 11));
    assert_eq!(
        answer(small, "permessage-deflate").as_deref(),
        Some(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10"
        )
    );
    assert_eq!(
        answer(
            small,
            "permessage-deflate; client_max_window_bits; server_max_window_bits=15"
        )
        .as_deref(),
        Some(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10; client_max_window_bits=11"
        )
    );
}

#[test]
fn server_declines_eight_bits_and_takes_the_next_offer() {
    let defaults = DeflateConfig::default();
    let eight = "permessage-deflate; server_max_window_bits=8";
    assert_eq!(answer(defaults, eight), None);
    assert_eq!(
        answer(
            defaults,
            &format!("{eight}, foo, permessage-deflate; server_max_window_bits=9")
        )
        .as_deref(),
        Some("permessage-deflate; server_max_window_bits=9")
    );
}

#[test]
fn server_takes_a_hint_of_eight_bits_without_answering_it() {
    for receive in [15, 10] {
        let config = config(direction(true, 15), direction(true, receive));
        let offers = list("permessage-deflate; client_max_window_bits=8");
        let (agreed, answer) = config.accept(&offers).unwrap();
        assert_eq!(answer.to_string(), "permessage-deflate");
        assert_eq!(agreed.client_max_window_bits, 8);
        assert_eq!(
            agreed.receive(Role::Server).max_window_bits,
            WindowBits::MIN
        );
    }
}

#[test]
fn server_passes_over_offers_that_break_a_rule() {
    for broken in [
        "permessage-deflate; foo",
        "permessage-deflate; foo=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=1000000000000000000000",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; Server_No_Context_Takeover",
    ] {
        let defaults = DeflateConfig::default();
        assert_eq!(answer(defaults, broken), None, "{broken}");
        assert_eq!(
            answer(defaults, &format!("{broken}, permessage-deflate")).as_deref(),
            Some("permessage-deflate"),
            "{broken}"
        );
        let answered = check(defaults, broken);
        assert!(answered.is_err(), "{broken}");
    }
}

#[test]
fn client_takes_answers_that_agree_with_its_offer() {
    let defaults = DeflateConfig::default();
    let agreed = check(defaults, "permessage-deflate").unwrap();
    assert_eq!(agreed.send(Role::Client), direction(true, 15));
    assert_eq!(agreed.receive(Role::Client), direction(true, 15));

    let agreed = check(
        defaults,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=8; client_max_window_bits=9",
    )
    .unwrap();
    assert_eq!(agreed.server_max_window_bits, 8);
    assert_eq!(agreed.send(Role::Client), direction(false, 9));
    assert_eq!(agreed.receive(Role::Client), direction(false, 9));
    assert_eq!(agreed.send(Role::Server), direction(false, 9));
}

#[test]
fn what_was_agreed_is_written_as_the_answer_was() {
    let wide = config(direction(true, 15), direction(true, 15));
    for line in [
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
    ] {
        assert_eq!(check(wide, line).unwrap().to_string(), line);
    }
    assert_eq!(AgreedExtensions::default().to_string(), "");
}

#[test]
fn client_keeps_its_own_smaller_window_and_its_own_reset() {
    let config = config(direction(false, 10), direction(true, 15));
    let agreed = check(config, "permessage-deflate; client_max_window_bits=12").unwrap();
    assert_eq!(agreed.send(Role::Client), direction(false, 10));
}

#[test]
fn client_fails_an_answer_that_does_not_agree_with_its_offer() {
    let strict = config(direction(true, 15), direction(false, 10));
    for (config, answer, expected, section) in [
        (
            strict,
            "permessage-deflate; server_max_window_bits=10",
            DeflateError::NotAnswered {
                name: "server_no_context_takeover",
            },
            "RFC 7692 section 7.1.1.1",
        ),
        (
            strict,
            "permessage-deflate; server_no_context_takeover",
            DeflateError::NotAnswered {
                name: "server_max_window_bits",
            },
            "RFC 7692 section 7.1.2.1",
        ),
        (
            strict,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11",
            DeflateError::WindowTooLarge {
                name: "server_max_window_bits",
                got: 11,
                offered: 10,
            },
            "RFC 7692 section 7.1.2.1",
        ),
        (
            DeflateConfig::default(),
            "permessage-deflate; client_max_window_bits=8",
            DeflateError::UnsupportedWindow {
                name: "client_max_window_bits",
            },
            "RFC 7692 section 7.1.2.2",
        ),
        (
            DeflateConfig::default(),
            "permessage-deflate; client_max_window_bits",
            DeflateError::MissingValue {
                name: "client_max_window_bits",
            },
            "RFC 7692 section 7.1.2.2",
        ),
    ] {
        let error = check(config, answer).unwrap_err();
        assert_eq!((&error, error.section()), (&expected, section), "{answer}");
    }
}

#[test]
fn client_fails_extensions_it_did_not_offer_or_that_are_accepted_twice() {
    let none = Extensions::default();
    let deflate = Extensions::client_default();
    let not_offered = |name: &str| {
        Err(ExtensionError::NotOffered {
            name: name.to_owned(),
        })
    };
    assert_eq!(
        none.check(&list("permessage-deflate")),
        not_offered("permessage-deflate")
    );
    assert_eq!(
        deflate.check(&list("permessage-deflate, foo")),
        not_offered("foo")
    );
    assert_eq!(
        deflate.check(&list("permessage-deflate, permessage-deflate")),
        Err(ExtensionError::Duplicate {
            name: "permessage-deflate".to_owned()
        })
    );
    assert!(deflate.check(&[]).unwrap().deflate.is_none());
}

fn any_direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), 9_u8..=15).prop_map(|(takeover, bits)| direction(takeover, bits))
}

proptest! {
    #[test]
    fn both_ends_always_agree_and_nobody_gets_more_than_it_wants(
        client in (any_direction(), any_direction()),
        server in (any_direction(), any_direction()),
    ) {
        let client = config(client.0, client.1);
        let server = config(server.0, server.1);
        let (at_server, answer) = server.accept(&[client.offer()]).unwrap();
        let at_client = client.check(&answer).unwrap();
        prop_assert_eq!(at_client, at_server);
        let down = at_client.receive(Role::Client);
        let up = at_client.send(Role::Client);
        prop_assert_eq!(down, at_server.send(Role::Server));
        prop_assert_eq!(up, at_server.receive(Role::Server));
        for (agreed, sender, receiver) in [
            (down, server.send, client.receive),
            (up, client.send, server.receive),
        ] {
            let bits = sender.max_window_bits.min(receiver.max_window_bits);
            prop_assert_eq!(agreed.max_window_bits, bits);
            let takeover = sender.context_takeover && receiver.context_takeover;
            prop_assert_eq!(agreed.context_takeover, takeover);
        }
    }

    #[test]
    fn header_parser_never_panics_and_reads_what_it_wrote(line in proptest::collection::vec(
        prop_oneof![any::<u8>(), proptest::sample::select(b"a;,=\" \\1\t".to_vec())], 0..60,
    )) {
        if let Ok(extensions) = Extension::parse_lines([line.as_slice()]) {
            let written = Extension::write_list(&extensions);
            prop_assert_eq!(Extension::parse_lines([written.as_bytes()]), Ok(extensions));
        }
    }
}
