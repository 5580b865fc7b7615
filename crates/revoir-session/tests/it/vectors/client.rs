//! Scenarios of a client.

use revoir_codes::SendCode;
use revoir_session::{InDoubt, Verdict, Welcome};
use serde_json::Value;

use super::script::{Script, token, welcome};

const WINDOW_4: u64 = 4;

fn opened(name: &'static str) -> Script {
    let new = welcome(Verdict::New, 1, None);
    Script::client(name).connect().receive(new.encode())
}

fn resumed(generation: u64, received: u64) -> Welcome {
    welcome(Verdict::Resumed, generation, Some(received))
}

pub(crate) fn all() -> Vec<Value> {
    let mut all = opening();
    all.extend(acknowledging());
    all.extend(resuming());
    all.extend(losing());
    all.extend(control());
    all.extend(ending());
    all.extend(timers());
    all.into_iter().map(Script::done).collect()
}

fn opening() -> Vec<Script> {
    vec![
        opened("a new session, a message of each kind each way")
            .send("hello")
            .send_binary(&[0xff, 0])
            .receive_text("welcome")
            .receive(vec![0, 0x7f])
            .receive(vec![0])
            .time(1000),
        Script::client("what is sent before the first connection waits for WELCOME")
            .send("early")
            .connect()
            .receive(welcome(Verdict::New, 1, None).encode())
            .send("later"),
        Script::client("a connection that breaks before WELCOME: HELLO again, without a token")
            .send("early")
            .connect()
            .disconnect(None)
            .connect()
            .receive(welcome(Verdict::New, 1, None).encode()),
        Script::client("the subprotocol and header fields of the application")
            .connect()
            .receive(
                Welcome {
                    protocol: Some("chat".to_owned()),
                    headers: Some("set-cookie: a=1\nx: y".to_owned()),
                    ..welcome(Verdict::New, 1, None)
                }
                .encode(),
            ),
        Script::client("fields of a later version are ignored")
            .connect()
            .receive(
                [
                    &welcome(Verdict::New, 1, None).encode()[..],
                    &[0x40, 0x63, 2, 1, 2],
                ]
                .concat(),
            ),
    ]
}

fn acknowledging() -> Vec<Script> {
    let mut many = opened("64 messages are acknowledged at once, 63 after a second");
    for _ in 0..64 {
        many = many.receive_text("x");
    }
    for _ in 0..63 {
        many = many.at(10).receive_text("y");
    }
    many = many.time(1009).time(1010);
    let mut small =
        Script::client("a quarter of the peer's window of messages is acknowledged at once")
            .connect();
    let mut new = welcome(Verdict::New, 1, None);
    new.window.messages = 9;
    small = small
        .receive(new.encode())
        .receive_text("1")
        .receive_text("2")
        .receive_text("3");
    new.window.messages = 1024;
    new.window.bytes = 20;
    let long = Script::client("a quarter of the peer's window of bytes is acknowledged at once")
        .connect()
        .receive(new.encode())
        .receive_text("1234")
        .receive(vec![0, 5])
        .receive_text("123456");
    let full = Script::client_with("a full window waits for an acknowledgement", |config| {
        config.window.messages = WINDOW_4;
        config.window.bytes = 10;
    })
    .connect()
    .receive(welcome(Verdict::New, 1, None).encode())
    .send("1234567890ABC")
    .send("no")
    .receive(vec![3, 1])
    .send("1")
    .send("2")
    .send("3")
    .send("4")
    .send("no")
    .receive(vec![3, 2])
    .send("56789012")
    .send("9");
    vec![many, small, long, full]
}

fn resuming() -> Vec<Script> {
    vec![
        opened("resumed: both go on behind what the other has")
            .send("1")
            .send("2")
            .send("3")
            .receive_text("a")
            .receive_text("b")
            .at(500)
            .disconnect(Some(1006))
            .send("4")
            .at(900)
            .connect()
            .receive(resumed(2, 2).encode())
            .receive_text("c")
            .time(1900),
        opened("a WELCOME that is lost: the older token again, and another attempt")
            .send("1")
            .disconnect(None)
            .connect()
            .disconnect(None)
            .connect()
            .receive(resumed(3, 0).encode()),
        opened("what comes late from the connection before is ignored")
            .send("1")
            .connect()
            .receive_late("too late")
            .receive(resumed(2, 1).encode())
            .receive_late("too late")
            .receive_text("in time"),
        opened("a session without any message is resumed")
            .disconnect(None)
            .connect()
            .receive(resumed(2, 0).encode())
            .send("1"),
        opened("a message at which connections fail twice is quarantined")
            .send("good")
            .send("poison")
            .send("rest")
            .at(1000)
            .disconnect(Some(1009))
            .connect()
            .receive(resumed(2, 1).encode())
            .at(1500)
            .disconnect(Some(1009))
            .connect()
            .receive(resumed(3, 1).encode())
            .receive(vec![3, 2]),
        opened("failures that are not in a row, or late, are no quarantine")
            .send("suspect")
            .at(100)
            .disconnect(Some(1007))
            .connect()
            .receive(resumed(2, 0).encode())
            .at(200)
            .disconnect(Some(1001))
            .connect()
            .receive(resumed(3, 0).encode())
            .at(300)
            .disconnect(Some(1007))
            .connect()
            .receive(resumed(4, 0).encode())
            .at(2301)
            .disconnect(Some(1011))
            .connect()
            .receive(resumed(5, 0).encode()),
    ]
}

