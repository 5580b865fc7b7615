//! What the owner of a session knows of its place in a store.

use std::time::Duration;

use revoir_codes::SendCode;
use revoir_session::{
    Acks, Bye, Claims, Config, ConnectionId, Ended, Epoch, Event, Fresh, Grant, Hello, Loss,
    Message, Origin, Outgoing, Principal, Resume, SendError, Sequenced, Session, SessionId,
    Snapshot, Token, Verdict, Window,
};
use revoir_store::{Durable, Mark, Owned, Stored, Write};

const TTL: Duration = Duration::from_secs(120);
const SECOND: Duration = Duration::from_secs(1);
const START: Duration = Duration::ZERO;

fn config() -> Config {
    let mut config = Config::default();
    config.acks = Acks::OnCommit;
    config.ttl = TTL;
    config.heartbeat = Duration::ZERO;
    config
}

fn grant(volatile: bool) -> Grant {
    Grant {
        token: Token::new("token".into()).unwrap(),
        protocol: None,
        headers: None,
        volatile,
    }
}

/// A session that has just begun.
fn session(volatile: bool) -> Session {
    let hello = Hello {
        resume: None,
        window: Window::DEFAULT,
        ttl: None,
        protocols: None,
        headers: None,
    };
    let fresh = Fresh {
        verdict: Verdict::New,
        received: None,
        lost: None,
        bound: false,
        is_failure: false,
    };
    let id = SessionId([5; 16]);
    Session::accept(START, config(), &hello, id, fresh, grant(volatile))
}

/// One that the store has.
fn stored(durable: Durable) -> (Session, Owned, Write) {
    let mut session = session(false);
    let mut owned = Owned::begin(1, durable, &mut session);
    let (write, mark) = owned.write(&session, START);
    owned.written(&mut session, START, mark);
    (session, owned, write)
}

/// What a successor makes of a record of this age.
fn succeed(write: &Write, age: Duration, durable: Durable) -> (Session, Owned) {
    let stored = Stored {
        generation: write.generation,
        owner: write.owner,
        record: write.record.clone(),
        age,
    };
    Owned::succeed(2, durable, &stored, 1000 * TTL, config()).unwrap()
}

fn written(session: &mut Session, now: Duration) -> Vec<Outgoing> {
    let written = std::iter::from_fn(|| session.poll_transmit(now));
    written.map(|it| it.outgoing).collect()
}

fn receive(session: &mut Session, message: impl Into<Vec<u8>>) {
    let id = session.connection().unwrap();
    let message = Message::Binary(message.into().into());
    session.handle_message(START, id, message);
}

const ACK_ONE: [u8; 2] = [3, 1];
const BINARY: [u8; 2] = [0, 7];

fn leave(session: &mut Session, now: Duration) {
    let id: ConnectionId = session.connection().unwrap();
    session.handle_disconnect(now, id, None);
}

#[test]
fn a_client_that_is_there_and_silent_is_not_gone_for_a_successor() {
    let (session, mut owned, mut write) = stored(Durable::Acks);
    let mut wrote = START;
    for seconds in 0..1000 {
        let now = seconds * SECOND;
        owned.refresh(&session, now);
        if owned.is_behind(&session) {
            (write, _) = owned.write(&session, now);
            wrote = now;
        }
        // Lost at any moment, and its client comes back as late as it may.
        let age = now + TTL - SECOND - wrote;
        assert!(age < write.keep);
        let (successor, _) = succeed(&write, age, Durable::Acks);
        assert_eq!(successor.ended(), None, "{seconds}");
    }
    let (successor, _) = succeed(&write, 2 * TTL, Durable::Acks);
    assert_eq!(successor.ended(), Some(&Ended::Lost(Loss::Expired)));
}

#[test]
fn a_client_that_is_away_is_not_refreshed_and_expires() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    leave(&mut session, SECOND);
    let (write, _) = owned.write(&session, 2 * SECOND);
    owned.refresh(&session, 100 * SECOND);
    assert!(!owned.is_behind(&session));
    let (successor, _) = succeed(&write, TTL - 2 * SECOND, Durable::Acks);
    assert_eq!(successor.ended(), None);
    let (successor, _) = succeed(&write, TTL, Durable::Acks);
    assert_eq!(successor.ended(), Some(&Ended::Lost(Loss::Expired)));
}

#[test]
fn a_record_goes_from_one_kind_of_durable_to_the_other() {
    for (before, after) in [
        (Durable::Acks, Durable::BeforeSend),
        (Durable::BeforeSend, Durable::Acks),
    ] {
        let (mut session, mut owned, _) = stored(before);
        session.send_text("before".into()).unwrap();
        leave(&mut session, START);
        let (write, _) = owned.write(&session, START);
        let (mut session, mut owned) = succeed(&write, SECOND, after);
        let (_, mark) = owned.write(&session, START);
        owned.written(&mut session, START, mark);
        for number in 0..500 {
            let sent = session.send_text("after".into());
            assert!(sent.is_ok(), "{before:?} {after:?}: {number} {sent:?}");
            let (_, mark) = owned.write(&session, START);
            owned.written(&mut session, START, mark);
        }
    }
}

