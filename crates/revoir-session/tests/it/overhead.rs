//! What a session costs on the wire and in memory: the figures of `docs/session.md`.

use std::time::Duration;

use revoir_session::{Message, Outgoing};

use crate::pair::{Pair, on_the_wire};

/// Bytes of acknowledgements for each message of the other end, at so many messages a second for a minute.
fn acks_per_message(per_second: u64, from_client: bool) -> f64 {
    let mut pair = Pair::new();
    let count = per_second * 60;
    for _ in 0..count {
        let end = match from_client {
            true => &mut pair.server,
            false => &mut pair.client,
        };
        end.send_text("x".into()).unwrap();
        pair.wait(1000 / per_second);
    }
    let (acks, masked) = match from_client {
        true => (&pair.up, true),
        false => (&pair.down, false),
    };
    let is_ack = |transmit: &&revoir_session::Transmit| match &transmit.outgoing {
        Outgoing::Message(Message::Binary(bytes)) => bytes.first() == Some(&3),
        _ => false,
    };
    let acks: Vec<_> = acks.iter().filter(is_ack).cloned().collect();
    on_the_wire(&acks, masked) as f64 / count as f64
}

#[test]
fn acknowledgements_cost_a_fifth_of_a_byte_at_100_messages_a_second() {
    for (rate, browser, server) in [
        (1, 8.0, 4.0),
        (10, 0.8, 0.4),
        (100, 0.15, 0.09),
        (1000, 0.15, 0.09),
    ] {
        let (up, down) = (acks_per_message(rate, true), acks_per_message(rate, false));
        println!(
            "{rate} messages a second: {up:.3} bytes each from a browser, {down:.3} from a server"
        );
        assert!(up <= browser, "{rate}: {up}");
        assert!(down <= server, "{rate}: {down}");
    }
}

#[test]
fn a_text_message_costs_nothing_and_a_binary_one_a_byte() {
    let mut pair = Pair::new();
    pair.up.clear();
    pair.client.send_text("hello".into()).unwrap();
    pair.client.send_binary(b"hello").unwrap();
    pair.talk();
    let sizes: Vec<usize> = pair
        .up
        .iter()
        .map(|it| on_the_wire(std::slice::from_ref(it), false) - 2)
        .collect();
    assert_eq!(sizes, [5, 6]);
}

#[test]
fn ten_thousand_messages_are_replayed_in_one_go() {
    let mut config = revoir_session::Config::default();
    config.window.messages = 10_000;
    config.window.bytes = 10_000 * 256;
    let mut pair = Pair::with(config.clone(), config);
    pair.cut(None);
    for _ in 0..10_000 {
        pair.server.send_binary(&[7; 256]).unwrap();
    }
    assert_eq!(pair.server.kept(), (10_000, 10_000 * 256));
    pair.down.clear();
    pair.resume();
    assert_eq!(pair.server.kept(), (0, 0));
    assert_eq!(pair.client.received(), 10_000);
}

#[test]
fn a_session_is_small() {
    // Beside the messages that it keeps.
    let size = size_of::<revoir_session::Session>();
    println!("{size} bytes");
    assert!(size <= 1024, "{size}");
    let pair = Pair::new();
    let record = pair.server.export(Duration::ZERO).encode();
    println!("{} bytes in a store", record.len());
    assert!(record.len() <= 128, "{}", record.len());
}
