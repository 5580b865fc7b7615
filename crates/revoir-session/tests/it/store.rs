//! A server whose acknowledgements wait for a store.

use std::time::Duration;

use bytes::Bytes;
use revoir_codes::SendCode;
use revoir_session::{
    Acks, Bye, Config, Ended, Event, Judgement, Message, Origin, Outgoing, Session, Transmit,
    Verdict, Violation, judge,
};

use crate::pair::{EPOCH, ID, OWNER, Pair, claims, first, grant, new};

fn stored() -> Pair {
    let mut config = Config::default();
    config.acks = Acks::OnCommit;
    let mut pair = Pair::with(Config::default(), config);
    for text in ["1", "2", "3"] {
        pair.client.send_text(text.into()).unwrap();
    }
    pair.talk();
    pair
}

fn messages(events: &[Event]) -> usize {
    let is_message = |event: &&Event| matches!(event, Event::Message { .. });
    events.iter().filter(is_message).count()
}

#[test]
fn what_comes_again_is_not_handed_over_again() {
    let mut pair = stored();
    pair.server.commit(pair.now, 1);
    pair.cut(None);
    pair.up.clear();
    pair.resume();
    assert_eq!(pair.up.len(), 2, "the two that the store does not have");
    assert_eq!(messages(&pair.at_server), 3, "each once");
    assert_eq!(pair.server.received(), 3);
    pair.server.commit(pair.now, 3);
    pair.wait(1000);
    assert_eq!(pair.client.kept().0, 0);
}

#[test]
fn what_comes_again_is_acknowledged_once_it_came() {
    let mut pair = stored();
    pair.cut(None);
    pair.client.connect(pair.now, None, None).unwrap();
    let hello = first(&mut pair.client);
    let claims = claims(&hello.resume.as_ref().unwrap().token);
    let judgement = judge(&hello, Some(&claims), &OWNER, &EPOCH, Some(&pair.server));
    assert_eq!(judgement, Judgement::Resume);
    let grant = grant(pair.server.next_generation());
    pair.server.resume(pair.now, &hello, &claims, grant);
    // The store has them now, but on this connection the client has sent nothing yet.
    pair.server.commit(pair.now, 3);
    pair.now += revoir_session::ACK_DELAY;
    let written = std::iter::from_fn(|| pair.server.poll_transmit(pair.now));
    let written: Vec<Transmit> = written.collect();
    let [welcome] = &written[..] else {
        panic!("WELCOME, and no ACK: {written:?}");
    };
    let Outgoing::Message(welcome) = welcome.outgoing.clone() else {
        panic!("{welcome:?}");
    };
    let id = pair.client.connection().unwrap();
    pair.client.handle_message(pair.now, id, welcome);
    pair.talk();
    pair.wait(1000);
    assert_eq!(pair.client.kept().0, 0);
    assert_eq!(pair.client.ended(), None);
}

#[test]
fn what_was_not_written_cannot_be_acknowledged() {
    let mut pair = Pair::new();
    pair.server.send_text("waits".into()).unwrap();
    let id = pair.server.connection().unwrap();
    let ack = Message::Binary(Bytes::from_static(&[3, 1]));
    pair.server.handle_message(pair.now, id, ack);
    let broken = Ended::Violation(Violation::AckBeyondSent);
    assert_eq!(pair.server.ended(), Some(&broken));
}

#[test]
fn nothing_is_written_before_the_store_has_it() {
    let mut pair = stored();
    pair.server.hold_behind(Some(1));
    for text in ["1", "2", "3"] {
        pair.server.send_text(text.into()).unwrap();
    }
    pair.talk();
    assert_eq!(messages(&pair.at_client), 1);
    // What was written and not acknowledged is written again, and no more.
    pair.cut(None);
    pair.resume();
    assert_eq!(messages(&pair.at_client), 1);
    pair.server.hold_behind(Some(2));
    pair.talk();
    assert_eq!(messages(&pair.at_client), 2);
    pair.server.hold_behind(None);
    pair.talk();
    assert_eq!(messages(&pair.at_client), 3);
}

#[test]
fn goodbye_waits_for_the_store_and_says_what_was_taken() {
    let mut pair = stored();
    let number = pair.server.sent();
    pair.server.hold_behind(Some(number));
    pair.server.bye(goodbye()).unwrap();
    pair.talk();
    assert_eq!(pair.client.ended(), None);
    assert_eq!(pair.client.kept().0, 3, "nothing is acknowledged yet");
    pair.server.commit(pair.now, 2);
    pair.server.hold_behind(None);
    pair.talk();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
    assert_eq!(returned(&pair), [(3, "not-taken")]);
}

fn goodbye() -> Bye {
    Bye {
        origin: Origin::Application,
        code: SendCode::NORMAL_CLOSURE,
        reason: String::new(),
    }
}

