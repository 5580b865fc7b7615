//! Which tests show which cause of an ending: for every one, at a client and at a server, over TCP
//! and TLS where it can occur, and mostly in memory too.
//!
//! Each of the tests has a raw peer that produces the cause, and compares the whole `Ending` and
//! what we sent. Where a side has no test, the reason stands in its place. TLS is one stream among
//! others up to the end of a connection, so a cause differs over it only where it ends
//! (`tls-truncated`) and where it begins (`tls-failed`); names and addresses come before it.

use revoir::Cause;

/// What a side of a cause is shown by.
enum Shown {
    /// Tests of this binary.
    By(&'static [&'static str]),
    /// It cannot occur there: why.
    Not(&'static str),
}

use Shown::{By, Not};

const NO_DRAIN: Shown = Not("a server drains");
const NO_HANDLER: Shown = Not("a server has handlers");
const NO_DIAL: Shown = Not("a client finds and dials addresses");

/// A cause, a client's tests, a server's tests.
const MATRIX: [(Cause, Shown, Shown); Cause::ALL.len()] = [
    (Cause::ClosedByPeer, By(BY_PEER), By(BY_PEER)),
    (Cause::ClosedLocally, By(LOCALLY), By(LOCALLY)),
    (
        Cause::Drained,
        NO_DRAIN,
        By(&["the_ending_of_a_drain_is_whole_over_tcp_and_tls"]),
    ),
    (Cause::Dropped, By(DROPPED), By(DROPPED)),
    (
        Cause::HandlerFailed,
        NO_HANDLER,
        By(&["a_handler_that_fails_sends_1011_over_every_wire"]),
    ),
    (Cause::Eof, By(EOF), By(EOF)),
    (Cause::Reset, By(RESET), By(RESET)),
    (Cause::TlsTruncated, By(TRUNCATED), By(TRUNCATED)),
    (Cause::PongTimeout, By(SILENT), By(SILENT)),
    (Cause::IdleTimeout, By(IDLE), By(IDLE)),
    (Cause::WriteTimeout, By(STUCK), By(STUCK)),
    (Cause::WriteFailed, By(UNWRITABLE), By(UNWRITABLE)),
    (Cause::ProtocolError, By(BROKEN), By(BROKEN)),
    (Cause::InvalidData, By(BROKEN), By(BROKEN)),
    (Cause::MessageTooBig, By(BROKEN), By(BROKEN)),
    (
        Cause::Dns,
        By(&["a_name_that_does_not_resolve_is_dns"]),
        NO_DIAL,
    ),
    (
        Cause::Refused,
        By(&[
            "a_port_without_a_listener_is_refused",
            "every_address_that_was_tried_is_named",
        ]),
        NO_DIAL,
    ),
    (
        Cause::Unreachable,
        By(&["an_address_without_a_route_is_unreachable"]),
        NO_DIAL,
    ),
    (
        Cause::ConnectTimeout,
        By(&["a_host_that_does_not_answer_is_a_connect_timeout"]),
        NO_DIAL,
    ),
    (Cause::TlsFailed, By(UNTRUSTED), By(UNTRUSTED)),
    (Cause::HandshakeRejected, By(AT_CLIENT), By(AT_SERVER)),
    (Cause::HandshakeInvalid, By(AT_CLIENT), By(AT_SERVER)),
    (Cause::HandshakeEof, By(AT_CLIENT), By(AT_SERVER)),
    (Cause::HandshakeReset, By(AT_CLIENT), By(AT_SERVER)),
    (Cause::HandshakeTimeout, By(AT_CLIENT), By(AT_SERVER)),
];

const BY_PEER: &[&str] = &[
    "closed_by_peer_is_answered_with_the_same_code",
    "an_empty_close_frame_is_answered_with_an_empty_one",
];
const LOCALLY: &[&str] = &[
    "closed_locally_and_answered_is_clean",
    "a_close_that_finds_the_end_of_tcp_keeps_its_cause",
    "a_close_that_finds_a_reset_keeps_its_cause",
    "a_close_that_nobody_answers_ends_with_its_budget_over_tcp_and_tls",
];
const DROPPED: &[&str] = &["dropped_handles_close_with_the_code_of_their_side"];
const EOF: &[&str] = &["the_end_of_tcp_says_whether_it_came_inside_a_frame"];
const RESET: &[&str] = &["a_reset_has_its_error_number"];
const TRUNCATED: &[&str] = &["tls_that_ends_without_close_notify_is_not_an_end_of_tcp"];
const SILENT: &[&str] = &[
    "a_silent_peer_gets_a_ping_and_then_3008",
    "a_silent_peer_is_found_over_tcp_and_tls",
];
const IDLE: &[&str] = &[
    "a_connection_without_messages_is_closed_after_the_limit_of_the_application",
    "a_connection_without_messages_is_closed_over_tcp_and_tls",
];
const STUCK: &[&str] = &[
    "a_peer_that_takes_no_bytes_is_given_up",
    "a_peer_that_stops_reading_is_given_up_over_tcp_and_tls",
];
const UNWRITABLE: &[&str] = &[
    "a_write_error_is_told_from_a_read_error",
    "a_write_that_finds_a_reset_is_a_write_error_over_tcp_and_tls",
];
const BROKEN: &[&str] = &["a_broken_rule_is_answered_with_its_code"];
const UNTRUSTED: &[&str] = &["a_certificate_that_nobody_vouches_for_is_tls_failed_at_both_sides"];
const AT_CLIENT: &[&str] = &["a_client_names_what_went_wrong_inside_the_handshake"];
const AT_SERVER: &[&str] = &["a_server_names_what_went_wrong_inside_the_handshake_and_answers_it"];

const SOURCES: [&str; 6] = [
    include_str!("causes.rs"),
    include_str!("drain.rs"),
    include_str!("faults.rs"),
    include_str!("handshake_wires.rs"),
    include_str!("never_opened.rs"),
    include_str!("wires.rs"),
];

#[test]
fn every_cause_has_a_test_at_each_side_where_it_can_occur() {
    for (cause, (listed, client, server)) in Cause::ALL.iter().copied().zip(&MATRIX) {
        assert_eq!(cause, *listed);
        for shown in [client, server] {
            match shown {
                By(tests) => {
                    for test in *tests {
                        let line = format!("async fn {test}()");
                        let found = SOURCES.iter().any(|source| source.contains(&line));
                        assert!(found, "{} names {test}", cause.id());
                    }
                }
                Not(why) => assert!(!why.is_empty()),
            }
        }
    }
}
