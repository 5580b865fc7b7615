//! GraphQL's rules, one by one.

use std::time::Duration;

use revoir_adapters::Protocol;
use revoir_codes::CloseCode;

use crate::relay::Relay;

const INIT: &str = r#"{"type":"connection_init","payload":{"token":"t"}}"#;
const ACK: &str = r#"{"type":"connection_ack"}"#;
const BOTH: [Protocol; 2] = [Protocol::GraphqlTransportWs, Protocol::GraphqlWs];

const SECOND: Duration = Duration::from_secs(1);

/// The message that begins an operation.
pub(crate) fn start(protocol: Protocol, id: &str, document: &str) -> String {
    let kind = match protocol {
        Protocol::GraphqlTransportWs => "subscribe",
        _ => "start",
    };
    format!(r#"{{"id":"{id}","type":"{kind}","payload":{{"query":"{document}"}}}}"#)
}

/// The message by which a client ends one.
pub(crate) fn stop(protocol: Protocol, id: &str) -> String {
    let kind = match protocol {
        Protocol::GraphqlTransportWs => "complete",
        _ => "stop",
    };
    format!(r#"{{"id":"{id}","type":"{kind}"}}"#)
}

/// A connection whose hello is over.
fn connected(protocol: Protocol) -> Relay {
    let mut relay = Relay::new(protocol, "");
    assert_eq!(relay.unholdable(), Some("the hello is not over"));
    relay.client_says(INIT);
    assert_eq!(relay.unholdable(), Some("the hello is not over"));
    relay.server_says(ACK);
    assert_eq!(relay.unholdable(), None);
    assert_eq!(relay.server_gets(), [INIT]);
    assert_eq!(relay.client_gets(), [ACK]);
    relay
}

fn returned(relay: &mut Relay) {
    relay.lose().unwrap();
    relay.back();
    relay.server_says(ACK);
    assert!(relay.adapter.is_ready());
}

#[test]
fn the_hello_and_open_subscriptions_are_said_again() {
    for protocol in BOTH {
        let mut relay = connected(protocol);
        let news = start(protocol, "1", "subscription { news }");
        let old = start(protocol, "2", "subscription { old }");
        let over = start(protocol, "3", "subscription { over }");
        let wrong = start(protocol, "4", "subscription { wrong }");
        let again = start(protocol, "2", "subscription { again }");
        for said in [&news, &old, &over, &wrong, &stop(protocol, "2"), &again] {
            relay.client_says(said);
        }
        relay.server_says(r#"{"id":"3","type":"complete"}"#);
        relay.server_says(r#"{"id":"4","type":"error","payload":[]}"#);
        relay.server_gets();
        relay.client_gets();
        relay.lose().unwrap();
        let meanwhile = start(protocol, "5", "{ query }");
        relay.client_says(&meanwhile);
        relay.back();
        assert_eq!(relay.server_gets(), [INIT]);
        relay.server_says(ACK);
        assert!(relay.client_gets().is_empty(), "the client has had one");
        assert_eq!(relay.server_gets(), [news, again, meanwhile]);
    }
}

#[test]
fn an_open_query_or_mutation_forbids_to_hold() {
    for protocol in BOTH {
        for document in ["{ a }", "mutation { a }", "no document"] {
            let mut relay = connected(protocol);
            relay.client_says(&start(protocol, "1", "subscription { news }"));
            relay.client_says(&start(protocol, "2", document));
            assert_eq!(relay.unholdable(), Some("a query or a mutation is open"));
            relay.server_says(r#"{"id":"1","type":"complete"}"#);
            assert!(relay.unholdable().is_some());
            relay.server_says(r#"{"id":"2","type":"complete"}"#);
            assert_eq!(relay.unholdable(), None);
        }
    }
}

#[test]
fn what_the_client_ends_while_away_does_not_begin_again() {
    for protocol in BOTH {
        let mut relay = connected(protocol);
        relay.client_says(&start(protocol, "1", "subscription { a }"));
        relay.lose().unwrap();
        relay.client_says(&stop(protocol, "1"));
        let again = start(protocol, "1", "subscription { b }");
        relay.client_says(&again);
        relay.client_says(&stop(protocol, "1"));
        relay.back();
        relay.server_says(ACK);
        assert_eq!(relay.server_gets(), [INIT, &again, &stop(protocol, "1")]);
        returned(&mut relay);
        assert_eq!(relay.server_gets(), [INIT]);
    }
}

#[test]
fn an_operation_that_begins_under_an_open_id_takes_its_place() {
    let protocol = Protocol::GraphqlWs;
    let mut relay = connected(protocol);
    let second = start(protocol, "1", "subscription { b }");
    relay.client_says(&start(protocol, "1", "subscription { a }"));
    relay.client_says(&second);
    relay.server_gets();
    returned(&mut relay);
    assert_eq!(relay.server_gets(), [INIT, &second]);
}

#[test]
fn an_operation_that_takes_a_place_and_ends_while_away_is_over() {
    let protocol = Protocol::GraphqlWs;
    let mut relay = connected(protocol);
    relay.client_says(&start(protocol, "1", "subscription { a }"));
    relay.server_gets();
    relay.lose().unwrap();
    let second = start(protocol, "1", "subscription { b }");
    relay.client_says(&second);
    relay.client_says(&stop(protocol, "1"));
    relay.back();
    relay.server_says(ACK);
    assert_eq!(relay.server_gets(), [INIT, &second, &stop(protocol, "1")]);
    returned(&mut relay);
    assert_eq!(relay.server_gets(), [INIT]);
}

#[test]
fn a_refusal_of_what_is_said_again_ends_the_connection() {
    let mut relay = connected(Protocol::GraphqlWs);
    relay.lose().unwrap();
    relay.back();
    relay.server_says(r#"{"type":"connection_error","payload":{}}"#);
    assert!(relay.ended.is_some());
    assert!(relay.client_gets().is_empty());
}

#[test]
fn results_before_the_hello_is_over_and_other_words_end_the_replay() {
    for protocol in BOTH {
        for answer in ["hello", INIT, r#"{"type":"connection_terminate"}"#] {
            let mut relay = connected(protocol);
            relay.lose().unwrap();
            relay.back();
            relay.server_says(answer);
            assert!(relay.ended.is_some(), "{answer}");
        }
    }
}

#[test]
fn pings_are_answered_for_whoever_is_away() {
    let (ping, pong) = (r#"{"type":"ping"}"#, r#"{"type":"pong"}"#);
    let mut relay = connected(Protocol::GraphqlTransportWs);
    relay.client_says(ping);
    relay.server_says(ping);
    relay.client_gets();
    relay.lose().unwrap();
    assert_eq!(relay.client_gets(), [pong], "for the ping on its way");
    relay.client_says(pong);
    relay.client_says(ping);
    assert_eq!(relay.client_gets(), [pong]);
    relay.back();
    relay.server_gets();
    relay.server_says(ping);
    assert_eq!(relay.server_gets(), [pong], "the client cannot answer yet");
    relay.client_says(ping);
    assert_eq!(relay.client_gets(), [pong]);
    relay.server_says(ACK);
    assert!(relay.server_gets().is_empty());
    relay.client_says(ping);
    relay.server_says(pong);
    relay.server_says(ping);
    relay.client_says(pong);
    assert_eq!(relay.client_gets(), [pong, ping]);
    assert_eq!(relay.server_gets(), [ping, pong]);
    returned(&mut relay);
    assert!(relay.client_gets().is_empty(), "every ping was answered");
}

const KEEP_ALIVE: &str = r#"{"type":"ka"}"#;

/// A connection whose server has sent two heartbeats, the last just now.
fn kept_alive(interval: Duration) -> Relay {
    let mut relay = connected(Protocol::GraphqlWs);
    relay.server_says(KEEP_ALIVE);
    relay.pass(interval);
    relay.server_says(KEEP_ALIVE);
    relay.client_gets();
    relay
}

#[test]
fn keep_alives_go_on_at_their_pace() {
    let mut relay = connected(Protocol::GraphqlWs);
    relay.lose().unwrap();
    relay.pass(SECOND * 60);
    assert!(relay.client_gets().is_empty(), "the client has had none");
    let mut relay = kept_alive(SECOND * 10);
    relay.lose().unwrap();
    relay.pass(SECOND * 25);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 2]);
    relay.back();
    relay.pass(SECOND * 10);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE], "not ready yet");
    relay.server_says(ACK);
    // The next server has a pace of its own, which counts from its first one.
    relay.server_says(KEEP_ALIVE);
    relay.pass(SECOND * 12);
    relay.server_says(KEEP_ALIVE);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 2]);
    relay.pass(SECOND * 5);
    relay.lose().unwrap();
    relay.pass(SECOND * 7);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE], "12 s after the last");
}