/// Numbers and fates of what came back to the client.
fn returned(pair: &Pair) -> Vec<(u64, &'static str)> {
    let returned = pair.at_client.iter().filter_map(|event| match event {
        Event::Returned { key, fate, .. } => Some((key.number, fate.id())),
        _ => None,
    });
    returned.collect()
}

#[test]
fn what_was_taken_and_not_stored_yet_is_not_given_back() {
    let mut pair = stored();
    pair.server.commit(pair.now, 1);
    pair.server.stop_taking(2);
    pair.server.hold_behind(Some(pair.server.sent()));
    pair.server.bye(goodbye()).unwrap();
    pair.talk();
    assert_eq!(pair.client.ended(), None);
    // The store has what was taken, and only then goodbye is said.
    pair.server.commit(pair.now, 2);
    pair.server.hold_behind(None);
    pair.talk();
    assert_eq!(returned(&pair), [(3, "not-taken")]);
}

#[test]
fn goodbye_waits_for_what_was_taken_to_come_again() {
    let mut pair = stored();
    pair.server.commit(pair.now, 1);
    pair.server.stop_taking(2);
    pair.server.hold_behind(Some(pair.server.sent()));
    pair.server.bye(goodbye()).unwrap();
    pair.cut(None);
    pair.resume();
    pair.server.commit(pair.now, 2);
    pair.server.hold_behind(None);
    pair.talk();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
    assert_eq!(returned(&pair), [(3, "not-taken")]);
}

#[test]
fn of_what_comes_again_only_what_was_taken_is_counted_off() {
    let mut pair = stored();
    pair.cut(None);
    pair.client.connect(pair.now, None, None).unwrap();
    let hello = first(&mut pair.client);
    let claims = claims(&hello.resume.as_ref().unwrap().token);
    let grant = grant(pair.server.next_generation());
    pair.server.resume(pair.now, &hello, &claims, grant);
    // All three will come again, and one of them was taken.
    pair.server.stop_taking(1);
    pair.server.commit(pair.now, 1);
    pair.server.bye(goodbye()).unwrap();
    pair.talk();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
    assert_eq!(returned(&pair), [(2, "not-taken"), (3, "not-taken")]);
}

#[test]
fn goodbye_is_said_again_although_not_all_was_taken() {
    let mut pair = stored();
    pair.server.commit(pair.now, 1);
    pair.server.bye(goodbye()).unwrap();
    // It is written, and lost with the connection.
    while pair.server.poll_transmit(pair.now).is_some() {}
    assert!(pair.server.is_bye_written());
    pair.cut(None);
    pair.resume();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
    assert_eq!(returned(&pair), [(2, "not-taken"), (3, "not-taken")]);
}

#[test]
fn without_a_store_acknowledgements_follow_the_application() {
    let mut pair = stored();
    pair.server.set_volatile(true);
    pair.client.send_text("4".into()).unwrap();
    pair.talk();
    pair.wait(1000);
    assert_eq!(pair.client.kept().0, 4, "nobody has taken them");
    pair.server.commit(pair.now, 3);
    pair.wait(1000);
    assert_eq!(pair.client.kept().0, 1);
}

#[test]
fn without_a_store_nothing_is_held() {
    let mut pair = stored();
    pair.server.hold_behind(Some(0));
    pair.server.send_text("1".into()).unwrap();
    pair.talk();
    assert_eq!(messages(&pair.at_client), 0);
    pair.server.set_volatile(true);
    pair.talk();
    assert_eq!(messages(&pair.at_client), 1);
    assert!(pair.at_client.contains(&Event::Volatile(true)));
    pair.server.bye(goodbye()).unwrap();
    pair.talk();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
}

#[test]
fn a_welcome_that_waited_for_the_store_says_that_it_is_away() {
    let mut client = Session::client(Duration::ZERO, Config::default());
    client.connect(Duration::ZERO, None, None).unwrap();
    let hello = first(&mut client);
    let config = Config::default();
    let mut server = Session::accept(Duration::ZERO, config, &hello, ID, new(), grant(1));
    server.set_volatile(true);
    let welcome = server.poll_transmit(Duration::ZERO).unwrap();
    let Outgoing::Message(welcome) = welcome.outgoing else {
        panic!("{welcome:?}");
    };
    let id = client.connection().unwrap();
    client.handle_message(Duration::ZERO, id, welcome);
    assert!(client.is_volatile());
    // Lost here, it asks for a session of which no store knows, and is not told that it was too late.
    client.handle_disconnect(Duration::ZERO, id, None);
    client.connect(Duration::ZERO, None, None).unwrap();
    let hello = first(&mut client);
    let claims = claims(&hello.resume.as_ref().unwrap().token);
    let judgement = judge(&hello, Some(&claims), &OWNER, &EPOCH, None);
    let Judgement::Begin(fresh) = judgement else {
        panic!("{judgement:?}");
    };
    assert_eq!(fresh.verdict, Verdict::Epoch);
}