#[test]
fn one_that_was_left_has_no_gap_of_numbers_that_nobody_used() {
    let missing = |leaves: bool| {
        let (mut session, mut owned, _) = stored(Durable::Acks);
        session.send_text("seen".into()).unwrap();
        if leaves {
            owned.leave();
        }
        leave(&mut session, START);
        let (write, _) = owned.write(&session, START);
        let items = Snapshot::decode(&write.record)
            .unwrap()
            .into_successor()
            .items;
        let gaps = items.iter().filter_map(|item| match item {
            Sequenced::Gap { count, .. } => Some(*count),
            _ => None,
        });
        gaps.sum::<u64>()
    };
    assert_eq!(missing(true), 0);
    assert_eq!(
        missing(false),
        128,
        "at most so many, if its owner was lost"
    );
}

#[test]
fn a_successor_numbers_nothing_before_it_has_claimed() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    leave(&mut session, START);
    let (write, _) = owned.write(&session, START);
    let (mut session, _) = succeed(&write, SECOND, Durable::Acks);
    assert_eq!(session.send_text("soon".into()), Err(SendError::Full));
}

#[test]
fn without_a_store_nobody_waits_for_it() {
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let mut session = session(false);
        let mut owned = Owned::begin(1, durable, &mut session);
        assert!(!owned.is_claimed(&session), "WELCOME waits");
        owned.go_without(&mut session, START);
        assert!(owned.is_claimed(&session));
        let [Outgoing::Message(Message::Binary(welcome)), volatile] =
            &written(&mut session, START)[..]
        else {
            panic!("WELCOME, and VOLATILE");
        };
        assert!(welcome.windows(2).any(|field| field == [5, 0]), "volatile");
        let volatile_on = Message::Binary([10, 1].as_slice().to_vec().into());
        assert_eq!(*volatile, Outgoing::Message(volatile_on));
        receive(&mut session, ACK_ONE);
        session.send_text("now".into()).unwrap();
        let now = Outgoing::Message("now".into());
        assert_eq!(written(&mut session, START), [now]);
    }
}

#[test]
fn without_a_store_what_was_taken_is_acknowledged_at_once() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    for _ in 0..3 {
        receive(&mut session, BINARY);
    }
    owned.take(&mut session, START, 1);
    assert_eq!(session.committed(), 0, "the store has to have it");
    owned.go_without(&mut session, START);
    assert_eq!(session.committed(), 1);
    owned.take(&mut session, START, 2);
    assert_eq!(session.committed(), 2, "not the third, which nobody took");
    assert!(owned.is_behind(&session), "it is tried again");
}

/// An event that came behind messages that were thrown away says that they came before it.
#[test]
fn what_was_thrown_away_is_not_taken_with_what_came_behind_it() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    for _ in 0..10 {
        receive(&mut session, BINARY);
    }
    owned.take(&mut session, START, 5);
    session.stop_taking(owned.taken());
    owned.take(&mut session, START, 10);
    let (write, _) = owned.write(&session, START);
    let snapshot = Snapshot::decode(&write.record).unwrap();
    assert_eq!((snapshot.received, snapshot.committed), (5, 5));
}

#[test]
fn the_store_is_back_once_it_has_everything() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    owned.go_without(&mut session, START);
    for _ in 0..3 {
        receive(&mut session, BINARY);
    }
    let (_, mark) = owned.write(&session, START);
    // This is acknowledged while the write is on its way, which does not have it.
    owned.take(&mut session, START, 1);
    owned.written(&mut session, START, mark);
    assert!(session.is_volatile(), "the store has too little");
    owned.take(&mut session, START, 2);
    assert_eq!(session.committed(), 1, "this waits again");
    let (_, mark) = owned.write(&session, START);
    owned.take(&mut session, START, 3);
    owned.written(&mut session, START, mark);
    assert!(!session.is_volatile());
    assert_eq!(session.committed(), 2);
    assert!(owned.is_behind(&session), "VOLATILE 0 is to be stored, too");
    let (write, _) = owned.write(&session, START);
    let (successor, _) = succeed(&write, SECOND, Durable::Acks);
    assert!(!successor.is_volatile());
}

#[test]
fn the_store_is_back_once_it_has_all_numbers_in_use() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    owned.go_without(&mut session, START);
    written(&mut session, START);
    // The client knows that the store is away: nothing is reserved any more.
    receive(&mut session, ACK_ONE);
    let (_, mark) = owned.write(&session, START);
    for number in 0..500 {
        assert!(session.send_text("more".into()).is_ok(), "{number}");
    }
    owned.written(&mut session, START, mark);
    assert!(session.is_volatile());
    let (_, mark) = owned.write(&session, START);
    owned.written(&mut session, START, mark);
    assert!(!session.is_volatile());
}