#[test]
fn a_gap_between_two_servers_is_no_pace() {
    let mut relay = kept_alive(SECOND * 10);
    relay.lose().unwrap();
    relay.pass(SECOND * 3);
    relay.back();
    relay.server_says(ACK);
    relay.server_says(KEEP_ALIVE);
    relay.client_gets();
    relay.lose().unwrap();
    relay.pass(SECOND * 9);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE]);
}

#[test]
fn a_server_whose_keep_alive_is_late_is_stood_in_for_a_minute() {
    let mut relay = kept_alive(SECOND * 10);
    relay.pass(SECOND * 14);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE], "after 15 s");
    relay.pass(SECOND * 50);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 5], "after 65 s");
    relay.pass(SECOND * 100);
    assert!(
        relay.client_gets().is_empty(),
        "the client is to find out that nobody is there"
    );
    assert_eq!(relay.adapter.poll_timeout(), None);
    // The server goes on, and is frozen again.
    relay.server_says(KEEP_ALIVE);
    relay.pass(SECOND * 65);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 7]);
}

#[test]
fn a_server_that_sent_one_keep_alive_is_stood_in_for_before_clients_give_up() {
    let mut relay = connected(Protocol::GraphqlWs);
    relay.server_says(KEEP_ALIVE);
    relay.client_gets();
    relay.pass(SECOND * 19);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE], "after 20 s");
    relay.pass(SECOND * 5);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE]);
    // Its pace was only slow.
    relay.server_says(KEEP_ALIVE);
    relay.client_gets();
    relay.pass(SECOND * 26);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(
        relay.client_gets(),
        [KEEP_ALIVE],
        "after 27 s, before clients give up"
    );
}

