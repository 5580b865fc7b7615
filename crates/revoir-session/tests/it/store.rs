//! A server whose acknowledgements wait for a store.

use bytes::Bytes;
use revoir_codes::SendCode;
use revoir_session::{
    Acks, Bye, Config, Ended, Event, Message, Origin, Outgoing, Transmit, Violation, judge,
};

use crate::pair::{EPOCH, OWNER, Pair, claims, first, grant};

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
    assert_eq!(judgement, revoir_session::Judgement::Resume);
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
    pair.server
        .bye(Bye {
            origin: Origin::Application,
            code: SendCode::NORMAL_CLOSURE,
            reason: String::new(),
        })
        .unwrap();
    pair.talk();
    assert_eq!(pair.client.ended(), None);
    assert_eq!(pair.client.kept().0, 3, "nothing is acknowledged yet");
    pair.server.commit(pair.now, 2);
    pair.server.hold_behind(None);
    pair.talk();
    assert!(matches!(pair.client.ended(), Some(Ended::ByPeer(_))));
    let returned = pair.at_client.iter().filter_map(|event| match event {
        Event::Returned { key, fate, .. } => Some((key.number, fate.id())),
        _ => None,
    });
    assert_eq!(returned.collect::<Vec<_>>(), [(3, "not-taken")]);
}
