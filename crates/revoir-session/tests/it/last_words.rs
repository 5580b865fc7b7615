//! A session that is lost while its client is there.

use revoir_codes::SendCode;
use revoir_session::{Close, Event, Judgement, Loss, Outgoing};

use crate::pair::Pair;

fn lose(pair: &mut Pair) {
    let close = Close {
        code: SendCode::SERVICE_RESTART,
        reason: "backend lost".to_owned(),
    };
    pair.server.lose(Loss::Backend, close);
}

fn heard(pair: &Pair) -> usize {
    let events = pair.at_client.iter();
    events
        .filter(|event| matches!(event, Event::Message { .. }))
        .count()
}

fn lost(pair: &mut Pair) -> Option<u64> {
    let Judgement::Begin(fresh) = pair.resume() else {
        panic!("not over");
    };
    fresh.lost
}

#[test]
fn what_was_said_before_goes_before_the_close() {
    let mut pair = Pair::new();
    pair.server.send_text("a".into()).unwrap();
    pair.server.send_text("b".into()).unwrap();
    lose(&mut pair);
    pair.talk();
    assert_eq!(heard(&pair), 2);
    let last = pair.down.last().map(|transmit| &transmit.outgoing);
    assert!(matches!(last, Some(Outgoing::Close(_))), "{last:?}");
    pair.cut(Some(1012));
    assert_eq!(lost(&mut pair), Some(0));
}

#[test]
fn a_connection_that_takes_nothing_is_closed_at_once_and_the_client_is_told_how_much_it_misses() {
    let mut pair = Pair::new();
    pair.server.send_text("a".into()).unwrap();
    lose(&mut pair);
    assert!(pair.server.cut_short().is_some());
    pair.talk();
    assert_eq!(heard(&pair), 0);
    pair.cut(Some(1012));
    assert_eq!(lost(&mut pair), Some(1));
}