#[test]
fn the_next_server_has_a_minute_of_its_own() {
    let mut relay = kept_alive(SECOND * 10);
    relay.lose().unwrap();
    relay.pass(SECOND * 60);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 6]);
    relay.back();
    relay.server_says(ACK);
    // It is frozen before it has sent any.
    relay.pass(SECOND * 60);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 5]);
}

#[test]
fn a_burst_of_keep_alives_is_no_busy_loop() {
    let mut relay = kept_alive(Duration::ZERO);
    relay.lose().unwrap();
    relay.pass(SECOND * 5);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 5]);
}

#[test]
fn a_burst_of_keep_alives_is_no_pace() {
    let mut relay = kept_alive(SECOND * 10);
    // What was to come after 10 s comes after 20, beside the next.
    relay.pass(SECOND * 20);
    relay.server_says(KEEP_ALIVE);
    relay.server_says(KEEP_ALIVE);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 3], "one stood in");
    for _ in 0..6 {
        relay.pass(SECOND * 10);
        relay.server_says(KEEP_ALIVE);
        assert_eq!(relay.client_gets(), [KEEP_ALIVE]);
    }
    relay.lose().unwrap();
    relay.pass(SECOND * 30);
    assert_eq!(
        relay.client_gets(),
        [KEEP_ALIVE; 3],
        "every 10 s, as before"
    );
}

#[test]
fn a_slower_pace_of_the_next_server_is_learnt() {
    let mut relay = kept_alive(SECOND * 10);
    relay.lose().unwrap();
    relay.back();
    relay.server_says(ACK);
    relay.server_says(KEEP_ALIVE);
    relay.pass(SECOND * 24);
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 2], "one was late");
    relay.server_says(KEEP_ALIVE);
    for _ in 0..6 {
        relay.pass(SECOND * 24);
        relay.server_says(KEEP_ALIVE);
    }
    assert_eq!(relay.client_gets(), [KEEP_ALIVE; 7]);
}