fn losing() -> Vec<Script> {
    let bound = Welcome {
        bound: true,
        ..resumed(2, 1)
    };
    let three = |script: Script| {
        let script = script
            .connect()
            .receive(welcome(Verdict::New, 1, None).encode());
        let script = script.send("1").send("2").send_binary(&[3]);
        script.disconnect(None).send("4").connect()
    };
    let again = |config: &mut revoir_session::Config| config.in_doubt = InDoubt::Again;
    let mut scripts = vec![
        three(Script::client(
            "the owner was lost: what is in doubt is returned",
        ))
        .receive(bound.encode())
        .receive(vec![9, 4, 1])
        .receive(vec![3, 3])
        .send("5"),
        three(Script::client_with(
            "the owner was lost: what is in doubt is sent again, if that was asked for",
            again,
        ))
        .receive(bound.encode()),
    ];
    let fresh = [
        (
            "fresh:expired with exact counts",
            Verdict::Expired,
            Some(2),
            Some(7),
            false,
        ),
        (
            "fresh:overflow with exact counts",
            Verdict::Overflow,
            Some(0),
            Some(1),
            false,
        ),
        (
            "fresh:backend with exact counts",
            Verdict::Backend,
            Some(3),
            Some(0),
            false,
        ),
        (
            "fresh:epoch without counts",
            Verdict::Epoch,
            None,
            None,
            false,
        ),
        (
            "fresh:unknown without counts",
            Verdict::Unknown,
            None,
            None,
            false,
        ),
        (
            "fresh:expired with bounds",
            Verdict::Expired,
            Some(1),
            Some(9),
            true,
        ),
    ];
    for (name, verdict, received, lost, bound) in fresh {
        let fresh = Welcome {
            lost,
            bound,
            ..welcome(verdict, 1, received)
        };
        scripts.push(
            three(Script::client(name))
                .receive(fresh.encode())
                .send("new"),
        );
    }
    let fresh = welcome(Verdict::Expired, 1, Some(1));
    let name = "fresh:expired, and what was not taken is sent again, if that was asked for";
    scripts.push(three(Script::client_with(name, again)).receive(fresh.encode()));
    scripts
}

fn control() -> Vec<Script> {
    vec![
        opened("a gap is told, and counts")
            .receive_text("1")
            .receive(vec![9, 3, 0])
            .receive_text("5")
            .time(1000),
        opened("another backend, between the messages")
            .receive_text("1")
            .receive(vec![11, 5, 6, 1])
            .receive_text("3"),
        opened("the store is away: HELLO repeats it, until it is back")
            .receive(vec![10, 1])
            .disconnect(None)
            .connect()
            .receive(resumed(2, 0).encode())
            .disconnect(None)
            .connect()
            .receive(
                Welcome {
                    volatile: true,
                    ..resumed(3, 0)
                }
                .encode(),
            )
            .receive(vec![10, 0])
            .disconnect(None)
            .connect(),
        opened("another token")
            .receive([&[8], token(77).as_bytes()].concat())
            .disconnect(None)
            .connect(),
        opened("GOAWAY, then Close: the session stays")
            .send("1")
            .receive(
                [
                    &[6, 1, 0x43, 0xf4, 1, 0x4b, 0xb8, 0x41, 0xf4][..],
                    b"restart",
                ]
                .concat(),
            )
            .disconnect(Some(1012))
            .connect()
            .receive(resumed(2, 0).encode()),
        opened("PING is answered").receive(vec![4]).receive(vec![5]),
    ]
}

fn ending() -> Vec<Script> {
    let code = SendCode::NORMAL_CLOSURE;
    vec![
        opened("the server says BYE: what it did not acknowledge it did not take")
            .send("1")
            .send("2")
            .receive_text("last")
            .receive(vec![3, 1])
            .receive([&[7, 2, 0x4f, 0xa1][..], b"done"].concat())
            .receive_text("too late")
            .disconnect(Some(4001)),
        opened("we say BYE, behind what we sent, and acknowledge first")
            .receive_text("a")
            .send("1")
            .bye(code, "bye")
            .send("refused")
            .receive_text("not taken any more")
            .receive(vec![3, 2]),
        opened("BYE that was not acknowledged is said again")
            .send("1")
            .bye(code, "")
            .disconnect(None)
            .connect()
            .receive(resumed(2, 1).encode())
            .receive(vec![3, 1]),
        opened("BYE that turns out to be acknowledged")
            .bye(code, "")
            .disconnect(None)
            .connect()
            .receive(resumed(2, 1).encode()),
        opened("BYE is said in the new session")
            .send("1")
            .bye(code, "")
            .disconnect(None)
            .connect()
            .receive(welcome(Verdict::Expired, 1, Some(2)).encode())
            .receive(vec![3, 1]),
        opened("both say BYE: neither takes anything of the other any more")
            .send("1")
            .receive_text("a")
            .receive(vec![3, 1])
            .bye(code, "ours")
            .receive([&[7, 0, 0x4f, 0xa1][..], b"theirs"].concat()),
        opened("taken over: the session is another client's")
            .send("1")
            .disconnect(Some(4090)),
        opened("the server says that we broke a rule")
            .send("1")
            .disconnect(Some(4094)),
    ]
}

fn timers() -> Vec<Script> {
    vec![
        Script::client("no WELCOME in time")
            .connect()
            .time(9999)
            .time(10_000),
        opened("nothing heard in time")
            .at(5000)
            .receive(vec![4])
            .time(39_999)
            .time(40_000),
        opened("a probe without an answer")
            .at(1000)
            .probe()
            .time(5000),
        opened("a probe that is answered, by any message")
            .at(1000)
            .probe()
            .at(1500)
            .receive_text("here")
            .time(2500),
    ]
}
