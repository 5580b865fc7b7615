//! A session has one connection.

use revoir_session::{Close, Ended, Event, Judgement, judge};

use crate::pair::{EPOCH, OWNER, Pair, claims, first, grant};

#[test]
fn of_a_hundred_resumes_with_one_token_one_has_the_session() {
    let mut pair = Pair::new();
    let mut copies = vec![pair.client.clone(); 100];
    let mut connections = Vec::new();
    for copy in &mut copies {
        copy.connect(pair.now, None, None).unwrap();
        let hello = first(copy);
        let claims = claims(&hello.resume.as_ref().unwrap().token);
        let judgement = judge(&hello, Some(&claims), &OWNER, &EPOCH, Some(&pair.server));
        assert_eq!(judgement, Judgement::Resume);
        let grant = grant(pair.server.next_generation());
        let before = pair.server.resume(pair.now, &hello, &claims, grant);
        assert!(before.is_some(), "the one before is closed");
        connections.push(pair.server.connection().unwrap());
    }
    pair.server.send_text("once".into()).unwrap();
    let mut to: Vec<_> = std::iter::from_fn(|| pair.server.poll_transmit(pair.now))
        .map(|transmit| transmit.connection)
        .collect();
    to.dedup();
    assert_eq!(
        to,
        [*connections.last().unwrap()],
        "WELCOME and the message"
    );
    for (copy, id) in copies.iter_mut().zip(&connections[..99]) {
        pair.server
            .handle_message(pair.now, *id, "a late message".into());
        let own = copy.connection().unwrap();
        copy.handle_disconnect(pair.now, own, Some(Close::TAKEN_OVER));
        let last = std::iter::from_fn(|| copy.poll_event()).last();
        assert_eq!(last, Some(Event::Ended(Ended::TakenOver)));
        copy.connect(pair.now, None, None).unwrap_err();
    }
    assert_eq!(pair.server.received(), 0, "what is late is not taken");
}

#[test]
fn a_token_that_was_replaced_is_good_until_the_new_one_was_shown() {
    let mut pair = Pair::new();
    let old = pair.client.clone();
    pair.cut(None);
    assert_eq!(pair.resume(), Judgement::Resume);
    // The client has said nothing since, so its WELCOME may have been lost.
    let mut copy = old.clone();
    copy.connect(pair.now, None, None).unwrap();
    let hello = first(&mut copy);
    let claims = claims(&hello.resume.as_ref().unwrap().token);
    let ask = |pair: &Pair| judge(&hello, Some(&claims), &OWNER, &EPOCH, Some(&pair.server));
    assert_eq!(ask(&pair), Judgement::Resume);
    pair.client.send_text("I have the new one".into()).unwrap();
    pair.talk();
    let Judgement::Begin(fresh) = ask(&pair) else {
        panic!("a copy of an old token");
    };
    assert_eq!(fresh.verdict, revoir_session::Verdict::Unknown);
    assert!(fresh.is_failure);
}
