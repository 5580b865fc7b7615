//! A peer cannot make an end keep more than its window says.

use std::time::Duration;

use bytes::Bytes;
use revoir_session::{Config, Event, Message, Overflow, SendError, Session};

use crate::pair::Pair;

#[test]
fn control_messages_are_answered_once_while_nothing_is_written() {
    let mut pair = Pair::new();
    let id = pair.server.connection().unwrap();
    for _ in 0..10_000 {
        let ping = Message::Binary(Bytes::from_static(&[4]));
        pair.server.handle_message(pair.now, id, ping);
    }
    let written = std::iter::from_fn(|| pair.server.poll_transmit(pair.now)).count();
    assert_eq!(written, 1, "one PONG");
}

#[test]
fn a_peer_that_acknowledges_nothing_stops_us_at_the_window() {
    let mut pair = Pair::new();
    let mut taken = 0;
    while pair.server.send_text("0123456789".into()).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 1024);
    assert_eq!(pair.server.send_text("x".into()), Err(SendError::Full));
    assert_eq!(pair.server.kept(), (1024, 10_240));
}

#[test]
fn a_client_that_is_away_costs_its_window_and_one_message() {
    let mut config = Config::default();
    config.window.messages = 3;
    config.window.bytes = 10;
    config.overflow = Overflow::DropOldest;
    let mut pair = Pair::with(Config::default(), config);
    pair.cut(None);
    for _ in 0..1000 {
        pair.server.send_text("12345".into()).unwrap();
        let (messages, bytes) = pair.server.kept();
        assert!(messages <= 4 && bytes <= 15, "{messages} {bytes}");
    }
    pair.resume();
    pair.wait(1000);
    assert_eq!(pair.client.received(), 1000, "those that went are counted");
}

/// A server that keeps three messages, and drops the oldest while its client is away.
fn dropping() -> Config {
    let mut config = Config::default();
    config.window.messages = 3;
    config.overflow = Overflow::DropOldest;
    config
}

