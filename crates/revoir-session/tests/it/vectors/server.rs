//! Scenarios of a server.

use std::time::Duration;

use bytes::Bytes;
use revoir_codes::SendCode;
use revoir_session::{
    Acks, BackendChanged, Close, Epoch, GoAway, Hello, Loss, Origin, Overflow, Principal, Resume,
    Window,
};
use serde_json::{Value, json};

use super::script::{Asks, Script, hex, token};

fn new() -> Bytes {
    hello(None)
}

fn hello(resume: Option<Resume>) -> Bytes {
    let hello = Hello {
        resume,
        window: Window::DEFAULT,
        ttl: Some(Duration::from_secs(60)),
        protocols: None,
        headers: None,
    };
    hello.encode()
}

/// A client that has `received` of our messages, and has `acked` and `sent` of its own.
fn back(attempt: u64, received: u64, acked: u64, sent: u64) -> Bytes {
    hello(Some(resume(attempt, received, acked, sent)))
}

fn resume(attempt: u64, received: u64, acked: u64, sent: u64) -> Resume {
    Resume {
        token: token(1),
        received,
        acked,
        sent,
        attempt,
        volatile: false,
    }
}

fn opened(name: &'static str) -> Script {
    Script::server(name).hello(&new(), Asks::NOTHING)
}

pub(crate) fn all() -> Vec<Value> {
    let mut all = resuming();
    all.extend(judging());
    all.extend(away());
    all.extend(telling());
    all.extend(taking());
    all.into_iter().map(Script::done).collect()
}

fn resuming() -> Vec<Script> {
    vec![
        opened("a new session, and a message each way")
            .receive_text("hi")
            .send("hello")
            .send_binary(&[1])
            .receive(vec![3, 2])
            .time(1000),
        opened("resumed: the replay follows WELCOME")
            .receive_text("1")
            .send("a")
            .send("b")
            .disconnect(None)
            .send("c")
            .hello(&back(2, 1, 0, 3), Asks::with(1))
            .receive_text("2"),
        opened("a takeover: what the old connection says is late")
            .send("a")
            .hello(&back(2, 0, 0, 0), Asks::with(1))
            .receive_late("late")
            .receive_text("in time"),
        opened("a WELCOME that was lost: the older token is good until the newer one was shown")
            .receive(vec![4])
            .hello(&back(2, 0, 0, 0), Asks::with(1))
            .hello(&back(3, 0, 0, 0), Asks::with(1))
            .receive(vec![4])
            .hello(&back(4, 0, 0, 0), Asks::with(3)),
        opened("HELLO of an older attempt is late")
            .hello(&back(3, 0, 0, 0), Asks::with(1))
            .hello(&back(2, 0, 0, 0), Asks::with(1)),
    ]
}

