//! Whatever comes from either side, with servers that go and come: nothing panics, little is kept,
//! and a client's messages are not kept from a server that is ready.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use revoir_adapters::{OwnedMessage, Protocol};

use crate::relay::Relay;
use crate::socket_io::{OPEN, QUERY};

/// Pieces of what both protocols say.
const PIECES: &[&str] = &[
    OPEN,
    "0{}",
    "1",
    "2",
    "3",
    "40",
    "40/a,",
    r#"40{"sid":"s","pid":"p"}"#,
    r#"40/a,{"sid":"s"}"#,
    "41",
    "41/a,",
    r#"42["x","offset"]"#,
    r#"427["x"]"#,
    "437[]",
    "44{}",
    r#"452-/a,7["x"]"#,
    "461-7[]",
    r#"{"type":"connection_init","payload":{}}"#,
    r#"{"type":"connection_ack"}"#,
    r#"{"type":"connection_error"}"#,
    r#"{"type":"connection_terminate"}"#,
    r#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}"#,
    r#"{"id":"1","type":"start","payload":{"query":"subscription { a }"}}"#,
    r#"{"id":"2","type":"start","payload":{"query":"{ a }","operationName":"b"}}"#,
    r#"{"id":"1","type":"next","payload":{}}"#,
    r#"{"id":"1","type":"complete"}"#,
    r#"{"id":"1","type":"stop"}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"pong"}"#,
    r#"{"type":"ka"}"#,
];

#[derive(Clone, Debug)]
enum Step {
    Client(OwnedMessage),
    Server(OwnedMessage),
    Lose,
    Back,
    Pass(u64),
}

fn message() -> impl Strategy<Value = OwnedMessage> {
    let piece = || prop::sample::select(PIECES);
    let text = prop_oneof![
        8 => piece().prop_map(|piece| piece.as_bytes().to_vec()),
        1 => (piece(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(piece, at, byte)| {
            let mut bytes = piece.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
        1 => (piece(), any::<prop::sample::Index>()).prop_map(|(piece, at)| {
            piece.as_bytes()[..at.index(piece.len())].to_vec()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    (text, prop::bool::weighted(0.1)).prop_map(|(bytes, is_binary)| match is_binary {
        true => OwnedMessage::Binary(bytes),
        false => OwnedMessage::Text(bytes),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => message().prop_map(Step::Client),
        6 => message().prop_map(Step::Server),
        1 => Just(Step::Lose),
        2 => Just(Step::Back),
        1 => (0..100_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(17),
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn nothing_panics_and_little_is_kept(
        protocol in prop::sample::select(&[
            Protocol::SocketIo,
            Protocol::GraphqlTransportWs,
            Protocol::GraphqlWs,
        ][..]),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let query = if protocol == Protocol::SocketIo { QUERY } else { "" };
        let mut relay = Relay::new(protocol, query);
        let mut is_there = true;
        for step in steps {
            match step {
                Step::Client(message) => relay.client(message),
                Step::Server(message) if is_there => relay.server(message),
                Step::Lose if is_there => is_there = relay.lose().is_err(),
                Step::Back if !is_there => {
                    relay.back();
                    is_there = true;
                }
                Step::Pass(seconds) => relay.pass(Duration::from_secs(seconds)),
                Step::Server(_) | Step::Lose | Step::Back => {}
            }
            if relay.ended.is_some() {
                return Ok(());
            }
            prop_assert!(relay.adapter.memory() < 16 * 1024);
            if is_there && relay.adapter.is_ready() {
                prop_assert!(relay.keeps_nothing());
            }
        }
    }
}
