//! A server whose acknowledgements wait for a store.

use bytes::Bytes;
use revoir_session::{Acks, Config, Ended, Event, Message, Outgoing, Transmit, Violation, judge};

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