fn judging() -> Vec<Script> {
    let lost = |name| {
        opened(name)
            .receive_text("1")
            .send("a")
            .send("b")
            .disconnect(None)
            .succeed(10)
    };
    let stolen = Asks {
        principal: Principal([2; 32]),
        ..Asks::with(1)
    };
    let elsewhere = Asks {
        epoch: Epoch([1; 8]),
        ..Asks::with(1)
    };
    let forgotten = Asks {
        is_found: false,
        ..Asks::with(1)
    };
    let lost_with_the_store = Asks {
        is_found: false,
        ..elsewhere
    };
    let volatile = |mut it: Resume| {
        it.volatile = true;
        hello(Some(it))
    };
    vec![
        opened("a forged token").hello(&back(2, 0, 0, 0), Asks::NOTHING),
        opened("a token of somebody else").hello(&back(2, 0, 0, 0), stolen),
        opened("a token of another epoch").hello(&back(2, 0, 0, 0), lost_with_the_store),
        opened("a token of another epoch, and its owner has written it again")
            .hello(&back(2, 0, 0, 0), elsewhere),
        opened("a session that is not known").hello(&back(2, 0, 0, 0), forgotten),
        opened("a session that is not known, and was volatile")
            .hello(&volatile(resume(2, 0, 0, 0)), forgotten),
        opened("a generation that the store has forgotten").hello(&back(2, 0, 0, 0), Asks::with(2)),
        opened("a copy of an old token")
            .hello(&back(2, 0, 0, 0), Asks::with(1))
            .receive(vec![4])
            .hello(&back(3, 0, 0, 0), Asks::with(1)),
        opened("a session that expired, with its counts")
            .receive_text("1")
            .send("a")
            .send("b")
            .at(100)
            .disconnect(None)
            .time(60_099)
            .time(60_100)
            .hello(&back(2, 1, 0, 3), Asks::with(1)),
        opened("a session whose backend is another one")
            .send("a")
            .act(json!({"do": "lose", "loss": "backend"}), |session, _| {
                let close = Close {
                    code: SendCode::SERVICE_RESTART,
                    reason: "backend lost".to_owned(),
                };
                session.lose(Loss::Backend, close);
            })
            .hello(&back(2, 1, 0, 0), Asks::with(1)),
        opened("a client that has acknowledgements of which we know nothing")
            .hello(&back(2, 0, 1, 1), Asks::with(1)),
        opened("a client that sent less than we have")
            .receive_text("1")
            .hello(&back(2, 0, 0, 0), Asks::with(1)),
        opened("a client that has more than we sent").hello(&back(2, 1, 0, 0), Asks::with(1)),
        opened("a client that has less than it acknowledged")
            .send("a")
            .receive(vec![3, 1])
            .hello(&back(2, 0, 0, 0), Asks::with(1)),
        lost("the owner was lost: bounds, and a gap up to what was reserved")
            .hello(&back(2, 1, 0, 2), Asks::with(1))
            .receive(vec![9, 1, 2])
            .act(json!({"do": "reserve", "numbers": 20}), |session, _| {
                session.reserve(20)
            })
            .send("c")
            .hello(&back(3, 11, 2, 2), Asks::with(2)),
        lost("the owner was lost: a client that has more than the store knew of")
            .hello(&back(2, 5, 1, 2), Asks::with(1)),
        lost("the owner was lost, and the client was told that it was volatile")
            .hello(&volatile(resume(2, 1, 0, 2)), Asks::with(1)),
    ]
}

fn away() -> Vec<Script> {
    let with = |name, overflow| {
        Script::server_with(name, |config| {
            config.window.messages = 2;
            config.overflow = overflow;
        })
        .hello(&new(), Asks::NOTHING)
        .disconnect(None)
        .send("a")
        .send("b")
        .send("c")
        .send("d")
        .hello(&back(2, 0, 0, 0), Asks::with(1))
    };
    vec![
        with(
            "too much while the client is away: the session is over",
            Overflow::Expire,
        ),
        with(
            "too much while the client is away: the oldest goes",
            Overflow::DropOldest,
        ),
        with(
            "too much while the client is away: the application waits",
            Overflow::Wait,
        ),
    ]
}

