//! Every kind of broken message, and a few that are none, with the rule that they break.

use std::time::Duration;

use bytes::Bytes;
use revoir_session::{
    Config, Ended, Event, Fresh, Grant, Hello, Message, Session, Verdict, Violation, Welcome,
    Window,
};
use serde_json::{Value, json};

use super::script::{SESSION, hex, token, welcome};

const NOW: Duration = Duration::ZERO;

fn hello() -> Hello {
    Hello {
        resume: None,
        window: Window::DEFAULT,
        ttl: None,
        protocols: None,
        headers: None,
    }
}

/// A client that has HELLO on its way, or is open.
fn client(is_open: bool) -> Session {
    let mut client = Session::client(NOW, Config::default());
    let id = client.connect(NOW, None, None).unwrap();
    if is_open {
        let new = Message::Binary(welcome(Verdict::New, 1, None).encode());
        client.handle_message(NOW, id, new);
    }
    client
}

fn server() -> Session {
    let fresh = Fresh {
        verdict: Verdict::New,
        received: None,
        lost: None,
        bound: false,
        is_failure: false,
    };
    let grant = Grant {
        token: token(1),
        protocol: None,
        headers: None,
        volatile: false,
    };
    Session::accept(NOW, Config::default(), &hello(), SESSION, fresh, grant)
}

/// The rule that the message breaks for this end.
fn rule(mut end: Session, message: Message) -> Option<Violation> {
    let id = end.connection().unwrap();
    while end.poll_transmit(NOW).is_some() {}
    end.handle_message(NOW, id, message);
    std::iter::from_fn(|| end.poll_event()).find_map(|event| match event {
        Event::Ended(Ended::Violation(violation)) => Some(violation),
        _ => None,
    })
}

fn line(to: &str, state: &str, message: &Message, rule: Option<Violation>) -> Value {
    let told = match message {
        Message::Text(text) => format!("text:{}", std::str::from_utf8(text).unwrap()),
        Message::Binary(bytes) => format!("hex:{}", hex(bytes)),
    };
    let rule = rule.map(Violation::id);
    match message {
        Message::Binary(bytes) if bytes.len() > 1000 => {
            let (first, rest) = (hex(&bytes[..1]), &bytes[1..]);
            assert!(
                rest.iter().all(|byte| *byte == rest[0]),
                "it is written short"
            );
            let repeat = json!([hex(&rest[..1]), rest.len()]);
            json!({"to": to, "state": state, "message": format!("hex:{first}"), "repeat": repeat, "rule": rule})
        }
        _ => json!({"to": to, "state": state, "message": told, "rule": rule}),
    }
}

/// What any end may be sent, once it is open.
fn messages() -> Vec<Vec<u8>> {
    let number_too_big = [0xc0, 0x20, 0, 0, 0, 0, 0, 0];
    vec![
        vec![],
        vec![0],
        vec![12],
        vec![0xff, 1, 2],
        vec![3],
        vec![3, 0],
        vec![3, 1],
        vec![3, 0x40],
        vec![3, 1, 0],
        [&[3][..], &number_too_big].concat(),
        vec![4],
        vec![4, 0],
        vec![5],
        vec![5, 0],
        vec![6],
        vec![6, 1, 0x43, 0xf4, 1, 0, 0],
        vec![6, 3, 0x43, 0xf4, 1, 0, 0],
        vec![6, 1, 0x43, 0xee, 1, 0, 0],
        vec![6, 1, 0x43, 0xf4, 2, 0, 0],
        vec![6, 1, 0x43, 0xf4, 1, 0],
        [&[6, 1, 0x43, 0xf4, 1, 0, 0][..], &[b'r'; 124]].concat(),
        vec![6, 1, 0x43, 0xf4, 1, 0, 0, 0xff],
        vec![7],
        vec![7, 0, 0x43, 0xe8],
        vec![7, 0, 0x43, 0xed],
        vec![7, 0, 0x43],
        // 4090 and 4094.
        vec![7, 0, 0x4f, 0xfa],
        vec![7, 0, 0x4f, 0xfe],
        vec![6, 1, 0x4f, 0xfa, 1, 0, 0],
        [&[7, 0, 0x43, 0xe8][..], &[b'r'; 124]].concat(),
        vec![8],
        vec![8, 1],
        [&[8][..], &[1; 513]].concat(),
        [&[8][..], &[1; 16_384]].concat(),
        vec![9, 0, 0],
        vec![9, 1, 0],
        vec![9, 1, 4],
        vec![9, 1],
        vec![9, 1, 0, 0],
        [
            &[9][..],
            &[0xc0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0],
        ]
        .concat(),
        vec![10, 0],
        vec![10, 2],
        vec![10],
        vec![11, 1, 2],
        vec![11, 1, 2, 3],
        vec![11, 1, 2, 3, 4],
    ]
}

/// A message of fields, in which one is changed.
fn fields(whole: &Bytes, changes: &[(&[u8], &[u8])]) -> Vec<Vec<u8>> {
    changes
        .iter()
        .map(|(from, to)| {
            let at = whole.windows(from.len()).position(|it| it == *from);
            let at = at.unwrap_or_else(|| panic!("{from:?} is not in {whole:?}"));
            [&whole[..at], to, &whole[at + from.len()..]].concat()
        })
        .collect()
}

pub(crate) fn all() -> Vec<Value> {
    let mut lines = Vec::new();
    for message in messages() {
        let message = Message::Binary(message.into());
        let found = rule(client(true), message.clone());
        lines.push(line("client", "open", &message, found));
        let found = rule(server(), message.clone());
        lines.push(line("server", "open", &message, found));
    }
    lines.extend(to_opening_clients());
    lines.extend(to_opening_servers());
    lines
}