#[test]
fn the_store_is_back_once_it_has_the_generation() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    owned.go_without(&mut session, START);
    let (_, mark) = owned.write(&session, START);
    leave(&mut session, START);
    resume(&mut session, true);
    owned.written(&mut session, START, mark);
    assert!(session.is_volatile() && owned.is_claimed(&session));
    let (_, mark) = owned.write(&session, START);
    owned.written(&mut session, START, mark);
    assert!(!session.is_volatile());
}

#[test]
fn a_successor_has_a_store_whatever_its_predecessor_had() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    owned.go_without(&mut session, START);
    let (write, _) = owned.write(&session, START);
    assert!(Snapshot::decode(&write.record).unwrap().volatile);
    let (mut session, owned) = succeed(&write, SECOND, Durable::Acks);
    assert!(!session.is_volatile());
    resume(&mut session, false);
    assert!(!owned.is_claimed(&session), "WELCOME waits for the claim");
}

#[test]
fn what_the_store_may_have_lost_is_written_again() {
    let (session, mut owned, _) = stored(Durable::Acks);
    assert!(!owned.is_behind(&session));
    owned.failed();
    assert!(owned.is_behind(&session));
}

#[test]
fn a_store_that_goes_again_is_away_again() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    receive(&mut session, BINARY);
    owned.go_without(&mut session, START);
    let (_, mark) = owned.write(&session, START);
    owned.take(&mut session, START, 1);
    owned.written(&mut session, START, mark);
    owned.go_without(&mut session, START);
    receive(&mut session, BINARY);
    owned.take(&mut session, START, 2);
    assert_eq!(session.committed(), 2);
}

fn say_goodbye(owned: &Owned, session: &mut Session) {
    let bye = Bye {
        origin: Origin::Application,
        code: SendCode::NORMAL_CLOSURE,
        reason: String::new(),
    };
    owned.bye(session, bye).unwrap();
}

#[test]
fn goodbye_acknowledges_what_was_taken_and_no_more() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    for _ in 0..3 {
        receive(&mut session, BINARY);
    }
    owned.take(&mut session, START, 1);
    let (_, mark): (Write, Mark) = owned.write(&session, START);
    owned.written(&mut session, START, mark);
    owned.take(&mut session, START, 2);
    say_goodbye(&owned, &mut session);
    assert_eq!(written(&mut session, START), [], "the store has one");
    let (_, mark) = owned.write(&session, START);
    owned.written(&mut session, START, mark);
    let [ack, bye] = &written(&mut session, START)[..] else {
        panic!("ACK, and BYE");
    };
    let two = Message::Binary([3, 2].as_slice().to_vec().into());
    assert_eq!(*ack, Outgoing::Message(two));
    assert!(matches!(bye, Outgoing::Message(Message::Binary(bye)) if bye[0] == 7));
}

#[test]
fn a_successor_of_a_session_that_says_goodbye_takes_nothing() {
    let (mut session, mut owned, _) = stored(Durable::Acks);
    written(&mut session, START);
    say_goodbye(&owned, &mut session);
    leave(&mut session, START);
    let (write, _) = owned.write(&session, START);
    assert_eq!(write.generation, 1);
    let snapshot = Snapshot::decode(&write.record).unwrap();
    assert!(snapshot.items.iter().any(is_goodbye));
    let (mut session, _) = succeed(&write, SECOND, Durable::Acks);
    resume(&mut session, false);
    receive(&mut session, BINARY);
    let events = std::iter::from_fn(|| session.poll_event());
    let is_message = |event: Event| matches!(event, Event::Message { .. });
    assert!(!{ events }.any(is_message));
}

fn is_goodbye(item: &Sequenced) -> bool {
    matches!(item, Sequenced::Bye(_))
}

/// Its client comes back, with a message that it sent behind what is known.
fn resume(session: &mut Session, volatile: bool) {
    let hello = Hello {
        resume: Some(Resume {
            token: Token::new("token".into()).unwrap(),
            received: 0,
            acked: 0,
            sent: 1,
            attempt: 2,
            volatile: false,
        }),
        window: Window::DEFAULT,
        ttl: None,
        protocols: None,
        headers: None,
    };
    let claims = Claims {
        session: session.id(),
        generation: 1,
        epoch: Epoch::default(),
        principal: Principal::NONE,
    };
    session.resume(1000 * TTL, &hello, &claims, grant(volatile));
}

#[test]
fn a_session_that_is_over_is_told_of_by_a_successor() {
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let (mut session, mut owned, _) = stored(durable);
        session.send_text("never".into()).ok();
        session.lose(Loss::Overflow, revoir_session::Close::taken_over());
        let (write, _) = owned.write(&session, SECOND);
        let (session, _) = succeed(&write, SECOND, durable);
        assert_eq!(session.ended(), Some(&Ended::Lost(Loss::Overflow)));
    }
}