fn telling() -> Vec<Script> {
    let code = SendCode::literal::<4001>();
    vec![
        opened("another backend, while the client is there and away")
            .send("a")
            .act(
                json!({"do": "backend-changed", "written": 5, "received": 6, "maybe-lost": 1}),
                |session, _| {
                    let change = BackendChanged {
                        written: 5,
                        received: 6,
                        maybe_lost: 1,
                    };
                    session.backend_changed(change).unwrap();
                },
            )
            .disconnect(None)
            .hello(&back(2, 1, 0, 0), Asks::with(1)),
        opened("GOAWAY, then Close")
            .act(
                json!({"do": "go-away", "code": 1012, "after": 3000}),
                |session, _| {
                    session
                        .go_away(GoAway {
                            origin: Origin::Gateway,
                            code: SendCode::SERVICE_RESTART,
                            resumable: true,
                            after: Duration::from_secs(3),
                            spread: Duration::ZERO,
                            reason: "restart".to_owned(),
                        })
                        .unwrap();
                },
            )
            .act(
                json!({"do": "close", "code": 1012, "reason": "restart"}),
                |session, _| {
                    session.close(Close {
                        code: SendCode::SERVICE_RESTART,
                        reason: "restart".to_owned(),
                    });
                },
            )
            .send("kept"),
        opened("the store is away, and back")
            .act(json!({"do": "volatile", "volatile": true}), |session, _| {
                session.set_volatile(true);
            })
            .act(
                json!({"do": "volatile", "volatile": false}),
                |session, _| {
                    session.set_volatile(false);
                },
            ),
        opened("another token").act(
            json!({"do": "token", "token": hex(token(9).as_bytes())}),
            |session, _| session.replace_token(token(9)),
        ),
        opened("BYE while the client is away comes behind the replay")
            .send("a")
            .disconnect(None)
            .send("b")
            .bye(code, "done")
            .hello(&back(2, 0, 0, 0), Asks::with(1))
            .receive(vec![3, 3]),
        opened("the client says BYE")
            .send("a")
            .receive([&[7, 0, 0x43, 0xe8][..], b"bye"].concat()),
        opened("both say BYE: neither takes anything of the other any more")
            .send("a")
            .receive_text("1")
            .receive(vec![3, 1])
            .bye(code, "ours")
            .receive([&[7, 0, 0x43, 0xe8][..], b"theirs"].concat()),
        opened("a client closes with 4090: that is a code like others")
            .send("a")
            .disconnect(Some(4090))
            .hello(&back(2, 0, 0, 0), Asks::with(1)),
        opened("a heartbeat, if nothing else was sent")
            .at(1000)
            .send("a")
            .time(25_000)
            .receive(vec![5])
            .time(49_999)
            .time(50_000)
            .receive(vec![5]),
        opened("a client that is silent is asked, whatever is sent to it, and then given up")
            .at(20_000)
            .send("a")
            .time(25_000)
            .at(30_000)
            .send("b")
            .time(34_999)
            .time(35_000)
            .disconnect(None)
            .hello(&back(2, 0, 0, 0), Asks::with(1)),
    ]
}

/// A server that acknowledges what its application, or a store, has.
fn taking() -> Vec<Script> {
    let code = SendCode::literal::<4001>();
    let opened = |name| {
        Script::server_with(name, |config| config.acks = Acks::OnCommit)
            .hello(&new(), Asks::NOTHING)
            .receive_text("1")
            .receive_text("2")
            .receive_text("3")
    };
    let committed = |script: Script, received: u64| {
        script.act(
            json!({"do": "commit", "received": received}),
            move |session, now| session.commit(now, received),
        )
    };
    let held = |script: Script, number: Option<u64>| {
        script.act(
            json!({"do": "hold-behind", "number": number}),
            move |session, _| session.hold_behind(number),
        )
    };
    let stopped = |script: Script, taken: u64| {
        script.act(
            json!({"do": "stop-taking", "taken": taken}),
            move |session, _| session.stop_taking(taken),
        )
    };
    let away = |script: Script| {
        script.act(json!({"do": "volatile", "volatile": true}), |session, _| {
            session.set_volatile(true)
        })
    };
    vec![
        committed(
            away(opened(
                "the store is away: acknowledgements follow the application",
            ))
            .receive_text("4"),
            3,
        )
        .time(1000),
        away(
            held(
                opened("what waited for a store that is away is written"),
                Some(0),
            )
            .send("a"),
        )
        .bye(code, "done"),
        held(
            committed(
                stopped(
                    committed(
                        held(
                            opened("BYE says what was taken, once the store has it"),
                            Some(0),
                        ),
                        1,
                    ),
                    2,
                )
                .bye(code, "done"),
                2,
            ),
            None,
        ),
        committed(
            stopped(
                committed(
                    opened("BYE waits for what was taken to come again").disconnect(None),
                    1,
                )
                .hello(&back(2, 0, 0, 3), Asks::with(1)),
                2,
            ),
            2,
        )
        .bye(code, "done")
        .receive_text("2")
        .receive_text("3"),
    ]
}