fn to_opening_clients() -> Vec<Value> {
    let whole = Welcome {
        ttl: Duration::from_millis(5),
        heartbeat: Duration::from_millis(6),
        window: Window {
            messages: 9,
            bytes: 8,
        },
        ..welcome(Verdict::New, 1, None)
    }
    .encode();
    let changes: &[(&[u8], &[u8])] = &[
        (&[1, 7], &[1, 7]),
        (b"\x01\x07token-1", &[]),
        (b"\x01\x07token-1", &[1, 0]),
        (&[6, 1, 9], &[]),
        (&[6, 1, 9], &[6, 1, 0]),
        (&[6, 1, 9], &[6, 2, 9, 9]),
        // A number that its field cuts off, and no windows in a message that lacks more.
        (&[6, 1, 9], &[6, 1, 0x40]),
        (&[6, 1, 9, 7, 1, 8], &[6, 1, 0]),
        (b"\x01\x07token-1\x06\x01\x09", &[6, 1, 0]),
        (&[6, 1, 9], &[6, 0]),
        (&[6, 1, 9], &[6, 1, 9, 6, 1, 9]),
        (&[6, 1, 9, 7, 1, 8], &[7, 1, 8, 6, 1, 9]),
        (&[7, 1, 8], &[]),
        (&[7, 1, 8], &[7, 8, 0xc0, 0x20, 0, 0, 0, 0, 0, 0]),
        (&[8, 1, 5], &[]),
        (&[8, 1, 5], &[8, 1, 5, 9, 1, 0xff]),
        (&[8, 1, 5], &[8, 1, 5, 10, 0]),
        (&[11, 1, 0], &[]),
        (&[11, 1, 0], &[11, 1, 2]),
        (&[11, 1, 0], &[11, 1, 1]),
        (&[11, 1, 0], &[11, 1, 16]),
        (&[12, 16], &[12, 15]),
        (&[13, 1, 1], &[]),
        (&[13, 1, 1], &[13, 1, 1, 14, 0]),
        (&[13, 1, 1], &[13, 1, 1, 14, 1, 0]),
        (&[13, 1, 1], &[13, 1, 1, 15, 1, 0]),
        (&[16, 1, 6], &[]),
        (&[16, 1, 6], &[16, 1, 6, 17, 1, 1]),
        (&[16, 1, 6], &[16, 2, 6]),
        (&[16, 1, 6], &[16]),
    ];
    let mut messages: Vec<Message> = fields(&whole, changes)
        .into_iter()
        .map(|message| Message::Binary(message.into()))
        .collect();
    messages.extend([Message::from("text"), Message::Binary(vec![0, 1].into())]);
    messages.extend([vec![4], vec![3, 1], vec![1]].map(|it| Message::Binary(it.into())));
    let lines = messages.into_iter().map(|message| {
        let found = rule(client(false), message.clone());
        line("client", "opening", &message, found)
    });
    let mut lines: Vec<Value> = lines.collect();
    let message = Message::Binary(whole);
    let found = rule(client(true), message.clone());
    lines.push(line("client", "open", &message, found));
    lines
}

fn to_opening_servers() -> Vec<Value> {
    let whole = Hello {
        resume: Some(revoir_session::Resume {
            token: token(1),
            received: 3,
            acked: 4,
            sent: 5,
            attempt: 2,
            volatile: true,
        }),
        window: Window {
            messages: 9,
            bytes: 8,
        },
        ..hello()
    }
    .encode();
    let changes: &[(&[u8], &[u8])] = &[
        (&[1, 7], &[1, 7]),
        (b"\x01\x07token-1", &[]),
        (b"\x01\x07token-1", &[1, 0]),
        (&[2, 1, 3], &[]),
        (&[3, 1, 4], &[]),
        (&[3, 1, 4], &[3, 1, 6]),
        (&[4, 1, 5], &[]),
        (&[5, 0], &[]),
        (&[5, 0], &[5, 1, 0]),
        (&[6, 1, 9], &[]),
        (&[6, 1, 9], &[6, 1, 0]),
        (&[7, 1, 8], &[]),
        (&[17, 1, 2], &[]),
        (&[17, 1, 2], &[17, 1]),
        (&[17, 1, 2], &[17, 1, 0x40]),
        // What is missing comes before what may not be there, and both before what does not fit.
        (&[6, 1, 9, 7, 1, 8, 17, 1, 2], &[6, 1, 9, 7, 1, 8]),
        (
            &[3, 1, 4, 4, 1, 5, 5, 0, 6, 1, 9],
            &[3, 1, 6, 4, 1, 5, 5, 0],
        ),
        (
            b"\x01\x07token-1\x02\x01\x03\x03\x01\x04\x04\x01\x05\x05\x00\x06\x01\x09",
            &[2, 1, 3],
        ),
        (&[17, 1, 2], &[17, 1, 2, 18, 0]),
        (&[1, 7], &[0, 0, 1, 7]),
    ];
    let mut messages = fields(&whole, changes);
    messages.extend([vec![], vec![0], vec![1], vec![2], vec![4], vec![12]]);
    messages.push(vec![1, 0x40]);
    messages.push([&[1][..], &[0; 16_384]].concat());
    let decode = |message: Vec<u8>| {
        let message = Bytes::from(message);
        let found = Hello::decode(&message).err();
        line("server", "opening", &Message::Binary(message), found)
    };
    let mut lines: Vec<Value> = messages.into_iter().map(decode).collect();
    let message = Message::Binary(whole);
    let found = rule(server(), message.clone());
    lines.push(line("server", "open", &message, found));
    lines
}