/// What the client is told, beside its connections: messages by their first letter, gaps, changes, and whether the store is away.
fn told(events: &[Event]) -> Vec<String> {
    let told = events.iter().filter_map(|event| match event {
        Event::Message { message, .. } => Some(format!("{message:?}").chars().skip(7).collect()),
        Event::Gap { count, reason, .. } => Some(format!("{} {count}", reason.id())),
        Event::BackendChanged(change) => Some(format!(
            "changed {} {} {}",
            change.written, change.received, change.maybe_lost
        )),
        Event::Volatile(volatile) => Some(format!("volatile {volatile}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_is_not_the_applications_is_not_dropped_with_its_messages() {
    let mut pair = Pair::with(Config::default(), dropping());
    pair.cut(None);
    let change = revoir_session::BackendChanged {
        written: 2,
        received: 3,
        maybe_lost: 1,
    };
    let mut most = 0;
    for number in 0..1000 {
        pair.server.send_text(format!("{number}").into()).unwrap();
        if number % 10 == 0 {
            pair.server.backend_changed(change).unwrap();
        }
        if number % 7 == 0 {
            pair.server.set_volatile(number % 2 == 0);
        }
        most = most.max(pair.server.kept().0);
    }
    // One of each kind before the messages, and one of each behind a message that is kept.
    assert!(most <= 8, "{most}");
    pair.at_client.clear();
    pair.resume();
    assert_eq!(pair.client.received(), pair.server.sent());
    let told = told(&pair.at_client);
    assert!(told.contains(&"changed 200 300 100".to_owned()), "{told:?}");
    // One around each of both changes at most.
    let gaps = told.iter().filter(|it| it.starts_with("dropped"));
    assert!((1..=3).contains(&gaps.count()), "{told:?}");
}

#[test]
fn a_gap_that_is_a_bound_is_not_taken_for_one_that_is_exact() {
    let mut pair = Pair::with(Config::default(), dropping());
    pair.cut(None);
    let mut snapshot = pair.server.export(pair.now);
    snapshot.reserved = Some(100);
    let successor = Session::import(pair.now, dropping(), snapshot.into_successor());
    pair.server = successor.unwrap();
    pair.server.reserve(u64::MAX / 2);
    for number in 0..10 {
        pair.server.send_text(format!("{number}").into()).unwrap();
    }
    pair.at_client.clear();
    pair.resume();
    let expected = ["owner-lost 100", "dropped 9"];
    assert_eq!(told(&pair.at_client)[..2], expected);
    assert_eq!(pair.client.received(), 110);
}

#[test]
fn a_change_that_the_client_may_know_of_is_not_told_again_with_the_next() {
    let mut pair = Pair::with(Config::default(), dropping());
    let change = |written| revoir_session::BackendChanged {
        written,
        received: 0,
        maybe_lost: 0,
    };
    pair.server.backend_changed(change(1)).unwrap();
    // It is written, and nobody knows whether it came.
    while pair.server.poll_transmit(pair.now).is_some() {}
    pair.cut(None);
    for number in 0..10 {
        pair.server.send_text(format!("{number}").into()).unwrap();
        pair.server.backend_changed(change(10)).unwrap();
    }
    pair.at_client.clear();
    pair.resume();
    let told = told(&pair.at_client);
    let sums: Vec<_> = told.iter().filter(|it| it.starts_with("changed")).collect();
    assert_eq!(sums[0], "changed 1 0 0", "{told:?}");
    let written = sums.iter().map(|it| it.split(' ').nth(1).unwrap());
    let written: u64 = written.map(|it| it.parse::<u64>().unwrap()).sum();
    assert_eq!(written, 101, "{told:?}");
}

#[test]
fn changes_while_the_client_is_away_become_one() {
    let mut pair = Pair::new();
    pair.cut(None);
    for _ in 0..1000 {
        let change = revoir_session::BackendChanged {
            written: 2,
            received: 3,
            maybe_lost: 1,
        };
        pair.server.backend_changed(change).unwrap();
    }
    for _ in 0..1000 {
        pair.server.set_volatile(true);
        pair.server.set_volatile(false);
    }
    assert_eq!(pair.server.kept(), (2, 0));
}

#[test]
fn an_acknowledgement_that_cannot_be_written_does_not_ring_again() {
    let mut pair = Pair::new();
    let id = pair.server.connection().unwrap();
    pair.server.handle_message(pair.now, id, "1".into());
    let due = pair.server.poll_timeout().unwrap();
    pair.server.handle_timeout(due);
    assert!(pair.server.poll_timeout().unwrap() > due);
    let ack = pair.server.poll_transmit(due).unwrap();
    let ack = revoir_session::Outgoing::Message(Message::Binary(vec![3, 1].into())) == ack.outgoing;
    assert!(ack, "it waits");
    pair.server.handle_message(due, id, "2".into());
    assert_eq!(
        pair.server.poll_timeout(),
        Some(due + Duration::from_secs(1))
    );
}

#[test]
fn what_is_not_committed_when_bye_is_written_was_not_taken() {
    let mut config = Config::default();
    config.acks = revoir_session::Acks::OnCommit;
    let mut pair = Pair::with(Config::default(), config);
    for text in ["1", "2", "3"] {
        pair.client.send_text(text.into()).unwrap();
    }
    pair.talk();
    pair.server.commit(pair.now, 1);
    pair.server
        .bye(revoir_session::Bye {
            origin: revoir_session::Origin::Application,
            code: revoir_codes::SendCode::INTERNAL_ERROR,
            reason: String::new(),
        })
        .unwrap();
    pair.talk();
    let back: Vec<_> = pair
        .at_client
        .into_iter()
        .filter_map(|event| match event {
            Event::Returned { key, fate, .. } => Some((key.number, fate.id())),
            _ => None,
        })
        .collect();
    assert_eq!(back, [(2, "not-taken"), (3, "not-taken")]);
}