#[test]
fn who_only_passes_on_does_not_stand_in() {
    let mut relay = kept_alive(SECOND * 10);
    relay.client_says(r#"{"type":"connection_terminate"}"#);
    assert_eq!(relay.adapter.poll_timeout(), None);
}

#[test]
fn only_a_servers_own_codes_mean_this_client() {
    for protocol in BOTH {
        let relay = connected(protocol);
        for (code, expected) in [
            (1001, true),
            (1012, true),
            (1013, true),
            (1000, false),
            (1005, false),
            (1011, false),
            (4400, false),
            (4403, false),
            (4500, false),
        ] {
            let code = CloseCode::new(code);
            assert_eq!(relay.adapter.is_restart(code, b""), expected, "{code}");
        }
    }
}

#[test]
fn what_leaves_is_too_long_or_too_much_is_not_held() {
    let mut relay = connected(Protocol::GraphqlWs);
    relay.client_says(r#"{"type":"connection_terminate"}"#);
    assert!(relay.adapter.holdable().unwrap_err().is_final());
    for protocol in BOTH {
        let mut relay = connected(protocol);
        let fields = "a ".repeat(5_000);
        for id in 0..8 {
            let document = format!("subscription {{ {fields} }}");
            relay.client_says(&start(protocol, &id.to_string(), &document));
        }
        assert_eq!(relay.unholdable(), Some("the hello is longer than 64 KiB"));
        assert!(relay.adapter.memory() < 70 * 1024);
        relay.client_says(&stop(protocol, "7"));
        relay.client_says(&stop(protocol, "6"));
        assert_eq!(relay.unholdable(), None);
        for id in 0..1100 {
            relay.client_says(&start(protocol, &format!("q{id}"), "{ a }"));
        }
        assert_eq!(relay.unholdable(), Some("too much is open"));
        assert!(relay.adapter.holdable().unwrap_err().is_final());
    }
}

#[test]
fn what_nobody_can_bound_is_not_written_down() {
    for protocol in BOTH {
        let mut relay = connected(protocol);
        relay.client_says(&start(protocol, &"i".repeat(2000), "{ a }"));
        assert_eq!(relay.unholdable(), Some("too much is open"));
        let mut relay = Relay::new(protocol, "");
        let token = "t".repeat(70_000);
        relay.client_says(&format!(
            r#"{{"type":"connection_init","payload":"{token}"}}"#
        ));
        assert!(relay.adapter.holdable().unwrap_err().is_final());
        assert!(relay.adapter.memory() < 1024);
    }
}

#[test]
fn another_protocol_passes_unlooked_at() {
    for protocol in BOTH {
        for first in ["hello", ACK, r#"{"type":"hello"}"#] {
            let mut relay = Relay::new(protocol, "");
            relay.client_says(first);
            assert!(relay.adapter.holdable().unwrap_err().is_final(), "{first}");
            relay.server_says("anything");
            relay.client_says("anything");
            assert_eq!(relay.client_gets(), ["anything"]);
            assert_eq!(relay.server_gets(), [first, "anything"]);
        }
        let mut relay = Relay::new(protocol, "");
        relay.server_says(ACK);
        assert!(relay.adapter.holdable().unwrap_err().is_final(), "unasked");
        let mut relay = connected(protocol);
        relay.client_says(INIT);
        assert!(relay.adapter.holdable().unwrap_err().is_final(), "twice");
    }
}

const DOUBTFUL: Option<&str> = Some("nobody knows which operation under an identifier is over");

/// Neither protocol tells which operation under an identifier an end means.
#[test]
fn an_end_under_an_identifier_that_was_used_again_leaves_it_open_what_runs() {
    for protocol in BOTH {
        let begin = |document: &str| start(protocol, "1", document);
        let over = r#"{"id":"1","type":"error","payload":[]}"#;
        for is_stopped in [false, true] {
            let mut relay = connected(protocol);
            relay.client_says(&begin("no document"));
            if is_stopped {
                relay.client_says(&stop(protocol, "1"));
            }
            let second = begin("subscription { b }");
            relay.client_says(&second);
            assert_eq!(relay.unholdable(), None, "the client has it open");
            relay.server_says(over);
            assert_eq!(relay.unholdable(), DOUBTFUL);
            // The second end is its own.
            relay.server_says(over);
            assert_eq!(relay.unholdable(), None);
            relay.server_gets();
            returned(&mut relay);
            assert_eq!(relay.server_gets(), [INIT]);
        }
        // Two ends may be those of the first two of three.
        let mut relay = connected(protocol);
        for document in ["no document", "{ a }", "subscription { b }"] {
            relay.client_says(&begin(document));
        }
        for _ in 0..2 {
            relay.server_says(over);
            assert_eq!(relay.unholdable(), DOUBTFUL);
        }
        // What the client ends, or begins anew, is known again.
        let mut relay = connected(protocol);
        for document in ["subscription { a }", "subscription { b }"] {
            relay.client_says(&begin(document));
        }
        relay.server_says(over);
        assert_eq!(relay.unholdable(), DOUBTFUL);
        relay.client_says(&stop(protocol, "1"));
        assert_eq!(relay.unholdable(), None);
        let third = begin("subscription { c }");
        relay.client_says(&third);
        relay.server_gets();
        returned(&mut relay);
        assert_eq!(relay.server_gets(), [INIT, &third]);
    }
}

#[test]
fn ends_of_a_server_that_is_gone_mean_nothing_that_runs_now() {
    for protocol in BOTH {
        let over = r#"{"id":"1","type":"complete"}"#;
        let begin = |document: &str| start(protocol, "1", document);
        let mut relay = connected(protocol);
        // It has ended this one, after its client had.
        relay.client_says(&begin("subscription { a }"));
        relay.client_says(&stop(protocol, "1"));
        relay.server_says(over);
        relay.client_says(&begin("subscription { b }"));
        relay.server_says(over);
        assert_eq!(relay.unholdable(), None);
        // And this one may have ended.
        for document in ["subscription { c }", "subscription { d }"] {
            relay.client_says(&begin(document));
        }
        relay.client_says(&start(protocol, "2", "subscription { e }"));
        relay.client_says(&stop(protocol, "2"));
        returned(&mut relay);
        let again = start(protocol, "2", "subscription { f }");
        relay.client_says(&again);
        for id in ["1", "2"] {
            relay.server_says(&format!(r#"{{"id":"{id}","type":"complete"}}"#));
            assert_eq!(relay.unholdable(), None);
        }
        relay.server_gets();
        returned(&mut relay);
        assert_eq!(relay.server_gets(), [INIT]);
    }
}
